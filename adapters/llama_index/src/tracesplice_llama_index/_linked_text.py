"""Text that was made of a template, and knows the prompt of the template.

LlamaIndex formats a template in many places and calls a model with what came of it: there it is
text or messages. So the prompt travels in the text itself. Nothing has to be remembered, and text
that is never sent links nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.prompts import BasePromptTemplate, SelectorPromptTemplate

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LinkedText", "linked", "prompt_in"]

_PROMPT = "langfuse_prompt"  # in the metadata of a template


class LinkedText(str):
    """Text with the prompt that it was made of; what is made of the text has the prompt too.

    LlamaIndex adds texts to it, formats it, copies it, and stores it with pickle.
    """

    prompt: Any = None  # of one that somebody makes by ``type(text)(...)``

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
        model: The model; which template a selector selects may depend on it.
    """
    if isinstance(value, str):
        return value.prompt if isinstance(value, LinkedText) else None
    if isinstance(value, ChatMessage):
        return _first_prompt([getattr(block, "text", None) for block in value.blocks])
    if isinstance(value, (list, tuple)):
        return _first_prompt(reversed(value))
    return _of_template(value, model) if isinstance(value, BasePromptTemplate) else None


def _first_prompt(values: Iterable[object]) -> Any:
    for value in values:
        prompt = prompt_in(value)
        if prompt is not None:
            return prompt
    return None


def _of_template(template: Any, model: Any) -> Any:
    if isinstance(template, SelectorPromptTemplate):
        return prompt_in(template.select(model), model)
    own = (template.metadata or {}).get(_PROMPT)
    if own is not None:
        return own
    # Its own template may be text of another one's.
    return _first_prompt(
        [getattr(template, name, None) for name in ("template", "message_templates")]
    )


def _text(text: str, prompt: Any) -> str:
    made = LinkedText(text)
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
