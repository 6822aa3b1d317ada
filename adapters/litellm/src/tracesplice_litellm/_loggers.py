"""LiteLLM's Langfuse loggers: which are registered, and in which mode each reports.

By class name, so that a gateway does not load the modules of modes it does not use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from operator import is_
from typing import TYPE_CHECKING, Any, Protocol, cast

import litellm

from tracesplice_litellm._release_limits import warn_of_limits
from tracesplice_litellm._streams import repair as repair_streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracesplice_litellm import _langfuse, _langfuse_otel, _langfuse_otel_v2
    from tracesplice_litellm._call import Call
    from tracesplice_litellm._request import Request

__all__ = ["Mode", "carried_by_own", "langfuse_loggers", "loggers", "own_loggers"]


_MODULES = {
    "langfuse": "_langfuse",
    "LangfusePromptManagement": "_langfuse",
    "LangFuseLogger": "_langfuse",
    "LangfuseOtelLogger": "_langfuse_otel",
    "LangfuseOpenTelemetryV2": "_langfuse_otel_v2",
}
_OWN = (
    *("dynamic_success_callbacks", "dynamic_async_success_callbacks"),
    *("dynamic_failure_callbacks", "dynamic_async_failure_callbacks"),
)


class Mode(Protocol):
    """One of LiteLLM's three ways to report to Langfuse: a module of this package."""

    NAME: str

    def carry(self, logger: Any, /) -> None:
        """Make a logger of this mode, and its class, carry links; twice is once."""

    def prepare(self, logger: Any, /) -> None:
        """Do so for a logger of all calls, and have it report those that fail."""

    def join(self, request: Request, /) -> None:
        """Have LiteLLM report a request in its place, where what is written in it will not do."""

    def reports(self, logger: Any, call: Call, logging: Any, /) -> bool:
        """Return whether a logger of this mode reports the usage of a call.

        Args:
            logger: The logger, or its name.
            call: The call.
            logging: LiteLLM's logging object of it.
        """


if TYPE_CHECKING:
    _modes: tuple[Mode, ...] = (_langfuse, _langfuse_otel, _langfuse_otel_v2)  # each is one


class _Loggers:
    """What is registered, looked at anew when one of LiteLLM's lists has changed."""

    def __init__(self) -> None:
        self._seen: tuple[Any, ...] = ()
        self._found: tuple[tuple[Mode, Any], ...] = ()
        self._modes: frozenset[str] = frozenset()

    def prepared(self) -> tuple[tuple[Mode, Any], ...]:
        """Give each Langfuse logger for answers with its mode; new ones are made to carry links."""
        callbacks = _registered()
        # To compare callbacks may be costly, so only whether they are the same objects.
        if len(callbacks) == len(self._seen) and all(map(is_, callbacks, self._seen)):
            return self._found
        if sys.version_info < (3, 12):
            repair_streams()
        self._found = tuple(langfuse_loggers(_for_answers()))
        for mode, logger in self._found:
            mode.prepare(logger)
        modes = frozenset(mode.NAME for mode, _ in self._found)
        if modes != self._modes:
            self._modes = modes
            warn_of_limits(modes)
        # What an older LiteLLM knows by name alone depends on a setting, which may be set anew.
        by_name = any(isinstance(logger, str) for _, logger in self._found)
        self._seen = () if by_name else _registered()
        return self._found


loggers = _Loggers()
"""The one cache of a process, as LiteLLM's lists are."""


def langfuse_loggers(callbacks: Iterable[Any]) -> Iterator[tuple[Mode, Any]]:
    """Give each of ``callbacks`` that is Langfuse's, with its mode; once each."""
    seen: set[int] = set()
    for callback in callbacks:
        mode = None if id(callback) in seen else _mode_of(callback)
        if mode is not None:
            seen.add(id(callback))
            yield mode, callback


def own_loggers(logging: Any) -> tuple[tuple[Mode, Any], ...]:
    """Give the loggers for answers of a call's key or team; ``logging`` is LiteLLM's object of it.

    https://docs.litellm.ai/docs/proxy/team_logging
    """
    sync = getattr(logging, "dynamic_success_callbacks", None) or ()
    others = getattr(logging, "dynamic_async_success_callbacks", None) or ()
    return tuple(langfuse_loggers((*sync, *others))) if sync or others else ()


def carried_by_own(logging: Any) -> tuple[tuple[Mode, Any], ...]:
    """Give the loggers of a call's key or team; they are made to carry links."""
    found: list[Any] = []
    for name in _OWN:
        found += getattr(logging, name, None) or ()
    if not found:
        return ()
    own = tuple(langfuse_loggers(found))
    for mode, logger in own:
        mode.carry(logger)
    return own


def _for_answers() -> tuple[Any, ...]:
    # `getattr`: both lists are LiteLLM's, but only the first is documented.
    return (*litellm.success_callback, *getattr(litellm, "_async_success_callback", ()))


def _registered() -> tuple[Any, ...]:
    failures = (*litellm.failure_callback, *getattr(litellm, "_async_failure_callback", ()))
    return (*_for_answers(), *failures)


def _mode_of(callback: object) -> Mode | None:
    if isinstance(callback, str):
        # As a name, LiteLLM runs only this one; the others it replaces by their loggers.
        names, is_older_v2 = [callback], False
    else:
        names = [each.__name__ for each in type(callback).__mro__]
        # Before LiteLLM 1.99 one class served all of OpenTelemetry's targets, told apart by a name.
        own = getattr(callback, "callback_name", None)
        is_older_v2 = "OpenTelemetryV2" in names and own == "langfuse_otel"
    name = next((_MODULES[name] for name in names if name in _MODULES), None)
    name = "_langfuse_otel_v2" if is_older_v2 else name
    return None if name is None else cast("Mode", import_module(f"tracesplice_litellm.{name}"))
