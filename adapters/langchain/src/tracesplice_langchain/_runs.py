"""Knows which run LangChain is about to ask a chat model for.

``stream`` and ``astream`` do not tell the model's ``_stream`` which run it is for. They start the
run in the same context right before, through the public method that is wrapped here
(https://github.com/langchain-ai/langchain/blob/master/libs/core/langchain_core/language_models/chat_models.py).
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import ref

import wrapt
from langchain_core.callbacks import AsyncCallbackManager, CallbackManager

from tracesplice.adapter import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["note_run", "note_started_runs", "take_run"]

# The context may live for long; what handlers hold on to should not.
_noted: ContextVar[ref[Any] | None] = ContextVar("tracesplice_langchain_run", default=None)


def note_started_runs() -> None:
    """Note the runs of chat models as they start."""
    wrapt.wrap_function_wrapper(CallbackManager, "on_chat_model_start", _on_start)
    wrapt.wrap_function_wrapper(AsyncCallbackManager, "on_chat_model_start", _on_astart)


@guarded("the LangChain run a call belongs to")
def note_run(run: Any) -> None:
    """Note the run that a chat model is about to be asked for in this context."""
    _noted.set(None if run is None else ref(run))


@guarded("the LangChain run a call belongs to")
def take_run() -> Any:
    """Return the manager of the run that was noted in this context, or None.

    A run is handed out once, so that a call made without LangChain does not find an old one.
    """
    noted = _noted.get()
    if noted is None:
        return None
    _noted.set(None)
    return noted()


def _on_start(wrapped: Callable[..., Any], _manager: Any, args: Any, kwargs: Any) -> Any:
    runs = wrapped(*args, **kwargs)
    _note_started(runs)
    return runs


async def _on_astart(wrapped: Callable[..., Any], _manager: Any, args: Any, kwargs: Any) -> Any:
    runs = await wrapped(*args, **kwargs)
    _note_started(runs)
    return runs


@guarded("the LangChain run a call belongs to")
def _note_started(runs: list[Any]) -> None:
    # Of several inputs each is told its run.
    note_run(runs[0] if len(runs) == 1 else None)
