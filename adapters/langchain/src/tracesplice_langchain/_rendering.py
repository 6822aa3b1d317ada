"""LangChain templates that fill a text in as Langfuse does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from langchain_core.prompts import (
    AIMessagePromptTemplate,
    ChatMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
    SystemMessagePromptTemplate,
)
from pydantic import Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LangfuseTemplate", "message_template"]

# Whatever stands between two braces and the next two is a variable; all other text is text
# (https://github.com/langfuse/langfuse-python/blob/main/langfuse/model.py, TemplateParser).
_VARIABLE = re.compile(r"{{(.*?)}}", re.DOTALL)
_KINDS: dict[str, Any] = {
    "system": SystemMessagePromptTemplate,
    **dict.fromkeys(("user", "human"), HumanMessagePromptTemplate),
    **dict.fromkeys(("assistant", "ai"), AIMessagePromptTemplate),
}
_FIELD = re.compile(r"[^\W\d][\w -]*")


class LangfuseTemplate(PromptTemplate):
    """A ``PromptTemplate`` of a Langfuse text: ``format`` gives what the prompt's ``compile`` does.

    Attributes:
        text: The text as Langfuse has it. ``template`` is the same in LangChain's own format, for
            what is made of it: it is serialised as a plain ``PromptTemplate``.
    """

    text: str = Field(exclude=True)

    @model_validator(mode="before")
    @classmethod
    def pre_init_validation(cls, values: dict[str, Any]) -> Any:
        """Find the variables, in place of the base's way to do so."""
        text = values["text"]
        given = values.get("partial_variables") or {}
        names = dict.fromkeys(_name(found) for found in _VARIABLE.finditer(text))
        return {
            **values,
            "template": _as_f_string(text),
            "input_variables": [name for name in names if name not in given],
        }

    def format(self, **kwargs: Any) -> str:
        """Fill the text in; a variable that is not given stays as it is."""
        values = self._merge_partial_and_user_variables(**kwargs)
        return _VARIABLE.sub(lambda found: _value(found, values), self.text)

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the id that LangChain loads it by."""
        return PromptTemplate.lc_id()


def message_template(part: Mapping[str, Any]) -> Any:
    """Turn a message or a placeholder of a Langfuse chat prompt into a part of a template."""
    if part["type"] == "placeholder":
        return MessagesPlaceholder(part["name"])
    text: Any = LangfuseTemplate(text=part["content"])  # type: ignore[call-arg]
    kind = _KINDS.get(part["role"])
    if kind is None:
        return ChatMessagePromptTemplate(role=part["role"], prompt=text)
    return kind(prompt=text)


def _name(found: re.Match[str]) -> str:
    return found[1].strip()


def _value(found: re.Match[str], values: Mapping[str, Any]) -> str:
    name = _name(found)
    if name not in values:
        return found[0]
    value = values[name]
    return "" if value is None else str(value)


def _as_f_string(text: str) -> str:
    parts, end = [], 0
    for found in _VARIABLE.finditer(text):
        if _FIELD.fullmatch(_name(found)):  # anything else cannot be said in that format
            parts += [_escaped(text[end : found.start()]), f"{{{_name(found)}}}"]
            end = found.end()
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
