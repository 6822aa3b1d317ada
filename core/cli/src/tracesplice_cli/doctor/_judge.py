"""What the calls of the probe say: where they came out, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice_cli.doctor._callbacks import ADD_LANGFUSE, add_adapter
from tracesplice_cli.doctor._finding import Finding, ok, problem, unknown
from tracesplice_cli.doctor._probe import WAYS
from tracesplice_cli.doctor._sampling import ITS_SAMPLERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracesplice_cli.doctor._callbacks import Callbacks
    from tracesplice_cli.doctor._probe import Call
    from tracesplice_cli.doctor._read_back import Found

__all__ = ["judge_calls", "judge_failures"]

_SAME_PROJECT = (
    "# in the gateway's environment, those of the application; then start it again",
    "export LANGFUSE_HOST=...  # also LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY",
)
_WHY_NOTHING = (
    "It may report to another project or server, or not at all: its keys may be wrong, or those of "
    "another project; it may sample on its own; or logging is switched off for this key or model "
    "(no-log). Its log says if it is refused."
)
_UNSURE = "Langfuse's keys may be somewhere else than in the gateway's environment."
_LOOK = "env | grep -e LANGFUSE -e OTEL  # in the gateway's environment"
_SPLIT = "One call is two traces, and only the application's knows the prompt."
_PROXY = (
    "# in every proxy, load balancer or mesh before the gateway: pass the header on as it is",
)


def judge_failures(calls: Sequence[Call]) -> list[Finding]:
    """Say which calls the gateway did not answer as a model would."""
    failed = [call for call in calls if call.answer.status != 200]
    return [
        problem(
            f"probe.{call.way}",
            f"The call was answered with HTTP {call.answer.status}.",
            "The gateway's log has the reason. Another model may answer.",
            "tracesplice doctor --probe --model ...",
        )
        for call in failed[:1]
    ]


def judge_calls(
    calls: Sequence[Call], found: Mapping[str, Found], callbacks: Callbacks | None, waited: float
) -> list[Finding]:
    """Say of each way whether the gateway reads it.

    Args:
        calls: Those that were answered.
        found: Where they came out.
        callbacks: How the gateway says that it reports; None where it does not say it.
        waited: For how many seconds Langfuse was asked.
    """
    if not found:
        return [_nothing(callbacks, waited, denied=any(map(_is_denied, calls)))]
    # Releases before LiteLLM has a hook for an answer's headers do not say it there.
    told = callbacks is not None and callbacks.adapter
    adapter = told or any(call.reports is not None for call in calls)
    joined = {call.way: _is_joined(call, found.get(call.way)) for call in calls}
    said = [ok("probe.project", "The gateway reports to the application's Langfuse project.")]
    if any(_is_denied(call) for call in calls if call.way in found):
        what = "The call arrived, and the gateway's adapter was not sure that it would."
        why = f"So the application counts its usage, too: twice. {_UNSURE}"
        said.append(problem("probe.counting", what, why, _LOOK))
    if callbacks is None and not adapter:
        what = "The gateway's answers are without the header of tracesplice's adapter."
        why = "Without it prompts are linked in mode langfuse only."
        said.append(problem("probe.adapter", what, why, *add_adapter(callbacks)))
    missing = () if adapter else add_adapter(callbacks)
    return [*said, *(_way(call, found.get(call.way), joined, missing) for call in calls)]


def _is_denied(call: Call) -> bool:
    """Whether the gateway's adapter says no; in doubt it does."""
    return call.reports == "false"


def _is_joined(call: Call, found: Found | None) -> bool:
    return found is not None and found.generation.trace_id == call.link.trace_id


def _way(
    call: Call, found: Found | None, joined: Mapping[str, bool], missing: tuple[str, ...]
) -> Finding:
    check, where = f"probe.{call.way}", WAYS[call.way]
    if found is None:
        what = f"The call with the link in {where} did not arrive in Langfuse."
        why = "The other one did. It may be late, or the gateway samples on its own. Try again."
        return unknown(check, what, why, "tracesplice doctor --probe", ITS_SAMPLERS)
    if not joined[call.way]:
        return _lost(call, joined, missing)
    # Without the adapter, mode langfuse takes no parent from the header.
    if found.parent_id not in (call.link.parent_id, None) or not (found.parent_id or missing):
        what = f"{where[0].upper()}{where[1:]} is rewritten on the way: another parent arrives."
        why = "The gateway's generation is under something that is not in Langfuse."
        return problem(check, what, why, *_PROXY)
    return ok(check, f"The gateway reads {where}: its generation is in the application's trace.")


def _lost(call: Call, joined: Mapping[str, bool], missing: tuple[str, ...]) -> Finding:
    check, where = f"probe.{call.way}", WAYS[call.way]
    if call.way == "header":
        what = "The header traceparent is stripped or rewritten on the way to the gateway."
        why = _SPLIT
        if joined.get("body"):
            why = (
                "Spliced clients are joined by the body nevertheless. What sends headers alone "
                "(tracesplice.headers(), other languages) is a trace of its own."
            )
        return problem(check, what, why, *_PROXY)
    if missing:
        what = "The gateway does not read the link in the body."
        why = "Without the adapter its mode joins by the header alone, which proxies may drop."
        return problem(check, what, why, *missing)
    what = f"The link in {where} is dropped on the way to the gateway."
    return problem(check, what, _SPLIT, "# in every proxy: pass litellm_metadata on as it is")


def _nothing(callbacks: Callbacks | None, waited: float, *, denied: bool) -> Finding:
    check, what = "probe.project", f"Nothing of the calls is in this project after {waited:g} s."
    if callbacks is not None and callbacks.is_silent:
        why = "The gateway does not report to Langfuse."
        why += " Its adapter says so, too." if denied else ""
        return problem(check, what, why, *ADD_LANGFUSE)
    said = (
        "The gateway's adapter says that it reports them elsewhere, if at all. " if denied else ""
    )
    return problem(check, what, f"{said}{_WHY_NOTHING}", *_SAME_PROJECT, ITS_SAMPLERS)
