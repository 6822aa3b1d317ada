"""The wrappers that ``_repair`` puts around LlamaIndex's methods."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram

from tracesplice.adapter import (
    afirst_read_in,
    first_read_in,
    guarded,
    is_instrumented,
    warn_once,
)
from tracesplice_llama_index._asked import as_asked_here
from tracesplice_llama_index._mark import is_marked, mark_again, splice_client
from tracesplice_llama_index._observation import under_observation
from tracesplice_llama_index._template_link import linked_to_template

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    # What to make current around a call; it gets the owner of the method and the arguments.
    Link = Callable[..., AbstractContextManager[None]]

__all__ = [
    "acall",
    "call",
    "get_client",
    "of_nothing",
    "of_observation",
    "of_program",
    "of_prompt",
    "of_structured_prompt",
    "set_state",
]

_HOLDERS = (StructuredLLM, FunctionCallingProgram, LLMTextCompletionProgram)
_NO_MODEL = (
    "tracesplice: %s does not say which model it calls in this version of LlamaIndex, so the "
    "prompt of its template is not linked. Please report it with the version of llama-index-core."
)


def call(link: Link, *, lazy: bool = False) -> Callable[..., Any]:
    """Wrap a synchronous method; a ``lazy`` one returns a stream that sends its request later."""

    def method(wrapped: Callable[..., Any], owner: Any, args: Any, kwargs: Any) -> Any:
        if not _is_ours(owner):
            return wrapped(*args, **kwargs)
        with link(owner, *args, **kwargs):
            answer = wrapped(*args, **kwargs)
            return first_read_in(_as_asked_here(), answer) if lazy else answer

    return method


def acall(link: Link, *, lazy: bool = False) -> Callable[..., Any]:
    """Wrap an asynchronous method, as ``call`` does a synchronous one."""

    async def method(wrapped: Callable[..., Any], owner: Any, args: Any, kwargs: Any) -> Any:
        if not _is_ours(owner):
            return await wrapped(*args, **kwargs)
        with link(owner, *args, **kwargs):
            answer = await wrapped(*args, **kwargs)
            return afirst_read_in(_as_asked_here(), answer) if lazy else answer

    return method


def get_client(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which a model makes its client."""
    client = wrapped(*args, **kwargs)
    splice_client(model, client)
    return client


def set_state(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which a model is unpickled: it makes itself anew, without the mark."""
    wrapped(*args, **kwargs)
    mark_again(model, *args)


def of_nothing(_owner: object, /, *_: object, **__: object) -> AbstractContextManager[None]:
    """Make nothing current."""
    return nullcontext()


def of_observation(_owner: object, /, *_: object, **__: object) -> AbstractContextManager[None]:
    """Make the span of the call itself current."""
    return under_observation()


def of_prompt(
    model: Any, /, prompt: Any = None, *_: object, **__: object
) -> AbstractContextManager[None]:
    """Make the prompt of the first argument current."""
    return linked_to_template(prompt, model)


def of_structured_prompt(
    model: Any, /, _output_cls: object = None, prompt: Any = None, *_: object, **__: object
) -> AbstractContextManager[None]:
    """Make the prompt of the second argument current."""
    return linked_to_template(prompt, model)


def of_program(program: Any, /, *_: object, **__: object) -> AbstractContextManager[None]:
    """Make the prompt of a program's template current."""
    return linked_to_template(program.prompt, _model(program))


@guarded("the place of a LlamaIndex call")
def _is_ours(owner: Any) -> bool:
    return is_instrumented() or is_marked(_model(owner))


def _model(owner: Any) -> Any:
    if not isinstance(owner, _HOLDERS):
        return owner
    # A structured model says in public which model it has, a program does not
    # (https://github.com/run-llama/llama_index/tree/main/llama-index-core/llama_index/core/program).
    held = getattr(owner, "llm", None) or getattr(owner, "_llm", None)
    if held is None:
        warn_once("llama_index:_llm", _NO_MODEL, type(owner).__name__)
    return held or owner


def _as_asked_here() -> AbstractContextManager[None]:
    return _guarded_as_asked_here() or nullcontext()


_guarded_as_asked_here = guarded("the place of a LlamaIndex stream")(as_asked_here)
