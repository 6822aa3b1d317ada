"""Text that was made of a template, and knows the prompt of the template.

LlamaIndex formats a template in many places and calls a model with what came of it: there it is
text or messages. So the text itself says which prompt it is of. Nothing has to be remembered, and
text that is never sent links nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.prompts import BasePromptTemplate, SelectorPromptTemplate

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["linked", "prompt_in", "prompt_of_call"]

_PROMPT = "langfuse_prompt"


class _LinkedText(str):
    """Text of a template with a prompt; what LlamaIndex puts it into keeps the prompt."""

    prompt: Any = None  # as LlamaIndex makes one, by the type of another

    def __add__(self, other: str) -> str:
        return _text(super().__add__(other), self.prompt)

    def __radd__(self, other: object) -> str:
        return _text(other + str(self), self.prompt) if isinstance(other, str) else NotImplemented

    def format(self, *args: object, **kwargs: object) -> str:
        return _text(super().format(*args, **kwargs), self.prompt)

    def __deepcopy__(self, _memo: object) -> str:
        return self

    def __reduce__(self) -> Any:
        # Whoever unpickles it may not have this module.
        return str, (str(self),)


def linked(made: Any, prompt: Any) -> Any:
    """Return text or messages with the prompt that they were made of; ``made`` stays as it is."""
    if isinstance(made, str):
        return _text(made, prompt) if prompt_in(made) is None else made
    return [_message(each, prompt) for each in made]


def prompt_in(value: object, model: Any = None) -> Any:
    """Return the prompt of what a model is called with, or None.

    Args:
        value: A template, text, a message, or messages: of them the last one that has a prompt.
        model: The model; a template may depend on it.
    """
    if isinstance(value, BasePromptTemplate):
        return _of_template(value, model)
    if isinstance(value, ChatMessage):
        return _first(getattr(block, "text", None) for block in value.blocks)
    if isinstance(value, (list, tuple)):
        return _first(each for each in reversed(value) if isinstance(each, (str, ChatMessage)))
    return value.prompt if isinstance(value, _LinkedText) else None


def prompt_of_call(model: Any, args: Iterable[object], kwargs: dict[str, object]) -> Any:
    """Return the prompt that a model's call is linked to by its arguments, or None.

    Where it gets a template, the other arguments are the template's values.
    """
    values = (*args, *kwargs.values())
    templates = (each for each in values if isinstance(each, BasePromptTemplate))
    template = next(templates, None)
    return _first(values) if template is None else prompt_in(template, model)


def _of_template(template: Any, model: Any) -> Any:
    if isinstance(template, SelectorPromptTemplate):
        return prompt_in(template.select(model), model)
    own = (template.metadata or {}).get(_PROMPT)
    if own is not None:
        return own
    # Its own template may be text of another one's.
    return _first(getattr(template, name, None) for name in ("template", "message_templates"))


def _first(values: Iterable[object]) -> Any:
    found = (prompt_in(each) for each in values)
    return next((each for each in found if each is not None), None)


def _text(text: str, prompt: Any) -> str:
    made = _LinkedText(text)
    made.prompt = prompt
    return made


def _message(message: ChatMessage, prompt: Any) -> ChatMessage:
    # A copy: it may be the user's, put in the place of a placeholder.
    blocks = [
        block.model_copy(update={"text": linked(block.text, prompt)})
        if isinstance(block, TextBlock)
        else block
        for block in message.blocks
    ]
    return message.model_copy(update={"blocks": blocks})
