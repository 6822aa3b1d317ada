"""Reads traces back from Langfuse, judges them, and draws them."""

from tracesplice_view._judge import Expected, Seen, judge
from tracesplice_view._judged import TITLES, Judged, is_of_gateway
from tracesplice_view._model import Observation, Trace, parsed
from tracesplice_view._reader import LangfuseReader, TraceNotReadyError
from tracesplice_view._run import Run, tokens
from tracesplice_view._tree import money, trees

__all__ = [
    "TITLES",
    "Expected",
    "Judged",
    "LangfuseReader",
    "Observation",
    "Run",
    "Seen",
    "Trace",
    "TraceNotReadyError",
    "is_of_gateway",
    "judge",
    "money",
    "parsed",
    "tokens",
    "trees",
]
