"""Mode ``langfuse``: LiteLLM's logger makes a generation out of what it is handed.

https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py. Releases
before 1.104 report by Langfuse's older SDK, which has no spans: there, what is in the request's
metadata is all that Langfuse gets.
"""

from __future__ import annotations

import math
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import litellm

from tracesplice_litellm._call import at_work, read_report, report
from tracesplice_litellm._generation import (
    NOTHING,
    TYPE,
    generation_attributes,
    missing_figures,
    trace_attributes,
)
from tracesplice_litellm._patch import replace
from tracesplice_litellm._rewrite import restored
from tracesplice_wire import fault, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import Span

    from tracesplice_litellm._call import Call, Report
    from tracesplice_litellm._request import Request

__all__ = ["NAME", "carry", "join", "only_our_keys", "prepare", "reports"]

NAME = "langfuse"

_SDK = "litellm.integrations.langfuse.langfuse_sdk"  # with spans, and not in older releases

_switched_on = False  # LiteLLM's setting does not tell who set it


def prepare(logger: Any) -> None:
    """Do what ``carry`` does, and have it report failed calls."""
    _report_failures(logger)
    carry(logger)


def carry(logger: Any) -> None:
    """Make a logger put the link on its spans, and sample as clients do."""
    if isinstance(logger, str):
        # LiteLLM makes one for each key or team that names it, once a call of theirs is over.
        from litellm.integrations.langfuse.langfuse import LangFuseLogger

        kind, has_spans = LangFuseLogger, find_spec(_SDK) is not None
    else:
        kind, has_spans = type(logger), _watch(logger) or False
    replace(kind, "log_event_on_langfuse", _reporting)
    if "log_failure_event" in vars(kind):  # and not a method of all loggers
        replace(kind, "log_failure_event", _once)
    if not has_spans and not litellm.langfuse_enable_update_trace_keys:
        # An older LiteLLM, which lets user, session and tags of a joined trace through only so.
        global _switched_on
        litellm.langfuse_enable_update_trace_keys = _switched_on = True


def only_our_keys() -> bool:
    """Return whether clients can change more of a trace than the configuration allows them to."""
    return _switched_on


def join(request: Request) -> None:
    """Do nothing: LiteLLM joins the trace by the request's metadata."""


def reports(logger: Any, call: Call, logging: Any) -> bool:
    """Return whether the samplers let the call through: LiteLLM's, and ours before it."""
    tracing, trace_id = getattr(logger, "tracing", None), call.request.link.trace_id
    if tracing is None:
        return _sample_rate() == 1  # Langfuse's older SDK sends nothing at a rate that is none
    sampler = getattr(tracing.tracer, "sampler", None)
    if sampler is None:
        return False  # OpenTelemetry is switched off
    if trace_id is None:
        return not 0 <= _sample_rate() < 1  # LiteLLM takes no notice of a rate that is none
    # They go by the call and the trace's id alone.
    return bool(sampler.should_sample(None, int(trace_id, 16), "").decision.is_sampled())


def _sample_rate() -> float:
    try:
        return float(os.environ.get("LANGFUSE_SAMPLE_RATE", "1"))
    except ValueError:
        return math.nan


def _report_failures(logger: Any) -> None:
    # This mode reports a failed call only where the configuration says so a second time.
    failures = (*litellm.failure_callback, *getattr(litellm, "_async_failure_callback", ()))
    if any(each is logger or each == NAME for each in failures):
        return
    if isinstance(logger, str):
        litellm.logging_callback_manager.add_litellm_failure_callback(logger)
    else:
        litellm.logging_callback_manager.add_litellm_async_failure_callback(logger)


def _once(original: Callable[..., Any]) -> Callable[..., Any]:
    # Of a call that LiteLLM refuses itself, it tells a logger twice: by this method and by the
    # asynchronous one, if the logger is in both lists (`_handle_logging_proxy_only_error`).
    def log_failure(logger: Any, *args: Any, **named: Any) -> Any:
        is_told = any(each is logger for each in getattr(litellm, "_async_failure_callback", ()))
        return None if is_told else original(logger, *args, **named)

    return log_failure


def _reporting(original: Callable[..., Any]) -> Callable[..., Any]:
    def log_event(logger: Any, kwargs: Any, *args: Any, **named: Any) -> Any:
        # A key or a team may have a logger of its own.
        _watch(logger)
        found = read_report(kwargs)
        try:
            kwargs = _with_link(found)
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}.log_event", "the link of a call that another callback overwrote")
        token = report.set(found)
        try:
            return original(logger, kwargs, *args, **named)
        finally:
            report.reset(token)

    return log_event


def _with_link(found: Report) -> Mapping[str, Any]:
    # Other callbacks come after ours, and may write metadata anew.
    call, details = found
    params = details.get("litellm_params")
    if call is None or not isinstance(params, dict):
        return details
    written, metadata = call.request.written, params.get("metadata")
    if (
        isinstance(metadata, dict)
        and written.items() <= metadata.items()
        and ("prompt" in written or "prompt" not in metadata)
    ):
        return details  # nearly always
    metadata = restored(metadata, call.request)
    return {**details, "litellm_params": {**params, "metadata": metadata}}


@guarded("the links of a logger")
def _watch(logger: Any) -> bool:
    # Returns whether it has spans.
    tracing = getattr(logger, "tracing", None)
    if tracing is None:
        return False
    from tracesplice_litellm._spans import follow_clients, watch

    watch(tracing.provider, _put_link)
    follow_clients(tracing.tracer)
    return True


def _put_link(span: Span) -> None:
    call, attributes = at_work(), span.attributes or {}
    if attributes.get(TYPE) != "generation":
        if call is not None:
            span.set_attributes(trace_attributes(call.request.link))
        return
    if call is not None:
        span.set_attributes(generation_attributes(call.request.link))
        key = (span.name, span.start_time)
        if key in call.generations:
            # Images and speech are reported twice, from two threads.
            span.set_attributes(NOTHING)
            return
        call.generations.add(key)
    reported = report.get()
    details = {} if reported is None else reported.details
    span.set_attributes(missing_figures(details, span.attributes or {}))
