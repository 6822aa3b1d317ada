"""A stand-in for a Langfuse server: it takes what Langfuse takes and says what Langfuse drops."""

from tracesplice_view import Observation, Trace

from ._model import Problem
from ._otlp import Span
from ._recorder import Recorder, RecorderTimeout

__all__ = ["Observation", "Problem", "Recorder", "RecorderTimeout", "Span", "Trace"]
