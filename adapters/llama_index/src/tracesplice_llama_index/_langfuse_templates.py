"""LlamaIndex templates that are formatted as Langfuse does it.

LlamaIndex writes a variable with one brace and takes any text in braces for one. So the templates
keep Langfuse's text, and their text in LlamaIndex's form is for those who look at it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from langfuse.model import TemplateParser
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from llama_index.core.base.llms.base import BaseLLM

__all__ = ["ChatTemplate", "TextTemplate"]

# https://langfuse.com/docs/prompt-management/features/variables
_VARIABLE = re.compile(r"{{\s*([^{}]+?)\s*}}")


class TextTemplate(PromptTemplate):
    """The template of a text prompt."""

    _prompt: str = PrivateAttr()

    def __init__(self, prompt: str, metadata: dict[str, Any]) -> None:
        super().__init__(_shown(prompt), metadata=metadata)
        self._prompt = prompt
        self.template_vars = TemplateParser.find_variable_names(prompt)

    def format(
        self,
        llm: BaseLLM | None = None,
        completion_to_prompt: Callable[[str], str] | None = None,
        **kwargs: Any,
    ) -> str:
        text = _compile(self._prompt, self._map_all_vars({**self.kwargs, **kwargs}))
        if self.output_parser is not None:
            text = self.output_parser.format(text)
        return text if completion_to_prompt is None else completion_to_prompt(text)


class ChatTemplate(ChatPromptTemplate):
    """The template of a chat prompt; LlamaIndex's own has no places for whole messages."""

    _prompt: list[dict[str, Any]] = PrivateAttr()

    def __init__(self, prompt: list[dict[str, Any]], metadata: dict[str, Any]) -> None:
        super().__init__([_shown_message(part) for part in prompt], metadata=metadata)
        self._prompt = prompt
        self.template_vars = [name for part in prompt for name in _variables(part)]

    def format_messages(self, llm: BaseLLM | None = None, **kwargs: Any) -> list[ChatMessage]:
        values = self._map_all_vars({**self.kwargs, **kwargs})
        messages = [each for part in self._prompt for each in _messages(part, values)]
        if self.output_parser is not None:
            messages = self.output_parser.format_messages(messages)
        return messages


def _shown(text: str) -> str:
    return _VARIABLE.sub(r"{\1}", text)


def _shown_message(part: Mapping[str, Any]) -> ChatMessage:
    if _is_placeholder(part):
        return ChatMessage(role="user", content=f"{{{part['name']}}}")
    return ChatMessage(role=part["role"], content=_shown(part["content"]))


def _variables(part: Mapping[str, Any]) -> list[str]:
    if _is_placeholder(part):
        return [part["name"]]
    return TemplateParser.find_variable_names(part["content"])


def _messages(part: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[ChatMessage]:
    if not _is_placeholder(part):
        yield ChatMessage(role=part["role"], content=_compile(part["content"], values))
        return
    for each in values.get(part["name"]) or ():
        yield each if isinstance(each, ChatMessage) else _message(each, values)


def _message(given: Mapping[str, Any], values: Mapping[str, Any]) -> ChatMessage:
    more = {key: value for key, value in given.items() if key not in ("role", "content")}
    content = _compile(given.get("content", ""), values)
    return ChatMessage(role=given["role"], content=content, additional_kwargs=more)


def _is_placeholder(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "placeholder"


def _compile(text: str, values: Mapping[str, Any]) -> str:
    return TemplateParser.compile_template(text, dict(values))
