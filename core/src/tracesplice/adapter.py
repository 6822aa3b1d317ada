"""What an adapter builds on: ``from tracesplice.adapter import ...``.

The names here are public and stable for authors of adapters; applications need none of them.
"""

from __future__ import annotations

from tracesplice._answers import note_answer
from tracesplice._carrier import capture, capture_text, resume, resume_text
from tracesplice._contexts import as_current, in_context, is_observed
from tracesplice._errors import TracespliceError
from tracesplice._flushing import aflush_observations, flush_observations
from tracesplice._gateway import Gateway
from tracesplice._http_request import LinkedHttpRequest, link_http_request
from tracesplice._ignored_spans import ignored_spans
from tracesplice._in_call import calling, gateways_here
from tracesplice._kit import (
    langfuse_prompt,
    splice_each,
    when_imported,
)
from tracesplice._observation import is_stored, span_of
from tracesplice._own_prompt import own_prompt
from tracesplice._places import note_foreign_call, nothing_used
from tracesplice._request import LinkedRequest, capture_link, link_request
from tracesplice._sdk import ClientSdk, defining, with_observation
from tracesplice._sdk_request import OBSERVATION
from tracesplice._sources import ambient_source, current_observation, observation_source
from tracesplice._splice import is_instrumented
from tracesplice._steps import asteps, steps
from tracesplice._streams import afirst_read_in, first_read_in, has_place
from tracesplice._wrap import (
    Wrapper,
    each_class,
    unwrap_methods,
    wrap_function,
    wrap_methods,
)
from tracesplice.hookspecs import hookimpl
from tracesplice_wire import (
    Link,
    PromptRef,
    fault,
    guarded,
    header_values,
    shown,
    shown_kind,
    shown_url,
    warn_once,
)

__all__ = [
    "OBSERVATION",
    "ClientSdk",
    "Gateway",
    "Link",
    "LinkedHttpRequest",
    "LinkedRequest",
    "PromptRef",
    "TracespliceError",
    "Wrapper",
    "afirst_read_in",
    "aflush_observations",
    "ambient_source",
    "as_current",
    "asteps",
    "calling",
    "capture",
    "capture_link",
    "capture_text",
    "current_observation",
    "defining",
    "each_class",
    "fault",
    "first_read_in",
    "flush_observations",
    "gateways_here",
    "guarded",
    "has_place",
    "header_values",
    "hookimpl",
    "ignored_spans",
    "in_context",
    "is_instrumented",
    "is_observed",
    "is_stored",
    "langfuse_prompt",
    "link_http_request",
    "link_request",
    "note_answer",
    "note_foreign_call",
    "nothing_used",
    "observation_source",
    "own_prompt",
    "resume",
    "resume_text",
    "shown",
    "shown_kind",
    "shown_url",
    "span_of",
    "splice_each",
    "steps",
    "unwrap_methods",
    "warn_once",
    "when_imported",
    "with_observation",
    "wrap_function",
    "wrap_methods",
]
