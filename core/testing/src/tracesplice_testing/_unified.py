"""`assert_unified`: the judge, for what an application's own tests recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice_testing._stand_in import SCOPE
from tracesplice_testing.recorder import Recorder, RecorderTimeout
from tracesplice_view import Judged, Trace, is_of_gateway

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["assert_unified"]

_AT_ONCE = 1.0  # seconds


def assert_unified(
    found: Recorder | Trace | Sequence[Trace],
    *,
    traces: int = 1,
    prompt: Any = None,
    timeout: float = 5.0,
) -> None:
    """Fail unless each call is one trace, nested right, linked to its prompt, and counted once.

    Args:
        found: What to judge: everything a recorder has, as soon as it is complete, or traces.
        traces: How many traces the application opens; each call has to be in one of them.
        prompt: The Langfuse prompt that every call is to be linked to. Without it both sides have
            to say the same.
        timeout: How long to wait for what a gateway still has to report, in seconds.

    Raises:
        AssertionError: What does not hold, what to type, and the traces as trees.
    """
    __tracebackhide__ = True
    if isinstance(found, Recorder):
        text = _of_recorder(found, traces, prompt, timeout)
    else:
        given = [found] if isinstance(found, Trace) else list(found)
        text = Judged(given, traces, prompt).text()
    if text:
        raise AssertionError(text)


def _of_recorder(recorder: Recorder, traces: int, prompt: Any, timeout: float) -> str:
    force_flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if force_flush is not None:
        force_flush()

    def is_whole(now: Recorder) -> bool:
        return not Judged(now.traces(), traces, prompt).wrong

    try:
        recorder.wait_for(is_whole, _patience(recorder, timeout))
    except RecorderTimeout:
        problems = [f"Langfuse drops: {each}" for each in recorder.problems()]
        return "\n".join([Judged(recorder.traces(), traces, prompt).text(), *problems])
    return ""


def _patience(recorder: Recorder, timeout: float) -> float:
    # A stand-in has reported by the time it answers.
    scopes = {each.scope for each in recorder.observations() if is_of_gateway(each)}
    return min(timeout, _AT_ONCE) if scopes == {SCOPE} else timeout
