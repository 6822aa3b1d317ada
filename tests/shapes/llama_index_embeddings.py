"""LlamaIndex's embeddings, and what makes some."""

from __future__ import annotations

from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter

from shapes.either import settle as _settled
from shapes.llama_index_application import QUESTION
from shapes.llama_index_shape import DOCUMENTS, App, registry

__all__ = ["SHAPES"]

SHAPES, shape = registry()


@shape("OpenAILikeEmbedding.get_query_embedding")
async def query(app: App) -> Any:
    name = "aget_query_embedding" if app.is_async else "get_query_embedding"
    return await _settled(getattr(app.embeddings(), name)(QUESTION))


@shape("OpenAILikeEmbedding.get_text_embedding_batch")
async def batch(app: App) -> Any:
    name = "aget_text_embedding_batch" if app.is_async else "get_text_embedding_batch"
    return await _settled(getattr(app.embeddings(), name)([QUESTION, "question-2"]))


@shape("OpenAIEmbedding.get_text_embedding")
async def own_class(app: App) -> Any:
    name = "aget_text_embedding" if app.is_async else "get_text_embedding"
    return await _settled(getattr(app.openai_embeddings(), name)(QUESTION))


@shape("IngestionPipeline")
async def ingestion(app: App) -> Any:
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(), app.embeddings()])
    nodes = await app.call(pipeline, "run", documents=DOCUMENTS)
    return [node.get_content() for node in nodes]


@shape("VectorStoreIndex.as_retriever().retrieve", generations=2, observations=2)
async def retriever(app: App) -> Any:
    index = VectorStoreIndex.from_documents(DOCUMENTS, embed_model=app.embeddings())
    found = await app.call(index.as_retriever(), "retrieve", QUESTION)
    return [node.get_content() for node in found]
