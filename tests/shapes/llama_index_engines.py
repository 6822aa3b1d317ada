"""LlamaIndex's query engines and chat engines."""

from __future__ import annotations

from typing import Any

from llama_index.core import Document, Settings, SummaryIndex, VectorStoreIndex
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.chat_engine.types import ChatMode
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.tools import QueryEngineTool

from shapes.llama_index_application import QUESTION
from shapes.llama_index_shape import DOCUMENTS, App, registry, template
from shapes.shape import OTHER, OWN

__all__ = ["SHAPES"]

SHAPES, shape = registry()

QA = "{context_str} {query_str}"
REFINE = "{existing_answer} {context_msg} {query_str}"
# The model of the rig echoes what it is asked.
SUB_QUESTIONS = """```json
[{"sub_question": "question-1", "tool_name": "weather"},
{"sub_question": "question-2", "tool_name": "weather"}]
```"""


@shape("query engine", generations=3, observations=3)
async def query(app: App) -> Any:
    Settings.llm = app.model()
    Settings.embed_model = app.embeddings()
    index = VectorStoreIndex.from_documents(DOCUMENTS)
    return str(await app.call(index.as_query_engine(), "query", QUESTION))


@shape("query engine, streamed")
async def query_stream(app: App) -> Any:
    index = SummaryIndex.from_documents(DOCUMENTS)
    engine = index.as_query_engine(llm=app.model(), streaming=True)
    return await _tokens(app, await app.call(engine, "query", QUESTION))


@shape("query engine, use_async")
async def query_use_async(app: App) -> Any:
    engine = SummaryIndex.from_documents(DOCUMENTS).as_query_engine(
        llm=app.model(), use_async=True, response_mode="tree_summarize"
    )
    return str(await app.call(engine, "query", QUESTION))


@shape("query engine, own templates", generations=2, observations=2, prompts=(OWN, OTHER))
async def query_templates(app: App) -> Any:
    documents = [*DOCUMENTS, Document(text="fact-3: It rains in Bergen.")]
    engine = SummaryIndex.from_documents(documents).as_query_engine(
        llm=app.model(),
        response_mode="refine",
        text_qa_template=template(app, QA),
        refine_template=template(app, REFINE, OTHER),
    )
    return str(await app.call(engine, "query", QUESTION))


@shape("query engine, own template, streamed", prompts=(OWN,))
async def query_template_stream(app: App) -> Any:
    engine = SummaryIndex.from_documents(DOCUMENTS).as_query_engine(
        llm=app.model(), streaming=True, text_qa_template=template(app, QA)
    )
    return await _tokens(app, await app.call(engine, "query", QUESTION))


@shape("query engine, structured answers", prompts=(OWN,))
async def query_structured(app: App) -> Any:
    engine = SummaryIndex.from_documents(DOCUMENTS).as_query_engine(
        llm=app.model("tools"),
        structured_answer_filtering=True,
        text_qa_template=template(app, QA),
    )
    return str(await app.call(engine, "query", QUESTION))


@shape("SubQuestionQueryEngine", generations=4, observations=4)
async def sub_questions(app: App) -> Any:
    model = app.model()
    engine = SubQuestionQueryEngine.from_defaults(
        [
            QueryEngineTool.from_defaults(
                SummaryIndex.from_documents(DOCUMENTS).as_query_engine(llm=model),
                name="weather",
                description="knows the weather",
            )
        ],
        llm=model,
        question_gen=LLMQuestionGenerator.from_defaults(model, SUB_QUESTIONS),
        verbose=False,
    )
    return str(await app.call(engine, "query", QUESTION))


@shape("chat engine with memory", generations=2, observations=2)
async def chat(app: App) -> Any:
    engine = SimpleChatEngine.from_defaults(
        llm=app.model(), memory=ChatMemoryBuffer.from_defaults(token_limit=1000)
    )
    answers = [await app.call(engine, "chat", text) for text in (QUESTION, "question-2")]
    return [str(answer) for answer in answers]


@shape("chat engine with memory, streamed")
async def chat_stream(app: App) -> Any:
    engine = SimpleChatEngine.from_defaults(
        llm=app.model(), memory=ChatMemoryBuffer.from_defaults(token_limit=1000)
    )
    return await _tokens(app, await app.call(engine, "stream_chat", QUESTION))


@shape("chat engine with context")
async def chat_context(app: App) -> Any:
    # The default memory is an SQLite connection that nobody closes, in a thread of its own.
    memory = ChatMemoryBuffer.from_defaults(token_limit=1000)
    engine = SummaryIndex.from_documents(DOCUMENTS).as_chat_engine(
        llm=app.model(), chat_mode=ChatMode.CONTEXT, memory=memory
    )
    return str(await app.call(engine, "chat", QUESTION))


async def _tokens(app: App, response: Any) -> list[str]:
    if app.is_async:
        return [token async for token in response.async_response_gen()]
    return list(response.response_gen)
