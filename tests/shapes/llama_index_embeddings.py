"""LlamaIndex's embeddings, and what makes some."""

from __future__ import annotations

from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter

from shapes.either import settle
from shapes.llama_index_shape import DOCUMENTS, App, registry
from shapes.shape import QUESTION, QUESTIONS

__all__ = ["SHAPES"]

SHAPES, shape = registry()


def embeds(made: Any, method: str, given: Any) -> Any:
    """What asks an embedding model by a method."""

    async def run(app: App) -> Any:
        return await settle(getattr(made(app), f"{'a' * app.is_async}get_{method}")(given))

    return run


LIKE, OPENAI = App.embeddings, App.openai_embeddings
BATCH = embeds(LIKE, "text_embedding_batch", QUESTIONS)
shape("OpenAILikeEmbedding.get_query_embedding", embeds(LIKE, "query_embedding", QUESTION))
shape("OpenAILikeEmbedding.get_text_embedding_batch", BATCH)
shape("OpenAIEmbedding.get_text_embedding", embeds(OPENAI, "text_embedding", QUESTION))


@shape("IngestionPipeline")
async def ingestion(app: App) -> Any:
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(), app.embeddings()])
    nodes = await app.call(pipeline, "run", documents=DOCUMENTS)
    return [node.get_content() for node in nodes]


@shape("VectorStoreIndex.as_retriever().retrieve", calls=2)
async def retriever(app: App) -> Any:
    index = VectorStoreIndex.from_documents(DOCUMENTS, embed_model=app.embeddings())
    found = await app.call(index.as_retriever(), "retrieve", QUESTION)
    return [node.get_content() for node in found]
