"""Keeps the finalizer of LiteLLM's streams from writing context variables for nothing.

On Python 3.10 and 3.11 the garbage collector may run in the middle of ``ContextVar.set``. Where a
finalizer sets a variable meanwhile, the request at work loses its context, so that its spans begin
traces of their own, or the gateway dies: https://github.com/python/cpython/issues/148891.
``CustomStreamWrapper.__del__`` sets two, to what they are unless ``request_correlation_in_logs`` is
on: https://github.com/BerriAI/litellm/blob/main/litellm/litellm_core_utils/streaming_handler.py.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["repair"]

_METHOD = "_restore_correlation_context_if_unclaimed"
_MARK = "_tracesplice_litellm"


def repair() -> None:
    """Make the finalizer leave alone what it would not change; twice is once."""
    from litellm.litellm_core_utils.litellm_logging import Logging

    original: Callable[[Any], None] | None = getattr(Logging, _METHOD, None)
    # Older releases of LiteLLM have no such finalizer.
    if original is None or hasattr(original, _MARK):
        return

    @wraps(original)
    def where_it_differs(logging: Any) -> None:
        own = (logging._own_trace_id, logging._own_session_id)
        if own != (logging._pre_call_trace_id, logging._pre_call_session_id):
            original(logging)

    setattr(where_it_differs, _MARK, True)
    setattr(Logging, _METHOD, where_it_differs)
