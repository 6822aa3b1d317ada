"""What adapters of frameworks have in common, beside the wrapping of methods (``_wrap``)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import wrapt
from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice._errors import TracespliceError
from tracesplice._observation import is_stored
from tracesplice._sources import current_observation
from tracesplice_wire import guarded, shown_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    from langfuse.model import ChatPromptClient, TextPromptClient
    from opentelemetry.context import Context

__all__ = [
    "as_current",
    "in_context",
    "is_observed",
    "langfuse_prompt",
    "splice_each",
    "when_imported",
]

_T = TypeVar("_T")

# Modules that are awaited, with what to do then; single operations on a dict need no lock.
_awaited: dict[tuple[str, Callable[[ModuleType], object]], object] = {}


def when_imported(module: str, function: Callable[[ModuleType], object]) -> None:
    """Call ``function`` with a module once: now if it is imported, else when it will be.

    Args:
        module: The module's full name; it is not imported for this.
        function: A function at the top level of a module. Where it raises, that is logged.
    """
    token = object()
    if _awaited.setdefault((module, function), token) is token:
        harmless = guarded(f"what calls through {module} need for their links")(function)
        wrapt.register_post_import_hook(harmless, module)


def as_current(span: trace.Span) -> AbstractContextManager[Any]:
    """Return a context manager that makes ``span`` current and leaves exceptions to its owner."""
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)


@contextmanager
def in_context(context: Context, *, unless_observed: bool = False) -> Iterator[None]:
    """Make an OpenTelemetry context current.

    Args:
        context: The context.
        unless_observed: Leave things as they are where there is an observation already.
    """
    before = otel_context.get_current()
    if before is context or (unless_observed and is_observed()):
        yield
        return
    try:
        # In here, and without its token: a program may be interrupted between any two lines.
        otel_context.attach(context)
        yield
    finally:
        otel_context.attach(before)


@guarded("the observation that is at work")
def is_observed() -> bool:
    """Return whether there is an observation here that Langfuse stores."""
    return is_stored(current_observation())


def splice_each(found: Collection[_T], splice: Callable[[_T], object]) -> None:
    """Splice what was found in something; what refuses, such as a provider's, is left out.

    Raises:
        TracespliceError: All refused; it is the first one's.
    """
    refused = [error for each in found if (error := _refusal(each, splice)) is not None]
    if refused and len(refused) == len(found):
        raise refused[0]


def langfuse_prompt(prompt: object) -> TextPromptClient | ChatPromptClient:
    """Return ``prompt``, to make a framework's template of.

    Raises:
        TracespliceError: It is not what ``langfuse.get_prompt`` returns.
    """
    from langfuse.model import ChatPromptClient, TextPromptClient

    if isinstance(prompt, (TextPromptClient, ChatPromptClient)):
        return prompt
    raise TracespliceError(
        f"Not a Langfuse prompt: {shown_kind(prompt)}. "
        'Pass what langfuse.get_prompt("name") returns.'
    )


def _refusal(each: _T, splice: Callable[[_T], object]) -> TracespliceError | None:
    try:
        splice(each)
    except TracespliceError as error:
        return error
    return None
