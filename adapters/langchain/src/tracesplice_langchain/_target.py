"""Splices what the user holds: a model, or a chain, a binding, a graph that models are found in."""

from __future__ import annotations

import inspect
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable

import tracesplice_openai
from tracesplice.adapter import TracespliceError, splice_each
from tracesplice_openai import calls_out_of_sight, clients_of, held_by

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["models_in", "splice", "unsplice"]

_MODELS = (BaseLanguageModel, Embeddings)
_FRAMEWORK = ("langchain", "langgraph")
_INSTRUMENT = 'tracesplice.instrument(gateway="http://localhost:4000")'


def splice(target: object) -> bool | None:
    """Splice every client that ``target``, or a model in it, can call a gateway through.

    And models whose clients are out of sight, such as LiteLLM's.

    Raises:
        TracespliceError: There is no such client.
    """
    if not isinstance(target, (Runnable, Embeddings)):
        return None
    found = _found_in(target)
    if not found:
        raise TracespliceError(_without_client(target))
    # A fallback, say, that goes to the provider itself is right to be left out.
    splice_each(found, tracesplice_openai.splice_found)
    return True


def unsplice(target: object) -> bool | None:
    """Put ``target``, or the models in it, back to what they were."""
    if not isinstance(target, (Runnable, Embeddings)):
        return None
    for each in _found_in(target):
        tracesplice_openai.unsplice_found(each)
    return True


def _found_in(target: object) -> list[Any]:
    models = models_in(target)
    found = [client for model in models for client in clients_of(model)]
    found += [model for model in models if calls_out_of_sight(model)]
    return list({id(each): each for each in found}.values())


def _without_client(target: object) -> str:
    kind = type(target).__name__
    if isinstance(target, (BaseLanguageModel, Embeddings)):
        return (
            f"This {kind} has no OpenAI client to splice. Pass a real one, where it takes one. A "
            f"model that makes its clients out of sight calls your gateway too: type {_INSTRUMENT}"
        )
    return (
        f"No model was found in this {kind}. Splice the model before you build with it: "
        'llm = tracesplice.splice(ChatOpenAI(base_url="http://localhost:4000", ...)). '
        f"Where it is made out of your reach, type {_INSTRUMENT}"
    )


def models_in(target: object) -> list[Any]:
    """Return the models that ``target`` calls, those whose calls can be spliced.

    Looks into what LangChain's and LangGraph's own objects hold, and into the functions in them: a
    node of a graph is a function that knows its model as a variable of the place it was defined in.
    """
    found: list[Any] = []
    seen: set[int] = set()
    todo: list[Any] = [target]
    while todo:
        part = todo.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, _MODELS) and (clients_of(part) or calls_out_of_sight(part)):
            found.append(part)
        todo.extend(_parts(part))
    return found


def _parts(part: Any) -> Iterable[Any]:
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, (list, tuple, set, frozenset)):
        return part
    if isinstance(part, partial):
        return part.func, part.args, part.keywords
    if isinstance(part, MethodType):
        return part.__func__, *held_by(part.__self__)
    if isinstance(part, FunctionType):
        return _used_by(part)
    return held_by(part) if _is_framework(part) else ()


def _is_framework(part: Any) -> bool:
    if isinstance(part, type):
        return False
    return isinstance(part, (Runnable, Embeddings)) or type(part).__module__.startswith(_FRAMEWORK)


def _used_by(function: FunctionType) -> list[Any]:
    try:
        variables = inspect.getclosurevars(inspect.unwrap(function))
    except (TypeError, ValueError):
        return []
    own = [each for each in variables.nonlocals.values() if not isinstance(each, type)]
    shared = [each for each in variables.globals.values() if _is_worth_it(each, function)]
    return own + shared


def _is_worth_it(value: Any, user: FunctionType) -> bool:
    # From global to global one would soon be through every library there is.
    if isinstance(value, FunctionType):
        return value.__module__ == user.__module__
    return isinstance(value, (Runnable, Embeddings))
