"""Keeps the finalizer of LiteLLM's streams from writing context variables for nothing.

On Python 3.10 and 3.11 the garbage collector may run in the middle of ``ContextVar.set``. Where a
finalizer sets a variable meanwhile, the request at work loses its context, so that its spans begin
traces of their own, or the gateway dies: https://github.com/python/cpython/issues/148891.
``CustomStreamWrapper.__del__`` sets two, to what they are unless ``request_correlation_in_logs`` is
on: https://github.com/BerriAI/litellm/blob/main/litellm/litellm_core_utils/streaming_handler.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm._patch import replace

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["repair"]

_METHOD = "_restore_correlation_context_if_unclaimed"


def repair() -> None:
    """Make the finalizer leave alone what it would not change; twice is once."""
    from litellm.litellm_core_utils.litellm_logging import Logging

    replace(Logging, _METHOD, _where_it_differs)


def _where_it_differs(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def restore(logging: Any) -> None:
        own = (logging._own_trace_id, logging._own_session_id)
        if own != (logging._pre_call_trace_id, logging._pre_call_session_id):
            original(logging)

    return restore
