"""Instruments the process: the wrapped methods are set on the SDK's two public client classes.

Azure's clients inherit from them, and so does whatever a library derives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import wrapt

from tracesplice_openai._answer import process_response
from tracesplice_openai._langfuse_openai import observe_generations
from tracesplice_openai._request import arequest, build_request, declare, request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracesplice.adapter import Gateway

__all__ = ["instrument", "uninstrument"]

_WRAPPERS: tuple[tuple[type, str, Callable[..., Any]], ...] = (
    (openai.OpenAI, "request", request),
    (openai.OpenAI, "_build_request", build_request),
    (openai.OpenAI, "_process_response", process_response),
    (openai.AsyncOpenAI, "request", arequest),
    (openai.AsyncOpenAI, "_build_request", build_request),
    (openai.AsyncOpenAI, "_process_response", process_response),
)
_installed: list[tuple[type, str, Any, Any]] = []


def instrument(gateways: Sequence[Gateway]) -> None:
    """Make every client's calls to ``gateways`` carry a link."""
    observe_generations()
    declare(tuple(gateways))
    if not _installed:
        _installed.extend(_install(*each) for each in _WRAPPERS)


def uninstrument() -> None:
    """Undo ``instrument``."""
    declare(())
    while _installed:
        _remove(*_installed.pop())


def _install(owner: type, name: str, wrapper: Callable[..., Any]) -> tuple[type, str, Any, Any]:
    before = vars(owner).get(name)
    ours: Any = wrapt.FunctionWrapper(getattr(owner, name), _as_wrapt(wrapper))
    setattr(owner, name, ours)
    return owner, name, ours, before


def _as_wrapt(wrapper: Callable[..., Any]) -> Callable[..., Any]:
    def call(wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapper(wrapped, instance, *args, **kwargs)

    return call


def _remove(owner: type, name: str, ours: Any, before: Any) -> None:
    if vars(owner).get(name) is not ours:
        return  # somebody wrapped over it; without gateways ours does nothing
    if before is None:
        delattr(owner, name)  # it was inherited
    else:
        setattr(owner, name, before)
