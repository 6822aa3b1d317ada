"""Finds the span that an instrumentation of the SDK made for a call, where it is not current.

OpenLLMetry's (``opentelemetry-instrumentation-anthropic``) never is, and OpenInference's is not
where the helper for streams sends its request: on entering it. The call would belong to the
enclosing span, and count twice. Sources:
https://github.com/traceloop/openllmetry/tree/main/packages/opentelemetry-instrumentation-anthropic,
https://github.com/Arize-ai/openinference (``python/instrumentation``).
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice.adapter import as_current, guarded, unwrap_methods, when_imported, wrap_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tracesplice.adapter import Wrapper

__all__ = ["forget_spans", "observe_spans", "take_span"]

_OPENLLMETRY = "opentelemetry.instrumentation.anthropic"
_OPENINFERENCE = "openinference.instrumentation.anthropic._wrappers"
_MODULES = (_OPENLLMETRY, f"{_OPENLLMETRY}.streaming", _OPENINFERENCE)

# In a list, so that a span taken in one context is taken in all that were copied from it.
_begun: ContextVar[list[trace.Span]] = ContextVar("tracesplice_anthropic_span")
_observing = False


def observe_spans() -> None:
    """Note the spans of instrumentations, of those that are imported and of those that will be."""
    global _observing
    _observing = True
    for module in _MODULES:
        if module in sys.modules:
            _wrap(sys.modules[module])
        when_imported(module, _wrap)


def forget_spans() -> None:
    """Undo ``observe_spans``."""
    global _observing
    _observing = False
    for module in _MODULES:
        if module in sys.modules:
            for owner, name, _ in _wrappers(sys.modules[module]):
                unwrap_methods(owner, [name])


def take_span() -> trace.Span | None:
    """Return the span that was begun for the call that is being made in this context, once."""
    begun = _begun.get(None)
    try:
        span = begun.pop() if begun else None
    except IndexError:  # another thread was quicker
        return None
    return span if span is not None and span.is_recording() else None


def _wrap(module: Any) -> None:
    if _observing:
        for owner, name, wrapper in _wrappers(module):
            wrap_methods(owner, {name: wrapper}, required=False)


def _wrappers(module: Any) -> Iterator[tuple[Any, str, Wrapper]]:
    """Give what is wrapped in one of the modules: the owner, the name, and the wrapper."""
    yield module, "_handle_input", _input
    yield module, "_ahandle_input", _input
    for name, owner in list(vars(module).items()):
        if name.endswith("MessageStreamManager") and isinstance(owner, type):
            yield owner, "__init__", _manager
            yield owner, "__enter__", _enter
            yield owner, "__aenter__", _aenter


def _input(wrapped: Callable[..., Any], _module: object, args: Any, kwargs: Any) -> Any:
    _note(*args, **kwargs)
    return wrapped(*args, **kwargs)


def _manager(wrapped: Callable[..., Any], _manager: object, args: Any, kwargs: Any) -> Any:
    # Its request is not sent yet, and the next one need not be its own.
    take_span()
    return wrapped(*args, **kwargs)


def _enter(wrapped: Callable[..., Any], manager: Any, args: Any, kwargs: Any) -> Any:
    with _in_span_of(manager) or nullcontext():
        return wrapped(*args, **kwargs)


async def _aenter(wrapped: Callable[..., Any], manager: Any, args: Any, kwargs: Any) -> Any:
    with _in_span_of(manager) or nullcontext():
        return await wrapped(*args, **kwargs)


@guarded("the span of an instrumentation that a call belongs to")
def _note(span: trace.Span, *_: object, **__: object) -> None:
    _begun.set([span])


@guarded("the span of an instrumentation that a stream belongs to")
def _in_span_of(manager: Any) -> AbstractContextManager[object] | None:
    holder = getattr(manager, "_self_with_span", manager)
    span = getattr(holder, "_span", None)
    return as_current(span) if isinstance(span, trace.Span) and span.is_recording() else None
