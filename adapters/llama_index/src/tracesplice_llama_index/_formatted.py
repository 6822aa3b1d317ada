"""The methods in which LlamaIndex formats templates, or puts their text into something.

A template does not pass on what is in its metadata, neither where a model gets the template nor
where something else formats it and a model gets the text. Wrapped, the methods below make text that
knows its prompt (``_linked_text``), and keep it where pydantic would make plain text of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice.adapter import guarded
from tracesplice_llama_index._linked_text import linked, prompt_in

if TYPE_CHECKING:
    from collections.abc import Callable

    _Method = Callable[..., Any]

__all__ = ["format_template", "make_agent", "make_message", "make_template"]


def format_template(wrapped: _Method, template: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method in which a template is formatted."""
    made = wrapped(*args, **kwargs)
    with_prompt = _with_prompt(made, template)
    return made if with_prompt is None else with_prompt


def make_template(wrapped: _Method, template: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the ``__init__`` of a text template; some take its text and format that themselves."""
    wrapped(*args, **kwargs)
    _keep_prompt(template, *args, **kwargs)


def make_message(wrapped: _Method, message: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the ``__init__`` of a message."""
    wrapped(*args, **kwargs)
    content = args[0] if args else kwargs.get("content")
    if isinstance(content, str) and type(content) is not str:
        _keep_content(message, content)


def make_agent(wrapped: _Method, agent: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the ``__init__`` of an agent."""
    wrapped(*args, **kwargs)
    _keep_system_prompt(agent, *args, **kwargs)


@guarded("the prompt of a template")
def _with_prompt(made: Any, template: Any) -> Any:
    prompt = prompt_in(template)
    return None if prompt is None else linked(made, prompt)


@guarded("the prompt of a template")
def _keep_prompt(made: Any, template: object = None, *_: object, **__: object) -> None:
    prompt = prompt_in(made)
    if prompt is None:
        prompt = prompt_in(template)
    if prompt is not None:
        made.template = linked(made.template, prompt)


@guarded("the prompt of a message")
def _keep_content(message: Any, content: str) -> None:
    if prompt_in(content) is not None:
        message.blocks[0].text = content


@guarded("the prompt of an agent")
def _keep_system_prompt(
    agent: Any,
    _name: object = None,
    _description: object = None,
    system_prompt: object = None,
    *_: object,
    **__: object,
) -> None:
    if prompt_in(system_prompt) is not None:
        agent.system_prompt = system_prompt
