"""Langfuse prompts as LlamaIndex templates that carry their link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from tracesplice.adapter import langfuse_prompt

if TYPE_CHECKING:
    from langfuse.model import ChatPromptClient, TextPromptClient
    from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate

__all__ = ["prompt_template"]


@overload
def prompt_template(prompt: ChatPromptClient) -> ChatPromptTemplate: ...
@overload
def prompt_template(prompt: TextPromptClient) -> PromptTemplate: ...


def prompt_template(prompt: object) -> ChatPromptTemplate | PromptTemplate:
    """Turn a Langfuse prompt into a LlamaIndex template.

    Formatted, it is what ``prompt.compile`` makes of the same values. Calls that are made of it
    (``predict``, ``structured_predict``, those of a query engine, ...) are linked to the prompt's
    version. For a placeholder the template takes a list of ``ChatMessage`` or of dicts, and
    nothing where it gets none.

    Args:
        prompt: What ``langfuse.get_prompt`` returned.

    Returns:
        A ``ChatPromptTemplate`` for a chat prompt, a ``PromptTemplate`` for a text prompt.

    Raises:
        TracespliceError: ``prompt`` is no Langfuse prompt.
    """
    # Imported here so that the adapter itself loads without LlamaIndex.
    from tracesplice_llama_index._langfuse_templates import ChatTemplate, TextTemplate

    found = langfuse_prompt(prompt)
    parts: Any = found.prompt
    return (TextTemplate if isinstance(parts, str) else ChatTemplate)(parts, _link(found))


def _link(prompt: Any) -> dict[str, Any]:
    # Not the prompt itself: OpenInference would write all of it on the span of each call.
    if prompt.is_fallback:
        return {}
    return {"langfuse_prompt": {"name": prompt.name, "version": prompt.version}}
