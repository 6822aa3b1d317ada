"""Reads traces back from Langfuse, judges them, and draws them."""

from tracesplice_view._call import Call
from tracesplice_view._html import html
from tracesplice_view._json import as_json
from tracesplice_view._judge import Expected, Seen, judge
from tracesplice_view._judged import TITLES, Judged, is_of_gateway
from tracesplice_view._model import Observation, Trace, parsed
from tracesplice_view._printable import printable
from tracesplice_view._reader import LangfuseReader, TraceNotReadyError
from tracesplice_view._run import Run, tokens
from tracesplice_view._search import newest, whole
from tracesplice_view._summary import advised, summary, total
from tracesplice_view._svg import PICTURE_WIDTH, picture, svg
from tracesplice_view._tree import money, trees

__all__ = [
    "PICTURE_WIDTH",
    "TITLES",
    "Call",
    "Expected",
    "Judged",
    "LangfuseReader",
    "Observation",
    "Run",
    "Seen",
    "Trace",
    "TraceNotReadyError",
    "advised",
    "as_json",
    "html",
    "is_of_gateway",
    "judge",
    "money",
    "newest",
    "parsed",
    "picture",
    "printable",
    "summary",
    "svg",
    "tokens",
    "total",
    "trees",
    "whole",
]
