"""Splices clients and instruments the process, ``langfuse.openai`` included."""

from __future__ import annotations

from tracesplice_openai._langfuse_openai import forget_generations, observe_generations
from tracesplice_openai._sdk import sdk

__all__ = ["instrument", "is_spliced", "splice", "uninstrument", "unsplice"]

sdk.wrap_too(observe_generations, forget_generations)

splice = sdk.splice
unsplice = sdk.unsplice
is_spliced = sdk.is_spliced
instrument = sdk.instrument
uninstrument = sdk.uninstrument
