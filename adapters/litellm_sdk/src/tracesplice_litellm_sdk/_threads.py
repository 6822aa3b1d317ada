"""What LiteLLM runs in threads belongs where it was asked for.

``batch_completion`` and its siblings submit ``litellm.completion`` to a thread pool, and so do
``text_completion`` with several prompts, and ``run_async_function``, by which a synchronous call
with fallbacks is made where an event loop runs. None of them passes the context of the call on
(https://github.com/BerriAI/litellm/blob/main/litellm/batch_completion/main.py,
https://github.com/BerriAI/litellm/blob/main/litellm/litellm_core_utils/asyncify.py), so that in
there no span is current. They take ``ThreadPoolExecutor`` from three modules by two names; what
they have in common is its ``submit``.
"""

from __future__ import annotations

import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from tracesplice.adapter import gateways_here, guarded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["submit"]

# Not the modules of LiteLLM's logging, which runs after the call.
_ASK_MODELS = ("litellm.main", "litellm.litellm_core_utils.asyncify")


def submit(wrapped: Callable[..., Any], _pool: object, args: Any, kwargs: Any) -> Any:
    """Wrap ``ThreadPoolExecutor.submit``: calls by LiteLLM run in a copy of the context here."""
    if args and gateways_here() and _asks_model(args[0]):
        return wrapped(copy_context().run, *args, **kwargs)
    return wrapped(*args, **kwargs)


@guarded("the context of what is run in a thread")
def _asks_model(function: object) -> bool:
    if getattr(function, "__module__", None) in _ASK_MODELS:
        return True
    # By whatever it was replaced: an instrumentor puts a function of its own there.
    litellm = sys.modules.get("litellm")
    return litellm is not None and function is getattr(litellm, "completion", None)
