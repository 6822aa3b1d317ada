"""A stand-in for a Langfuse server: it takes what Langfuse takes and says what Langfuse drops."""

from ._model import Observation, Problem, Trace
from ._otlp import Span
from ._recorder import Recorder, RecorderTimeout

__all__ = ["Observation", "Problem", "Recorder", "RecorderTimeout", "Span", "Trace"]
