"""One trace, linked and counted once, for calls through a LiteLLM gateway into Langfuse.

Importing this package starts nothing, patches nothing and connects nowhere.
"""

from __future__ import annotations

from tracesplice._by_hand import extra_body, headers
from tracesplice._carrier import capture, resume
from tracesplice._errors import TracespliceError
from tracesplice._prompt import prompt_metadata
from tracesplice._splice import instrument, splice, uninstrument, unsplice
from tracesplice._usage import count_usage_once
from tracesplice._wrapped import wrap

__all__ = [
    "TracespliceError",
    "capture",
    "count_usage_once",
    "extra_body",
    "headers",
    "instrument",
    "prompt_metadata",
    "resume",
    "splice",
    "uninstrument",
    "unsplice",
    "wrap",
]
