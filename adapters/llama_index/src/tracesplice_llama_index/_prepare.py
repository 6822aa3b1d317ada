"""Prepares LlamaIndex, now or once it is imported; imports nothing of it before."""

from __future__ import annotations

from typing import Any

from tracesplice.adapter import observation_source, when_imported

__all__ = ["prepare"]


def prepare() -> None:
    """Wrap LlamaIndex's classes, and ask OpenInference for its spans; twice is once."""
    when_imported("llama_index.core", _wrap_llama_index)
    when_imported("openinference.instrumentation.llama_index", _ask_for_spans)


def _wrap_llama_index(_core: object) -> None:
    from tracesplice_llama_index import _install

    _install.install()


def _ask_for_spans(openinference: Any) -> None:
    # Public. OpenInference makes its span OpenTelemetry's current one from release 4.6.1 on;
    # before, only this finds it
    # (https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index).
    find = getattr(openinference, "get_current_span", None)  # the oldest have none
    if find is not None:
        observation_source(find)
