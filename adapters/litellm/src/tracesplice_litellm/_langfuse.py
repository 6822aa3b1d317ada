"""Mode ``langfuse``: LiteLLM's logger makes a generation out of what it is handed.

https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py. Releases
before 1.104 report by Langfuse's older SDK, which has no spans: there, what is in the request's
metadata is all that Langfuse gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm._attributes import TYPE, for_generation, for_observation
from tracesplice_litellm._call import call_of, current, details, reporting
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._patch import replace
from tracesplice_litellm._usage import NOTHING, lacking
from tracesplice_litellm._write import write_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

__all__ = ["prepare"]


def prepare(logger: Any) -> bool:
    """Make a logger put the link on its spans, and sample as clients do; twice is once.

    Returns:
        Whether it has spans.
    """
    replace(type(logger), "log_event_on_langfuse", _reporting)
    return _watch(logger)


def _reporting(original: Callable[..., Any]) -> Callable[..., Any]:
    def log_event(logger: Any, kwargs: Any, *args: Any, **named: Any) -> Any:
        # A key or a team may have a logger of its own.
        _prepare_own(logger)
        _place_relayed(kwargs)
        with reporting(kwargs):
            return original(logger, kwargs, *args, **named)

    return log_event


@guarded("the links of a key's own logger")
def _prepare_own(logger: Any) -> None:
    _watch(logger)


@guarded("the link of a pass-through call")
def _place_relayed(kwargs: Any) -> None:
    call = call_of(kwargs)
    if call is not None and call.relayed and call.link.place is not None:
        # Its headers came after the request was read.
        write_link(kwargs["litellm_params"], call.link)


def _watch(logger: Any) -> bool:
    tracing = getattr(logger, "tracing", None)
    if tracing is None:
        return False
    from tracesplice_litellm._sampling import follow_clients
    from tracesplice_litellm._spans import watch

    watch(tracing.provider, _put_link)
    follow_clients(tracing.tracer)
    return True


@guarded("the link of a call")
def _put_link(span: Span) -> None:
    attributes = span.attributes or {}
    if attributes.get(TYPE) == "generation":
        _put_generation(span)
        return
    call = current()
    if call is not None:
        span.set_attributes(for_observation(call.link))


def _put_generation(span: Span) -> None:
    call = current()
    if call is not None:
        span.set_attributes(for_generation(call.link))
        key = (span.name, span.start_time)
        if key in call.reported:
            # Images and speech are reported twice, from two threads.
            span.set_attributes(NOTHING)
            return
        call.reported.add(key)
    span.set_attributes(lacking(details(), span.attributes or {}))
