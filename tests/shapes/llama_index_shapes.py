"""Every way LlamaIndex calls a model, each written once for both kinds of call."""

from __future__ import annotations

from shapes import (
    llama_index_agents,
    llama_index_embeddings,
    llama_index_engines,
    llama_index_litellm,
    llama_index_models,
)

__all__ = ["SHAPES"]

SHAPES = [
    *llama_index_models.SHAPES,
    *llama_index_engines.SHAPES,
    *llama_index_agents.SHAPES,
    *llama_index_embeddings.SHAPES,
    *llama_index_litellm.SHAPES,
]
