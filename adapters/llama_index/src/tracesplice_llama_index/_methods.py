"""The wrappers that ``_repair`` puts around LlamaIndex's methods."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from llama_index.core.prompts import SelectorPromptTemplate

from tracesplice.adapter import afirst_read_in, first_read_in, guarded
from tracesplice_llama_index._ambient import under_prompt_of_call
from tracesplice_llama_index._asked import as_asked_here
from tracesplice_llama_index._linked import linked, prompt_in
from tracesplice_llama_index._mark import mark_again, splice_client

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    _Wrapped = Callable[..., Any]

__all__ = [
    "acall",
    "astream",
    "call",
    "get_client",
    "make_agent",
    "make_message",
    "make_of_template",
    "make_template",
    "set_state",
    "stream",
]


def call(wrapped: _Wrapped, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a synchronous call of a model: it is linked to the prompt it is made of."""
    with under_prompt_of_call(model, args, kwargs):
        return wrapped(*args, **kwargs)


async def acall(wrapped: _Wrapped, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap an asynchronous call of a model, as ``call`` does a synchronous one."""
    with under_prompt_of_call(model, args, kwargs):
        return await wrapped(*args, **kwargs)


def stream(wrapped: _Wrapped, _owner: Any, args: Any, kwargs: Any) -> Any:
    """Wrap what returns a stream that sends its request later: it belongs where it is asked for."""
    return first_read_in(_place(), wrapped(*args, **kwargs))


async def astream(wrapped: _Wrapped, _owner: Any, args: Any, kwargs: Any) -> Any:
    """Wrap an asynchronous method, as ``stream`` does a synchronous one."""
    return afirst_read_in(_place(), await wrapped(*args, **kwargs))


def get_client(wrapped: _Wrapped, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which a model makes its client."""
    client = wrapped(*args, **kwargs)
    splice_client(model, client)
    return client


def set_state(wrapped: _Wrapped, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which a model is unpickled: it makes itself anew, without the mark."""
    wrapped(*args, **kwargs)
    mark_again(model, *args)


def make_of_template(wrapped: _Wrapped, template: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the methods in which a template is formatted."""
    made = wrapped(*args, **kwargs)
    with_prompt = _with_prompt(made, template)
    return made if with_prompt is None else with_prompt


def make_template(wrapped: _Wrapped, template: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which a text template is made: its text is used by itself, too."""
    wrapped(*args, **kwargs)
    _keep_prompt(template, *args, **kwargs)


def make_agent(wrapped: _Wrapped, agent: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which an agent is made: pydantic turns its text into plain text."""
    wrapped(*args, **kwargs)
    _keep_system_prompt(agent, *args, **kwargs)


def make_message(wrapped: _Wrapped, message: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which a message is made, as ``make_agent`` does that of an agent."""
    wrapped(*args, **kwargs)
    content = args[0] if args else kwargs.get("content")
    if isinstance(content, str) and type(content) is not str:
        _keep_text(message, content)


@guarded("the prompt of a template")
def _with_prompt(made: Any, template: Any) -> Any:
    if isinstance(template, SelectorPromptTemplate):  # the template that it selects was asked
        return None
    prompt = prompt_in(template)
    return None if prompt is None else linked(made, prompt)


@guarded("the prompt of a template")
def _keep_prompt(made: Any, template: object = None, *_: object, **__: object) -> None:
    prompt = prompt_in(made)
    if prompt is None:
        prompt = prompt_in(template)
    if prompt is not None:
        made.template = linked(made.template, prompt)


@guarded("the prompt of an agent")
def _keep_system_prompt(
    agent: Any,
    _name: object = None,
    _about: object = None,
    system_prompt: object = None,
    *_: object,
    **__: object,
) -> None:
    if prompt_in(system_prompt) is not None:
        agent.system_prompt = system_prompt


@guarded("the prompt of a message")
def _keep_text(message: Any, content: str) -> None:
    if prompt_in(content) is not None:
        message.blocks[0].text = content


def _place() -> AbstractContextManager[None]:
    return _guarded_as_asked_here() or nullcontext()


_guarded_as_asked_here = guarded("the place of a LlamaIndex stream")(as_asked_here)
