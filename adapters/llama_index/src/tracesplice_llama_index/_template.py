"""Langfuse prompts as LlamaIndex templates that carry their link."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, overload

from tracesplice.adapter import TracespliceError, shown_kind

if TYPE_CHECKING:
    from langfuse.model import ChatPromptClient, TextPromptClient
    from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate

__all__ = ["prompt_template"]

# Langfuse's way to write a variable; LlamaIndex has one brace, and leaves other braces alone
# (https://langfuse.com/docs/prompt-management/features/variables).
_VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")


@overload
def prompt_template(prompt: ChatPromptClient) -> ChatPromptTemplate: ...
@overload
def prompt_template(prompt: TextPromptClient) -> PromptTemplate: ...


def prompt_template(prompt: object) -> ChatPromptTemplate | PromptTemplate:
    """Turn a Langfuse prompt into a LlamaIndex template.

    Calls that a spliced model makes of it (``predict``, ``structured_predict``, those of a query
    engine, ...) are linked to the prompt's version. Variables become those of the template; for a
    placeholder the template takes a list of ``ChatMessage``, and nothing where it gets none.

    Args:
        prompt: What ``langfuse.get_prompt`` returned.

    Returns:
        A ``ChatPromptTemplate`` for a chat prompt, a ``PromptTemplate`` for a text prompt.

    Raises:
        TracespliceError: ``prompt`` is no Langfuse prompt.
    """
    # Imported here so that the adapter itself loads without LlamaIndex.
    from langfuse.model import ChatPromptClient, TextPromptClient
    from llama_index.core.prompts import PromptTemplate

    if isinstance(prompt, TextPromptClient):
        return PromptTemplate(_text(prompt.prompt), metadata=_link(prompt))
    if isinstance(prompt, ChatPromptClient):
        from tracesplice_llama_index._placeholders import chat_template, message, placeholder

        parts: list[Any] = prompt.prompt
        templates = [
            placeholder(part["name"])
            if part.get("type") == "placeholder"
            else message(part["role"], _text(part["content"]))
            for part in parts
        ]
        return chat_template(templates, _link(prompt))
    raise TracespliceError(
        f"Not a Langfuse prompt: {shown_kind(prompt)}. "
        'Pass what langfuse.get_prompt("name") returns.'
    )


def _text(template: str) -> str:
    return _VARIABLE.sub(r"{\1}", template)


def _link(prompt: Any) -> dict[str, Any]:
    # Not the prompt itself: OpenInference would write all of it on the span of each call.
    if prompt.is_fallback:
        return {}
    return {"langfuse_prompt": {"name": prompt.name, "version": prompt.version}}
