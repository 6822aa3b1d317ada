"""What is known not to hold on an older LiteLLM, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracesplice_testing.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.forms import Form

__all__ = ["RELEASES", "Release"]

LANGFUSE, OTEL, V2 = GatewayMode.LANGFUSE, GatewayMode.LANGFUSE_OTEL, GatewayMode.LANGFUSE_OTEL_V2
CHAT, RESPONSES = (f"/{each} json body+header prompt" for each in ("chat/completions", "responses"))

UNPRICED = ("/audio/speech", "/audio/transcriptions", "/rerank")
"""Routes of which LiteLLM says no cost in mode `langfuse`."""


@dataclass(frozen=True)
class Release:
    """An older LiteLLM.

    Attributes:
        modes: The ways it has to report.
        files: What a user puts beside `config.yaml` for the adapter; its line is always the same.
        by_json: Whether mode `langfuse` reports by langfuse 2, which has no spans that the adapter
            could put anything on: the gateway generation has no environment (i), and is priced by
            Langfuse (h) where LiteLLM says no cost.
        noise: Modes in which spans of LiteLLM's own work come along (j).
        silent: Modes and routes of which it makes no generation.
        without: What fails without the adapter.
        no_tokens: Whether mode `langfuse` counts no tokens of a streamed Responses answer with the
            adapter (True is in it), and without (False is).
        reports_ends: Whether mode `langfuse` at times reports the end of a streamed Responses
            answer, too, as an error without usage. On a busy machine it is 3 to 6 of 80.
        no_header: Whether there is no hook for an answer's headers, to say if it is reported.
    """

    modes: tuple[GatewayMode, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    by_json: bool = False
    noise: tuple[GatewayMode, ...] = ()
    silent: Mapping[GatewayMode, tuple[str, ...]] = field(default_factory=dict)
    without: Mapping[tuple[GatewayMode, str], str] = field(default_factory=dict)
    no_tokens: tuple[bool, ...] = ()
    reports_ends: bool = False
    no_header: bool = False

    def fails(self, mode: GatewayMode | None, form: Form) -> set[str]:
        """The checks that a form does not pass in a mode."""
        found = {"j"} if mode in self.noise else set()
        if mode is LANGFUSE and self.by_json:
            found |= {"h"} if form.route.endswith(UNPRICED) else set()
            return found | ({"i"} if form.ids != "none" else set())
        return found | ({"d", "i"} if form.ids == "header" else set())


RELEASES: Mapping[str, Release] = {
    "1.80.15": Release(
        modes=(LANGFUSE, OTEL),
        # LiteLLM before 1.94 looks for callbacks only beside its configuration.
        files={"tracesplice_litellm.py": "from tracesplice_litellm import adapter\n"},
        by_json=True,
        noise=(OTEL,),
        # Before 1.82.6 it logs a Responses call without its metadata.
        without={
            (LANGFUSE, RESPONSES): "abcd",
            (OTEL, CHAT): "c",
            (OTEL, RESPONSES): "cd",
        },
        no_tokens=(True, False),
        reports_ends=True,
        no_header=True,
    ),
    "1.98.1": Release(
        modes=(LANGFUSE, OTEL, V2),
        by_json=True,
        silent={V2: ("/images/generations", "/audio/speech", "/moderations")},
        # LITELLM_OTEL_V2 did not read user, session and tags yet.
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
