"""The runs that a call belongs to: the one that it is made in, the one that a model is asked for.

LangChain keeps the run in the config that it hands down to what is called inside it. Langfuse's
handler makes the run's observation current in synchronous code alone, and other handlers do not at
all. So these runs count for every call that is linked, whichever client makes it.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import ref

# LangGraph, too, sets this variable for what is called inside a node
# (https://github.com/langchain-ai/langchain/blob/master/libs/core/langchain_core/runnables/config.py).
from langchain_core.runnables.config import var_child_runnable_config
from langfuse import propagate_attributes
from opentelemetry import trace

from tracesplice.adapter import as_current, guarded, in_context, own_prompt
from tracesplice_langchain._handlers import langfuse_handlers, span_of_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from uuid import UUID

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = [
    "as_run",
    "note_run",
    "observation_at_work",
    "run_at_work",
    "run_for",
    "take_run",
    "values_at_work",
]

# What Langfuse's handler reads from the metadata of a chain
# (https://langfuse.com/integrations/frameworks/langchain).
_TEXTS = {
    "langfuse_user_id": "user_id",
    "langfuse_session_id": "session_id",
    "langfuse_trace_name": "trace_name",
}

# Nothing else can say it: `stream` starts the run and calls `_stream` without it, what `_stream` is
# given besides goes to the provider, and a model serves many calls at once. A weak reference: the
# context may live for long, and a run that has ended is nobody's.
_noted: ContextVar[ref[Any] | None] = ContextVar("tracesplice_langchain_run", default=None)


def run_at_work() -> Any:
    """Return the callback manager for what the run at work here calls, or None."""
    config = var_child_runnable_config.get()
    manager: Any = config.get("callbacks") if config else None
    return None if getattr(manager, "parent_run_id", None) is None else manager


def observation_at_work() -> Span | None:
    """Return the span of the run at work here, or None."""
    manager = run_at_work()
    return None if manager is None else span_of_run(manager.handlers, manager.parent_run_id)


def values_at_work() -> Mapping[str, Any] | None:
    """Return what the metadata of the run at work here says of user, session, tags and prompt."""
    manager = run_at_work()
    if manager is None:
        return None
    tags = manager.inheritable_tags if langfuse_handlers(manager.handlers) else ()
    return _trace_attributes(manager.metadata or {}, tags)


def _trace_attributes(metadata: Mapping[str, Any], tags_of_chain: Any = ()) -> dict[str, Any]:
    """Read metadata as Langfuse's handler does.

    Args:
        metadata: A run's.
        tags_of_chain: LangChain's tags, which that handler takes for trace tags too.

    Returns:
        What is there, by the names that ``langfuse.propagate_attributes`` has for it.
    """
    found: dict[str, Any] = {}
    for key, name in _TEXTS.items():
        if isinstance(metadata.get(key), str):
            found[name] = metadata[key]
    tags = metadata.get("langfuse_tags")
    if isinstance(tags, list) or tags_of_chain:
        found["tags"] = [*map(str, tags if isinstance(tags, list) else ()), *tags_of_chain]
    if metadata.get("langfuse_prompt") is not None:
        found["prompt"] = metadata["langfuse_prompt"]
    return found


def run_for(args: Any, kwargs: Any, name: str = "run_manager") -> Any:
    """Return the run, or runs, that a method of a model is told, or None.

    Args:
        args: The method's arguments.
        kwargs: Those given by name.
        name: The name of the argument; it is the third one in all these methods.
    """
    return kwargs[name] if name in kwargs else next(iter(args[2:3]), None)


def note_run(run: Any) -> None:
    """Note the run that a chat model is about to be asked for in this context."""
    _noted.set(None if run is None else ref(run))


def take_run() -> Any:
    """Return the manager of the run that was noted in this context, or None.

    A run is handed out once, so that a call made without LangChain does not find an old one.
    """
    noted = _noted.get()
    if noted is None:
        return None
    _noted.set(None)
    return noted()


def as_run(run: Any, run_id: UUID) -> AbstractContextManager[Any]:
    """Return what makes a run current: its observation, its trace attributes, its prompt.

    Args:
        run: A callback manager of the run, or for what the run calls.
        run_id: The run.
    """
    span = span_of_run(run.handlers, run_id)
    attributes = _attributes(run, span)
    place = nullcontext() if span is None else as_current(span)
    return _with(attributes, span, place) if attributes else place


@contextmanager
def _with(
    attributes: Mapping[str, Any], span: Span | None, place: AbstractContextManager[Any]
) -> Iterator[None]:
    context = _context_with(attributes, span)
    with place if context is None else in_context(context):
        yield


@guarded("the user, session, tags and prompt of a LangChain run")
def _context_with(attributes: Mapping[str, Any], span: Span | None) -> Context:
    # `propagate_attributes` writes on the current span as well: on the run's own, but not on one
    # around it, which is of other calls, too.
    own = trace.INVALID_SPAN if span is None else span
    current = trace.get_current_span() if span is None else span
    with in_context(trace.set_span_in_context(own)), propagate_attributes(**attributes):
        return trace.set_span_in_context(current)


def _attributes(run: Any, span: Span | None) -> dict[str, Any]:
    found = _trace_attributes(run.metadata or {}, _tags_of_chain(run))
    # A template's prompt is on the generation already, and nearer than one on the whole chain. It
    # has to be ambient as well, for the generation that langfuse.openai may make in this one.
    own = None if span is None else own_prompt(span)
    if own is not None:
        found["prompt"] = {"name": own.name, "version": own.version}
    return found


def _tags_of_chain(run: Any) -> list[str]:
    # Langfuse's handler takes LangChain's own tags of a chain for trace tags too; those of the
    # model alone, which LangGraph knows some special ones of, it does not.
    chain = run_at_work()
    inside = chain is not None and chain.parent_run_id == run.parent_run_id
    return list(chain.inheritable_tags) if inside and langfuse_handlers(run.handlers) else []
