"""Every way LangChain and LangGraph call a model, each written once for both kinds of call."""

from __future__ import annotations

from shapes import (
    langchain_chains,
    langchain_graphs,
    langchain_litellm_models,
    langchain_models,
)

__all__ = ["SHAPES"]

SHAPES = [
    *langchain_models.SHAPES,
    *langchain_chains.SHAPES,
    *langchain_graphs.SHAPES,
    *langchain_litellm_models.SHAPES,
]
