"""Links the calls of a model to the prompt of what it is called with: a template, text, messages.

The prompt becomes the ambient one around the call, so that it is on the span that OpenInference
makes for the call, too.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes
from llama_index.core.prompts import BasePromptTemplate
from opentelemetry import trace

from tracesplice.adapter import guarded, in_context
from tracesplice_llama_index._linked_text import prompt_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context

__all__ = ["acall", "call"]


def call(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method that calls a model."""
    prompt = _prompt_of_call(model, args, kwargs)
    if prompt is None:
        return wrapped(*args, **kwargs)
    with _ambient(prompt):
        return wrapped(*args, **kwargs)


def acall(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap an asynchronous method that calls a model."""
    prompt = _prompt_of_call(model, args, kwargs)
    answer = wrapped(*args, **kwargs)
    return answer if prompt is None else _under(prompt, answer)


async def _under(prompt: Any, answer: Awaitable[Any]) -> Any:
    with _ambient(prompt):
        return await answer


@guarded("the prompt of a template")
def _prompt_of_call(model: Any, args: Any, kwargs: Any) -> Any:
    prompt = None
    for each in (*args, *kwargs.values()):
        if isinstance(each, BasePromptTemplate):  # the other arguments are its values
            return prompt_in(each, model)
        if prompt is None:
            prompt = prompt_in(each)
    return prompt


def _ambient(prompt: Any) -> AbstractContextManager[None]:
    context = _context_with(prompt)
    return nullcontext() if context is None else in_context(context)


@guarded("the prompt of a template")
def _context_with(prompt: Any) -> Context:
    # `propagate_attributes` writes on the current span as well, which may be a generation of the
    # user's own around several calls.
    current = trace.get_current_span()
    nowhere = trace.set_span_in_context(trace.INVALID_SPAN)
    with in_context(nowhere), propagate_attributes(prompt=prompt):
        return trace.set_span_in_context(current)
