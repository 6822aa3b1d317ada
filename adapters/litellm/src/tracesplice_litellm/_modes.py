"""Which ways to report to Langfuse are in force, read from LiteLLM's own list of callbacks.

By class name, so that a gateway does not load the modules of modes it does not use.
"""

from __future__ import annotations

from enum import Enum
from operator import is_
from typing import TYPE_CHECKING, Any

import litellm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Mode", "langfuses", "loggers", "mode_of", "registered", "same"]


class Mode(Enum):
    """One of LiteLLM's three ways to report to Langfuse."""

    LANGFUSE = "langfuse"
    OTEL = "langfuse_otel"
    OTEL_V2 = "langfuse_otel with LITELLM_OTEL_V2"


_BY_CLASS = {
    "LangfusePromptManagement": Mode.LANGFUSE,
    "LangFuseLogger": Mode.LANGFUSE,
    "LangfuseOtelLogger": Mode.OTEL,
    "LangfuseOpenTelemetryV2": Mode.OTEL_V2,
}

_OLDER_V2 = "OpenTelemetryV2"
"""Before LiteLLM 1.99 one class served all of OpenTelemetry's targets, told apart by a name."""


def mode_of(callback: object) -> Mode | None:
    """Return the mode a registered callback stands for, None for one that is not Langfuse's."""
    if isinstance(callback, str):
        # As a name, LiteLLM runs only this one; the others it replaces by their loggers.
        return Mode.LANGFUSE if callback == "langfuse" else None
    names = [each.__name__ for each in type(callback).__mro__]
    if _OLDER_V2 in names and getattr(callback, "callback_name", None) == "langfuse_otel":
        return Mode.OTEL_V2
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)


def registered() -> tuple[Any, ...]:
    """Give every callback for answers that is registered by now."""
    # `getattr`: both lists are LiteLLM's, but only the first is documented.
    return (*litellm.success_callback, *getattr(litellm, "_async_success_callback", ()))


def same(these: tuple[Any, ...], those: tuple[Any, ...]) -> bool:
    """Return whether two lists hold the same objects; to compare callbacks may be costly."""
    return len(these) == len(those) and all(map(is_, these, those))


_seen: tuple[Any, ...] = ()
_found: tuple[tuple[Mode, Any], ...] = ()


def loggers() -> tuple[tuple[Mode, Any], ...]:
    """Give each registered callback for answers that is Langfuse's, with its mode; once each."""
    global _seen, _found
    callbacks = registered()
    if not same(callbacks, _seen):
        _seen, _found = callbacks, tuple(langfuses(callbacks))
    return _found


def langfuses(callbacks: Iterable[Any]) -> Iterator[tuple[Mode, Any]]:
    """Give each of ``callbacks`` that is Langfuse's, with its mode; once each."""
    seen: set[int] = set()
    for callback in callbacks:
        mode = mode_of(callback)
        if mode is not None and id(callback) not in seen:
            seen.add(id(callback))
            yield mode, callback
