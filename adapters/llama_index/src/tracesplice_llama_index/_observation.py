"""The span that OpenInference made for the LlamaIndex call that is being made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span

__all__ = ["openinference_span"]

_OPENINFERENCE = "openinference.instrumentation.llama_index"


def openinference_span() -> Span | None:
    """Return the span of the innermost LlamaIndex call at work here, whichever class makes it.

    OpenInference makes it OpenTelemetry's current span from release 4.6.1 on; before, only this
    finds it.
    """
    module: Any = sys.modules.get(_OPENINFERENCE)
    # Public: https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index
    find = getattr(module, "get_current_span", None)  # absent while the module is being imported
    return None if find is None else find()
