"""Makes a run current: its observation, and what its metadata says of user, session and prompt."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes

from tracesplice.adapter import as_current, guarded, own_prompt
from tracesplice_langchain._handlers import langfuse_handlers, span_of_run
from tracesplice_langchain._runs import run_at_work, trace_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from uuid import UUID

    from opentelemetry.trace import Span

__all__ = ["as_run"]


def as_run(run: Any, run_id: UUID) -> AbstractContextManager[Any]:
    """Return what makes a run current: its observation, its trace attributes, its prompt.

    Args:
        run: A callback manager of the run, or for what the run calls.
        run_id: The run.
    """
    span = span_of_run(run.handlers, run_id)
    attributes = _attributes(run, span)
    place = nullcontext() if span is None else as_current(span)
    return _with(attributes, place) if attributes else place


@contextmanager
def _with(attributes: Mapping[str, Any], place: AbstractContextManager[Any]) -> Iterator[None]:
    with place, ExitStack() as around:
        _propagate(around, attributes)
        yield


@guarded("the user, session, tags and prompt of a LangChain run")
def _propagate(around: ExitStack, attributes: Mapping[str, Any]) -> None:
    around.enter_context(propagate_attributes(**attributes))


def _attributes(run: Any, span: Span | None) -> dict[str, Any]:
    found = trace_attributes(run.metadata or {}, _tags_of_chain(run))
    # A template's prompt is on the generation already, and nearer than one on the whole chain. It
    # has to be ambient as well, for the generation that langfuse.openai may make in this one.
    own = None if span is None else own_prompt(span)
    if own is not None:
        found["prompt"] = {"name": own.name, "version": own.version}
    return found


def _tags_of_chain(run: Any) -> list[str]:
    # Langfuse's handler takes LangChain's own tags of a chain for trace tags too; those of the
    # model alone, which LangGraph knows some special ones of, it does not.
    if run.parent_run_id is None or not langfuse_handlers(run.handlers):
        return []
    chain = run_at_work()
    inside = chain is not None and chain.parent_run_id == run.parent_run_id
    return list(chain.inheritable_tags) if inside else []
