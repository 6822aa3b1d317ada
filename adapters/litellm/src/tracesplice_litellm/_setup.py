"""Prepares LiteLLM's Langfuse loggers, which come to life with the first requests."""

from __future__ import annotations

import os
import sys
from typing import Any

import litellm

from tracesplice_litellm._modes import Mode, loggers, registered, same
from tracesplice_litellm._older import say_limits
from tracesplice_litellm._streams import repair as repair_streams

__all__ = ["at_start", "only_our_keys", "prepare"]

_keys_switched_on = False
_known: frozenset[Mode] = frozenset()
_prepared: tuple[Any, ...] = ()


def at_start() -> None:
    """Prepare what must be before the first request: probes of the gateway's health come first."""
    if os.environ.get("LITELLM_OTEL_V2"):
        from tracesplice_litellm._export import filter_exports

        filter_exports()


def prepare() -> frozenset[Mode]:
    """Make every Langfuse logger that is registered by now carry links; cheap where none is new.

    Returns:
        The modes they report in.
    """
    global _prepared
    callbacks = (*registered(), *_failures())
    if same(callbacks, _prepared):
        return _known
    if sys.version_info < (3, 12):
        repair_streams()
    found = loggers()
    for mode, logger in found:
        if mode is Mode.OTEL:
            from tracesplice_litellm._otel_v1 import prepare as prepare_logger

            prepare_logger(logger)
        elif mode is Mode.OTEL_V2:
            from tracesplice_litellm._otel_v2 import prepare as prepare_logger

            prepare_logger(logger)
        else:
            _prepare_langfuse(logger)
    # What an older LiteLLM knows by name alone depends on a setting, which may be set anew.
    by_name = any(isinstance(logger, str) for _, logger in found)
    _prepared = () if by_name else (*registered(), *_failures())
    return _noted(frozenset(mode for mode, _ in found))


def _noted(modes: frozenset[Mode]) -> frozenset[Mode]:
    global _known
    if modes != _known:
        _known = modes
        say_limits(modes)
    return modes


def only_our_keys() -> bool:
    """Return whether clients can change more of a trace than the configuration allows them to."""
    return _keys_switched_on


def _prepare_langfuse(logger: Any) -> None:
    _report_failures(logger)
    from tracesplice_litellm._langfuse import prepare as prepare_logger

    if not prepare_logger(logger) and not litellm.langfuse_enable_update_trace_keys:
        # An older LiteLLM, which lets user, session and tags of a joined trace through only so.
        global _keys_switched_on
        litellm.langfuse_enable_update_trace_keys = _keys_switched_on = True


def _report_failures(logger: Any) -> None:
    # This mode reports a failed call only where the configuration says so a second time.
    if any(each is logger or each == "langfuse" for each in _failures()):
        return
    if isinstance(logger, str):
        litellm.logging_callback_manager.add_litellm_failure_callback(logger)
    else:
        litellm.logging_callback_manager.add_litellm_async_failure_callback(logger)


def _failures() -> tuple[Any, ...]:
    return (*litellm.failure_callback, *getattr(litellm, "_async_failure_callback", ()))
