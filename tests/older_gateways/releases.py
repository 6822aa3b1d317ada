"""What is known not to hold on an older LiteLLM, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.gateway import GatewayMode

__all__ = ["CHAT", "EMBEDDINGS", "FAILED", "RELEASES", "RESPONSES", "STREAM", "Release"]

CHAT = "chat.completions.create"
STREAM = "chat.completions.create, stream"
RESPONSES = "responses.create"
EMBEDDINGS = "embeddings.create"
FAILED = "failed call"

LANGFUSE, OTEL, V2 = GatewayMode.LANGFUSE, GatewayMode.LANGFUSE_OTEL, GatewayMode.LANGFUSE_OTEL_V2

_NO_PROMPT = "LiteLLM drops the prompt in its OpenTelemetry modes: install tracesplice-litellm"
_NO_RESPONSES = "LiteLLM before 1.82.6 logs a Responses call without its metadata"
_NO_TOKENS = "LiteLLM before 1.104 reports 0 tokens of it, and how is out of the adapter's reach"
_NO_TOKENS_WITHOUT = "LiteLLM before 1.108 reports 0 tokens of it: install tracesplice-litellm"
_NO_USER = "LITELLM_OTEL_V2 did not read user, session and tags yet: install tracesplice-litellm"

Fails = Mapping[tuple[GatewayMode | None, str], Mapping[str, str]]
"""Mode and call shape to the checks of the harness that fail, each with the reason."""


@dataclass(frozen=True)
class Release:
    """An older LiteLLM.

    Attributes:
        modes: The ways it has to report.
        files: What a user puts beside `config.yaml` for the adapter; its line is always the same.
        without: What fails without the adapter.
        no_tokens: Why mode `langfuse` counts no tokens of a streamed Responses answer: with the
            adapter (True), and without.
        no_file: Why it does not find the adapter without `files`, None where it does.
        no_header: Why answers do not say whether they are reported, None where they do.
    """

    modes: tuple[GatewayMode, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    without: Fails = field(default_factory=dict)
    no_tokens: Mapping[bool, str] = field(default_factory=dict)
    no_file: str | None = None
    no_header: str | None = None


def _all(reason: str, checks: str) -> Mapping[str, str]:
    return dict.fromkeys(checks, reason)


RELEASES: Mapping[str, Release] = {
    "1.80.15": Release(
        modes=(LANGFUSE, OTEL),
        files={"tracesplice_litellm.py": "from tracesplice_litellm import adapter\n"},
        without={
            (LANGFUSE, RESPONSES): _all(_NO_RESPONSES, "abcd"),
            (OTEL, CHAT): _all(_NO_PROMPT, "c"),
            (OTEL, RESPONSES): {"c": _NO_PROMPT, "d": _NO_RESPONSES},
        },
        no_tokens={True: _NO_TOKENS, False: _NO_TOKENS_WITHOUT},
        no_file="LiteLLM before 1.94 looks for callbacks only beside its configuration",
        no_header="LiteLLM before 1.82 has no hook for an answer's headers",
    ),
    "1.98.1": Release(
        modes=(LANGFUSE, OTEL, V2),
        without={
            (OTEL, CHAT): _all(_NO_PROMPT, "c"),
            (OTEL, RESPONSES): _all(_NO_PROMPT, "c"),
            (V2, CHAT): {"c": _NO_PROMPT, "d": _NO_USER},
            (V2, RESPONSES): {"c": _NO_PROMPT, "d": _NO_USER},
        },
        no_tokens={True: _NO_TOKENS, False: _NO_TOKENS_WITHOUT},
    ),
    "1.106.2": Release(
        modes=(LANGFUSE, OTEL, V2),
        without={
            (OTEL, CHAT): _all(_NO_PROMPT, "c"),
            (OTEL, RESPONSES): _all(_NO_PROMPT, "c"),
            (V2, CHAT): _all(_NO_PROMPT, "c"),
            (V2, RESPONSES): _all(_NO_PROMPT, "c"),
        },
        no_tokens={False: _NO_TOKENS_WITHOUT},
    ),
}
