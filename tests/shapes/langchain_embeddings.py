"""LangChain's embeddings."""

from __future__ import annotations

from typing import Any

from shapes.langchain_application import QUESTION
from shapes.langchain_shape import (
    App,
    registry,
)

__all__ = ["SHAPES"]

SHAPES, shape = registry()


@shape("OpenAIEmbeddings", observations=0)
async def embeddings(app: App) -> Any:
    return await app.call(app.embeddings(), "embed_documents", [QUESTION])
