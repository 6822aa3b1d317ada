"""A chat template with places for whole messages, which LlamaIndex's own does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import ChatPromptTemplate

if TYPE_CHECKING:
    from llama_index.core.base.llms.base import BaseLLM

__all__ = ["chat_template", "message", "placeholder"]

_NAME = "placeholder"


class _ChatTemplate(ChatPromptTemplate):
    """A ``ChatPromptTemplate`` in which ``placeholder`` stands for the messages of that name."""

    def format_messages(self, llm: BaseLLM | None = None, **kwargs: Any) -> list[ChatMessage]:
        given = {**self.kwargs, **kwargs}
        messages: list[ChatMessage] = []
        for each in super().format_messages(llm=llm, **kwargs):
            name = each.additional_kwargs.get(_NAME)
            messages.extend([each] if name is None else given.get(name) or ())
        return messages


def chat_template(parts: list[ChatMessage], metadata: dict[str, Any]) -> ChatPromptTemplate:
    """Return the template of ``parts``, each made by ``message`` or ``placeholder``."""
    make: Any = _ChatTemplate  # a type checker takes its arguments for those of a plain model
    template: ChatPromptTemplate = make(parts, metadata=metadata)
    return template


def message(role: str, content: str) -> ChatMessage:
    """Return the template of one message."""
    return ChatMessage(role=role, content=content)


def placeholder(name: str) -> ChatMessage:
    """Return what stands for the messages ``name`` in a template."""
    return ChatMessage(role="user", content="", additional_kwargs={_NAME: name})
