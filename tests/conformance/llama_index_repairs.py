"""The cells of LlamaIndex's repairs, and how to take a repair away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.llms.openai_like import OpenAILike

import tracesplice
from conformance.harness import Cell
from rig.gateway import GatewayMode
from shapes.llama_index_application import LlamaIndexApplication
from shapes.llama_index_shapes import SHAPES
from tracesplice._wrap import Wrapped
from tracesplice_llama_index import _splice

if TYPE_CHECKING:
    import pytest

    from shapes.shape import Shape

__all__ = ["BY_NAME", "cell", "take_away"]

BY_NAME = {shape.name: shape for shape in SHAPES}


def cell(shape: Shape, kind: str, tracer: str, *, enclosed: bool = True) -> Cell:
    return Cell(LlamaIndexApplication, shape, kind, GatewayMode.LANGFUSE, enclosed, tracer)


def take_away(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """Give a class and its bases their own method back."""
    tracesplice.splice(OpenAILike(api_base="http://gateway", model="m"))
    for base in owner.__mro__:
        method = vars(base).get(name)
        if isinstance(method, Wrapped):
            monkeypatch.setattr(base, name, method.__wrapped__)
            _take_away_inside(monkeypatch, method.__wrapped__)
    monkeypatch.setattr(_splice, "wrap_methods", lambda *_: None)


def _take_away_inside(monkeypatch: pytest.MonkeyPatch, method: Any) -> None:
    inner = getattr(method, "__wrapped__", None)
    if isinstance(inner, Wrapped):
        monkeypatch.setattr(method, "__wrapped__", inner.__wrapped__)
