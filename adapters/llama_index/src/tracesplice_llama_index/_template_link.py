"""Makes the prompt of a template the ambient one, for the calls that are made of the template."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes
from llama_index.core.prompts import SelectorPromptTemplate
from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice.adapter import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context

__all__ = ["linked_to_template"]

_PROMPT = "langfuse_prompt"


@contextmanager
def linked_to_template(template: Any, model: Any) -> Iterator[None]:
    """Make the prompt in the metadata of ``template`` the ambient one.

    Args:
        template: A template of LlamaIndex's; one without a prompt changes nothing.
        model: The model it is for.
    """
    with ExitStack() as around:
        _enter(around, template, model)
        yield


@guarded("the prompt of a template")
def _enter(around: ExitStack, template: Any, model: Any) -> None:
    if isinstance(template, SelectorPromptTemplate):
        template = template.select(model)
    prompt = (getattr(template, "metadata", None) or {}).get(_PROMPT)
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
