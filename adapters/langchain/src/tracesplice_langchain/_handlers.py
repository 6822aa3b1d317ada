"""Asks the callback handlers of a run for the span they keep for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span

from tracesplice.adapter import span_of, warn_once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

__all__ = ["handlers_of_run", "langfuse_handlers", "span_of_run"]

# Langfuse's map from a run to its observation. It is private, and there is no public way
# (https://github.com/langfuse/langfuse-python/blob/main/langfuse/langchain/CallbackHandler.py).
_RUNS = "_runs"

# Its tracer is a handler too, and says so in public
# (https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-langchain).
_OPENINFERENCE = "openinference."


def span_of_run(handlers: Sequence[Any], run_id: UUID) -> Span | None:
    """Return the client observation of a run, or None where no handler made one.

    Args:
        handlers: The run's callback handlers. Langfuse's come first, whatever their order.
        run_id: The run.
    """
    for handler in langfuse_handlers(handlers):
        span = _kept_by_langfuse(handler, run_id)
        if span is not None:
            return span
    for handler in _openinference_handlers(handlers):
        span = handler.get_span(run_id)
        if isinstance(span, Span):
            return span
    return None


def handlers_of_run(handlers: Sequence[Any], run_id: UUID) -> list[Any]:
    """Return those of a run's callback handlers that may keep an open observation of it."""
    others = _openinference_handlers(handlers)
    kept = [each for each in others if each.get_span(run_id) is not None]
    return [*langfuse_handlers(handlers), *kept]


def langfuse_handlers(handlers: Sequence[Any]) -> list[Any]:
    """Return those of ``handlers`` that are Langfuse's stock handler."""
    module = sys.modules.get("langfuse.langchain")
    if module is None:  # nobody can have made one
        return []
    return [handler for handler in handlers if isinstance(handler, module.CallbackHandler)]


def _openinference_handlers(handlers: Sequence[Any]) -> list[Any]:
    return [each for each in handlers if type(each).__module__.startswith(_OPENINFERENCE)]


def _kept_by_langfuse(handler: Any, run_id: UUID) -> Span | None:
    runs = getattr(handler, _RUNS, None)
    if not isinstance(runs, dict):
        warn_once(
            "langchain:_runs",
            "tracesplice: this version of Langfuse's CallbackHandler does not say which generation "
            "it made for a run; the gateway's generations go under the enclosing span instead. "
            "Please report it with the version of langfuse.",
        )
        return None
    observation = runs.get(run_id)
    return None if observation is None else span_of(observation)
