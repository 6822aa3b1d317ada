"""Makes a run current: its observation, and what its metadata says of user, session and prompt."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes
from opentelemetry import trace

from tracesplice.adapter import guarded, is_stored, own_prompt
from tracesplice_langchain._at_work import run_at_work, trace_attributes
from tracesplice_langchain._handlers import langfuse_handlers, span_of_run

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["current", "enclosing"]


@contextmanager
def current(run: Any) -> Iterator[None]:
    """Make the observation of ``run`` the current span, with its trace attributes and prompt.

    Args:
        run: The run's manager; None leaves everything as it is.
    """
    with ExitStack() as around:
        _enter_run(around, run)
        yield


@contextmanager
def enclosing() -> Iterator[None]:
    """Make the runnable that is at work here current, where nothing that Langfuse stores is."""
    with ExitStack() as around:
        _enter_enclosing(around)
        yield


@guarded("the LangChain run a call belongs to")
def _enter_run(around: ExitStack, run: Any) -> None:
    if run is not None:
        _enter(around, run, run.run_id)


@guarded("the LangChain run a call belongs to")
def _enter_enclosing(around: ExitStack) -> None:
    if not is_stored(trace.get_current_span()):
        run = run_at_work()
        if run is not None:
            _enter(around, run, run.parent_run_id)


def _enter(around: ExitStack, run: Any, run_id: Any) -> None:
    span = span_of_run(run.handlers, run_id)
    if span is not None and span is not trace.get_current_span():
        around.enter_context(
            trace.use_span(span, record_exception=False, set_status_on_exception=False)
        )
    attributes = _attributes(run)
    if attributes:
        around.enter_context(propagate_attributes(**attributes))


def _attributes(run: Any) -> dict[str, Any]:
    found = trace_attributes(run.metadata or {}, _tags_of_chain(run))
    # A template's prompt is on the generation already, and nearer than one on the whole chain. It
    # has to be ambient as well, for the generation that langfuse.openai may make in this one.
    own = own_prompt(trace.get_current_span())
    return found if own is None else {**found, "prompt": asdict(own)}


def _tags_of_chain(run: Any) -> list[str]:
    # Langfuse's handler takes LangChain's own tags of a chain for trace tags too; those of the
    # model alone, which LangGraph knows some special ones of, it does not.
    if run.parent_run_id is None or not langfuse_handlers(run.handlers):
        return []
    chain = run_at_work()
    inside = chain is not None and chain.parent_run_id == run.parent_run_id
    return list(chain.inheritable_tags) if inside else []
