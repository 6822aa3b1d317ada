"""What is known not to hold on an older LiteLLM, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.forms import Form
    from conformance.harness import Cell

__all__ = ["RELEASES", "Release"]

LANGFUSE, OTEL, V2 = GatewayMode.LANGFUSE, GatewayMode.LANGFUSE_OTEL, GatewayMode.LANGFUSE_OTEL_V2
CHAT, RESPONSES = (f"/{each} json body+header prompt" for each in ("chat/completions", "responses"))


@dataclass(frozen=True)
class Release:
    """An older LiteLLM.

    Attributes:
        modes: The ways it has to report.
        files: What a user puts beside `config.yaml` for the adapter; its line is always the same.
        without: What fails without the adapter.
        no_tokens: Why mode `langfuse` counts no tokens of a streamed Responses answer: with the
            adapter (True), and without.
        no_header: Why answers do not say whether they are reported, None where they do.
    """

    modes: tuple[GatewayMode, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    without: Mapping[tuple[GatewayMode, str], str] = field(default_factory=dict)
    no_tokens: tuple[bool, ...] = ()
    no_header: str | None = None

    def fails(self, cell: Cell, form: Form) -> set[str]:
        return {"d", "i"} if form.ids == "header" else set()


RELEASES: Mapping[str, Release] = {
    "1.80.15": Release(
        modes=(LANGFUSE, OTEL),
        # LiteLLM before 1.94 looks for callbacks only beside its configuration.
        files={"tracesplice_litellm.py": "from tracesplice_litellm import adapter\n"},
        # LiteLLM drops the prompt in its OpenTelemetry modes: install tracesplice-litellm
        # LiteLLM before 1.82.6 logs a Responses call without its metadata
        without={
            (LANGFUSE, RESPONSES): "abcd",
            (OTEL, CHAT): "c",
            (OTEL, RESPONSES): "cd",
        },
        no_tokens=(True, False),
        no_header="LiteLLM before 1.82 has no hook for an answer's headers",
    ),
    "1.98.1": Release(
        modes=(LANGFUSE, OTEL, V2),
        # LITELLM_OTEL_V2 did not read user, session and tags yet: install tracesplice-litellm
        without={
            (OTEL, CHAT): "c",
            (OTEL, RESPONSES): "c",
            (V2, CHAT): "cd",
            (V2, RESPONSES): "cd",
        },
        no_tokens=(True, False),
    ),
    "1.106.2": Release(
        modes=(LANGFUSE, OTEL, V2),
        without={
            (OTEL, CHAT): "c",
            (OTEL, RESPONSES): "c",
            (V2, CHAT): "c",
            (V2, RESPONSES): "c",
        },
        no_tokens=(False,),
    ),
}
