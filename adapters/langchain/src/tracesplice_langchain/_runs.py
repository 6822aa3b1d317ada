"""Knows which run a call belongs to."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import ref

import wrapt
from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackManager, CallbackManager
from langchain_core.runnables import ensure_config

from tracesplice.adapter import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["enclosing_run", "note_runs", "take_run"]

_started: ContextVar[deque[Any]] = ContextVar("tracesplice_langchain_runs")
_noting = False


def note_runs() -> None:
    """Note the runs of chat models as they start.

    ``stream`` and ``astream``, and ``invoke`` where it streams, do not tell the model's ``_stream``
    which run it is for. They start the run in the same context right before, through the public
    method that is wrapped here
    (https://github.com/langchain-ai/langchain/blob/master/libs/core/langchain_core/language_models/chat_models.py).
    """
    global _noting
    if not _noting:
        _noting = True
        wrapt.wrap_function_wrapper(CallbackManager, "on_chat_model_start", _on_start)
        wrapt.wrap_function_wrapper(AsyncCallbackManager, "on_chat_model_start", _on_astart)


@guarded("the LangChain run a call belongs to")
def take_run() -> Any:
    """Return the manager of the run started in this context that was not asked for yet, or None.

    A run is handed out once, so that a call made without LangChain does not find an old one.
    """
    runs = _started.get(None)
    return runs.popleft()() if runs else None


def enclosing_run() -> Any:
    """Return the callback manager of the runnable that is at work in this context, or None."""
    manager = ensure_config().get("callbacks")
    return manager if isinstance(manager, BaseCallbackManager) else None


def _on_start(wrapped: Callable[..., Any], _manager: Any, args: Any, kwargs: Any) -> Any:
    runs = wrapped(*args, **kwargs)
    _note(runs)
    return runs


async def _on_astart(wrapped: Callable[..., Any], _manager: Any, args: Any, kwargs: Any) -> Any:
    runs = await wrapped(*args, **kwargs)
    _note(runs)
    return runs


@guarded("the LangChain run a call belongs to")
def _note(runs: list[Any]) -> None:
    # The context may live for long; what handlers hold on to should not.
    _started.set(deque(ref(run) for run in runs))
