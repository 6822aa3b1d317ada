"""Reads traces back from Langfuse, judges them, and draws them."""

from tracesplice_view._call import Call
from tracesplice_view._html import html
from tracesplice_view._http import basic, opener
from tracesplice_view._json import as_json
from tracesplice_view._judge import Expected, Seen, judge
from tracesplice_view._judged import TITLES, Judged, is_of_gateway
from tracesplice_view._model import Observation, Trace, parsed
from tracesplice_view._printable import printable
from tracesplice_view._reader import LangfuseReader, NotLangfuseError, TraceNotReadyError
from tracesplice_view._run import Run, tells, tokens
from tracesplice_view._search import newest, whole
from tracesplice_view._summary import advised, summary, total
from tracesplice_view._svg import PICTURE_WIDTH, picture, svg
from tracesplice_view._tree import money, trees
from tracesplice_view._walk import ancestors

__all__ = [
    "PICTURE_WIDTH",
    "TITLES",
    "Call",
    "Expected",
    "Judged",
    "LangfuseReader",
    "NotLangfuseError",
    "Observation",
    "Run",
    "Seen",
    "Trace",
    "TraceNotReadyError",
    "advised",
    "ancestors",
    "as_json",
    "basic",
    "html",
    "is_of_gateway",
    "judge",
    "money",
    "newest",
    "opener",
    "parsed",
    "picture",
    "printable",
    "summary",
    "svg",
    "tells",
    "tokens",
    "total",
    "trees",
    "whole",
]
