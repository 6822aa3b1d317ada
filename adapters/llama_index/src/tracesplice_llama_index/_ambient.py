"""Makes a prompt the ambient one, for the calls that are made of its template."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes
from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice.adapter import guarded
from tracesplice_llama_index._linked import prompt_of_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context

__all__ = ["under_prompt_of_call"]


@contextmanager
def under_prompt_of_call(model: Any, args: Any, kwargs: Any) -> Iterator[None]:
    """Make the prompt of what ``model`` is called with the ambient one; without one, do nothing."""
    with ExitStack() as around:
        _enter(around, model, args, kwargs)
        yield


@guarded("the prompt of a template")
def _enter(around: ExitStack, model: Any, args: Any, kwargs: Any) -> None:
    prompt = prompt_of_call(model, args, kwargs)
    if prompt is not None:
        token = otel_context.attach(_with_ambient(prompt))
        around.callback(otel_context.detach, token)


def _with_ambient(prompt: Any) -> Context:
    # `propagate_attributes` writes on the current span as well, which may be a generation of the
    # user's own around several calls.
    current = trace.get_current_span()
    token = otel_context.attach(trace.set_span_in_context(trace.INVALID_SPAN))
    try:
        with propagate_attributes(prompt=prompt):
            return trace.set_span_in_context(current)
    finally:
        otel_context.detach(token)
