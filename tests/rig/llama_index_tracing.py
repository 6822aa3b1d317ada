"""OpenInference's tracing of LlamaIndex for a block, of which nothing is left after it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["llama_index_traced"]


@contextmanager
def llama_index_traced(provider: Any) -> Iterator[LlamaIndexInstrumentor]:
    """Instrument LlamaIndex; the value is the instrumentor.

    Args:
        provider: The tracer provider that its spans are made with.
    """
    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    exports: Any = getattr(instrumentor._span_handler, "_export_queue", None)
    try:
        yield instrumentor
    finally:
        instrumentor.uninstrument()
        if exports is not None:
            # Each leaves a thread that wakes ten times a second. With some hundreds of them a busy
            # machine does nothing else. This is what ends it: `_ExportQueue` in
            # https://github.com/Arize-ai/openinference, llama_index/_handler.py
            exports.queue.put(None)
