"""LiteLLM's own callbacks for Langfuse, in the application: no call can be linked under them.

They report a call after it, in an observation that there is none of while the request is sent, and
not through the application's Langfuse client, which could say zero
(https://docs.litellm.ai/docs/observability/langfuse_integration).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tracesplice.adapter import gateways_here, guarded, warn_once, when_imported, wrap_methods

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["await_callbacks", "warn_of_callbacks"]

_LOGGERS = {
    "litellm.integrations.langfuse.langfuse": "LangFuseLogger",
    "litellm.integrations.langfuse.langfuse_prompt_management": "LangfusePromptManagement",
    "litellm.integrations.langfuse.langfuse_otel": "LangfuseOtelLogger",
    "litellm.integrations.otel.langfuse_logger": "LangfuseOpenTelemetryV2",
}
_NAMES = ("langfuse", "langfuse_otel")
_LISTS = ("callbacks", "success_callback", "_async_success_callback")


@guarded("the warning of LiteLLM's own callbacks for Langfuse")
def warn_of_callbacks() -> None:
    """Warn of the callbacks that there are."""
    litellm = sys.modules.get("litellm")
    for name in _LISTS:
        for each in getattr(litellm, name, None) or ():
            if each in _NAMES or type(each).__name__ in _LOGGERS.values():
                _warn()


def await_callbacks() -> None:
    """Warn of the callbacks that will be made, which LiteLLM does in the first call."""
    for module in _LOGGERS:
        when_imported(module, _wrap)


def _wrap(module: Any) -> None:
    kind = getattr(module, _LOGGERS[module.__name__], None)
    if kind is not None:
        wrap_methods(kind, {"__init__": _made})


def _made(wrapped: Callable[..., Any], _logger: object, args: Any, kwargs: Any) -> Any:
    if gateways_here():
        _warn()
    return wrapped(*args, **kwargs)


def _warn() -> None:
    warn_once(
        "litellm-sdk:callbacks",
        "tracesplice: LiteLLM's own callback for Langfuse is on in this application. It reports a "
        "call once it is over, so the gateway's generation cannot go under it, and Langfuse counts "
        "calls through the gateway twice: as the callback reports them, and as the gateway does. "
        "Take it out of litellm.callbacks and litellm.success_callback, and trace with "
        "openinference-instrumentation-litellm, LiteLLMInstrumentor().instrument(), or with "
        "Langfuse's @observe, in its place.",
    )
