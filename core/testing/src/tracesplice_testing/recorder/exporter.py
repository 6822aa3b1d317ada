"""Takes an application's spans without a network between: an exporter for its tracer provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from . import Recorder

__all__ = ["RecorderExporter"]


class RecorderExporter(SpanExporter):
    """Puts spans into a recorder's first project."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Put them into the recorder."""
        self._recorder.take(encode_spans(spans).SerializeToString())
        return SpanExportResult.SUCCESS
