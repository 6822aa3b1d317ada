"""Finds the models inside a chain, a binding, a graph."""

from __future__ import annotations

import inspect
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable

from tracesplice_langchain._clients import clients, held_by

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["models_in"]

_MODELS = (BaseLanguageModel, Embeddings)
_FRAMEWORK = ("langchain", "langgraph")


def models_in(target: object) -> list[Any]:
    """Return the models that ``target`` calls, those with an OpenAI client that can be seen.

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
        if isinstance(part, _MODELS) and clients(part):
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
