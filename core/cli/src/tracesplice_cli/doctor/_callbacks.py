"""How the gateway reports to Langfuse, and whether it has tracesplice's adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracesplice_cli.doctor._finding import Finding, ok, problem, unknown
from tracesplice_cli.doctor._sampling import sampling_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_cli._http import Answer

__all__ = ["ADD_LANGFUSE", "Callbacks", "add_adapter", "callback_findings", "read_callbacks"]

ADD_LANGFUSE = (
    "# in the gateway's config.yaml; then start it again",
    "litellm_settings:",
    '  callbacks: ["langfuse_otel", "tracesplice_litellm.adapter"]',
)
_INSTALL = "pip install tracesplice-litellm  # in the gateway's environment"
_NO_ADAPTER = {
    "langfuse": "Without it sampling does not follow the application, and nobody says who counts a "
    "call.",
    "langfuse_otel": "Without it prompts are not linked, and nobody says who counts a call.",
}
_ADAPTER = "_Adapter"
_V2 = "OpenTelemetryV2"
# As the gateway's adapter knows them, in `_loggers`.
_MODES = {
    "langfuse": "langfuse",
    "LangfusePromptManagement": "langfuse",
    "LangFuseLogger": "langfuse",
    "LangfuseOtelLogger": "langfuse_otel",
}


@dataclass(frozen=True)
class Callbacks:
    """What reports.

    Attributes:
        modes: LiteLLM's modes to report to Langfuse.
        adapter: Whether there is our adapter.
        untold: Whether a logger does not tell where it reports to.
    """

    modes: tuple[str, ...]
    adapter: bool
    untold: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether nothing reports to Langfuse, but for what a key or a team has of its own."""
        return not self.modes and not self.untold


def read_callbacks(details: Answer) -> Callbacks | None:
    """Read the loggers' class names in LiteLLM's own account; None where there is none."""
    named = details.field("success_callbacks")
    if not isinstance(named, list):
        return None
    modes = dict.fromkeys(filter(None, map(_mode, map(str, named))))
    # Before LiteLLM 1.99 that is the class for all of OpenTelemetry's targets.
    return Callbacks(tuple(modes), _ADAPTER in named, untold=_V2 in named)


def add_adapter(callbacks: Callbacks | None) -> tuple[str, ...]:
    """What adds our adapter to a gateway, in the mode that it has; None where that is not known."""
    if callbacks is None:
        both = '  callbacks: [..., "tracesplice_litellm.adapter"]  # beside what is there'
        return _INSTALL, *ADD_LANGFUSE[:2], both
    if "langfuse" not in callbacks.modes:
        return _INSTALL, *ADD_LANGFUSE
    beside = ('  success_callback: ["langfuse"]', '  callbacks: ["tracesplice_litellm.adapter"]')
    return _INSTALL, *ADD_LANGFUSE[:2], *beside


def callback_findings(
    callbacks: Callbacks | None, version: str | None, status: int, probe: tuple[str, ...]
) -> Iterator[Finding]:
    """Yield how a gateway reports.

    Args:
        callbacks: As it says; None where it does not.
        version: LiteLLM's; None where it does not tell.
        status: What it answered to the question.
        probe: What to type to see what comes of a call; empty where that is done anyway.
    """
    if callbacks is None:
        what = f"How the gateway reports is not known: this key may not ask (HTTP {status})."
        why = "Its owner can ask with the master key. --probe sees what comes of a call."
        curl = "curl -H 'Authorization: Bearer <master key>' <gateway>/health/readiness/details"
        yield unknown("gateway.callback", what, why, curl, *probe)
        return
    yield _reports(callbacks, probe)
    if callbacks.adapter:
        yield ok("gateway.adapter", "It has tracesplice's adapter.")
    elif not callbacks.is_silent:
        what = "It does not have tracesplice's adapter."
        why = _NO_ADAPTER["langfuse" if "langfuse" in callbacks.modes else "langfuse_otel"]
        yield problem("gateway.adapter", what, why, *add_adapter(callbacks))
    if not callbacks.is_silent:
        yield sampling_finding(callbacks, version)


def _mode(logger: str) -> str | None:
    if logger.startswith("Langfuse") and logger.endswith(_V2):
        return "langfuse_otel_v2"
    return _MODES.get(logger)


def _reports(callbacks: Callbacks, probe: tuple[str, ...]) -> Finding:
    check, modes = "gateway.callback", callbacks.modes
    if callbacks.is_silent:
        why = (
            "Its calls are in no trace, unless the key or its team has a callback of its own, "
            "which is not shown here."
        )
        return problem(check, "The gateway does not report to Langfuse.", why, *ADD_LANGFUSE)
    if not modes:
        what = "The gateway reports by OpenTelemetry, and does not tell where to."
        why = "LiteLLM before 1.99 says no more of LITELLM_OTEL_V2. --probe sees what arrives."
        return unknown(check, what, why, *probe)
    if len(modes) > 1:
        what = f"The gateway reports to Langfuse twice: {' and '.join(modes)}."
        why = "Every call has two generations, whose tokens and cost are both counted."
        return problem(check, what, why, "# in the gateway's config.yaml: keep one of the two")
    return ok(check, f"It reports to Langfuse in mode {modes[0]}.")
