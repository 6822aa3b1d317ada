"""Langfuse prompts as LangChain templates that carry their link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from tracesplice.adapter import langfuse_prompt

if TYPE_CHECKING:
    from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
    from langfuse.model import ChatPromptClient, TextPromptClient

__all__ = ["prompt_template"]


@overload
def prompt_template(prompt: ChatPromptClient) -> ChatPromptTemplate: ...
@overload
def prompt_template(prompt: TextPromptClient) -> PromptTemplate: ...


def prompt_template(prompt: object) -> ChatPromptTemplate | PromptTemplate:
    """Turn a Langfuse prompt into a LangChain template.

    Generations made from it are linked to the prompt's version. It renders as the prompt's own
    ``compile`` does. Placeholders become ``MessagesPlaceholder``, variables those of the template.

    Args:
        prompt: What ``langfuse.get_prompt`` returned.

    Returns:
        A ``ChatPromptTemplate`` for a chat prompt, a ``PromptTemplate`` for a text prompt.

    Raises:
        TracespliceError: ``prompt`` is no Langfuse prompt.
    """
    # Imported here so that the adapter itself loads without LangChain.
    from langchain_core.prompts import ChatPromptTemplate

    from tracesplice_langchain._rendering import LangfuseTemplate, message_template

    text_or_parts: Any = langfuse_prompt(prompt).prompt
    metadata = {"langfuse_prompt": prompt}
    if isinstance(text_or_parts, str):
        return LangfuseTemplate(text=text_or_parts, metadata=metadata)  # type: ignore[call-arg]
    return ChatPromptTemplate([message_template(part) for part in text_or_parts], metadata=metadata)
