"""The methods in which LlamaIndex formats templates, or puts their text into something.

A template does not pass on what is in its metadata, neither where a model gets the template nor
where something else formats it and a model gets the text. Wrapped, the methods below make text that
knows its prompt (``_linked_text``), and keep it where pydantic would make plain text of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice.adapter import guarded
from tracesplice_llama_index._linked_text import LinkedText, linked, prompt_in

if TYPE_CHECKING:
    from collections.abc import Callable

    _Method = Callable[..., Any]

__all__ = ["format_template", "keep_text", "make_template"]


def format_template(wrapped: _Method, template: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method in which a template is formatted."""
    made = wrapped(*args, **kwargs)
    with_prompt = _with_prompt(made, template)
    return made if with_prompt is None else with_prompt


def keep_text(wrapped: _Method, made: Any, args: Any, kwargs: Any) -> None:
    """Wrap the ``__init__`` of a class of pydantic's that text of a template is put into."""
    wrapped(*args, **kwargs)
    for each in (*args, *kwargs.values()):
        if isinstance(each, LinkedText):
            _put_back(made, each)


def make_template(wrapped: _Method, template: Any, args: Any, kwargs: Any) -> None:
    """Wrap the ``__init__`` of a text template; some take its text and format that themselves."""
    keep_text(wrapped, template, args, kwargs)
    _link_text_of(template)


@guarded("the prompt of a template")
def _with_prompt(made: Any, template: Any) -> Any:
    prompt = prompt_in(template)
    return None if prompt is None else linked(made, prompt)


@guarded("the prompt of a text")
def _put_back(made: Any, text: LinkedText) -> None:
    for holder in (made, *getattr(made, "blocks", ())):  # a message has it in a block
        for name, value in vars(holder).items():
            if type(value) is str and value == text:
                vars(holder)[name] = text


@guarded("the prompt of a template")
def _link_text_of(template: Any) -> None:
    prompt = prompt_in(template)
    if prompt is not None:
        template.template = linked(str(template.template), prompt)
