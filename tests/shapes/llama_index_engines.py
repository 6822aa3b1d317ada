"""LlamaIndex's query engines and chat engines."""

from __future__ import annotations

from typing import Any

from llama_index.core import Document, Settings, SummaryIndex, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import CondensePlusContextChatEngine, SimpleChatEngine
from llama_index.core.chat_engine.types import ChatMode
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.tools import QueryEngineTool

from shapes.llama_index_shape import DOCUMENTS, App, registry, template
from shapes.shape import OTHER, OWN, QUESTION, QUESTIONS

__all__ = ["SHAPES"]

SHAPES, shape = registry()

QA = "{context_str} {query_str}"
REFINE = "{existing_answer} {context_msg} {query_str}"
TWO_DOCUMENTS = [*DOCUMENTS, Document(text="fact-3: It rains in Bergen.")]
# The model of the rig echoes what it is asked.
SUB_QUESTIONS = """```json
[{"sub_question": "question-1", "tool_name": "weather"},
{"sub_question": "question-2", "tool_name": "weather"}]
```"""


def queries(model: str = "chat", documents: Any = DOCUMENTS, **options: Any) -> Any:
    """What queries an engine that has such options; of a template, its text and prompt."""

    async def run(app: App) -> Any:
        made = {
            name: template(app, *value) if name.endswith("template") else value
            for name, value in options.items()
        }
        index = SummaryIndex.from_documents(documents)
        return await _ask(app, index.as_query_engine(llm=app.model(model), **made), "query")

    return run


async def _ask(app: App, engine: Any, method: str, question: str = QUESTION) -> Any:
    response = await app.call(engine, method, question)
    if "Streaming" not in type(response).__name__:
        return str(response)
    if app.is_async:
        return [token async for token in response.async_response_gen()]
    return list(response.response_gen)


shape("query engine, streamed", queries(streaming=True))
shape("query engine, use_async", queries(use_async=True, response_mode="tree_summarize"))
shape(
    "query engine, own templates",
    queries(
        documents=TWO_DOCUMENTS,
        response_mode="refine",
        text_qa_template=(QA,),
        refine_template=(REFINE, OTHER),
    ),
    calls=2,
    prompts=(OWN, OTHER),
)
shape(
    "query engine, own template, streamed",
    queries(streaming=True, text_qa_template=(QA,)),
    prompts=(OWN,),
)
shape(
    "query engine, structured answers",
    queries("tools", structured_answer_filtering=True, text_qa_template=(QA,)),
    prompts=(OWN,),
)


@shape("query engine", calls=3)
async def query(app: App) -> Any:
    Settings.llm = app.model()
    Settings.embed_model = app.embeddings()
    return await _ask(app, VectorStoreIndex.from_documents(DOCUMENTS).as_query_engine(), "query")


@shape("SubQuestionQueryEngine", calls=4)
async def sub_questions(app: App) -> Any:
    model = app.model()
    engine = SummaryIndex.from_documents(DOCUMENTS).as_query_engine(llm=model)
    tool = QueryEngineTool.from_defaults(engine, name="weather", description="knows the weather")
    generator = LLMQuestionGenerator.from_defaults(model, SUB_QUESTIONS)
    options = {"llm": model, "question_gen": generator, "verbose": False}
    return await _ask(app, SubQuestionQueryEngine.from_defaults([tool], **options), "query")


def _memory(*history: ChatMessage) -> ChatMemoryBuffer:
    # The default memory is an SQLite connection that nobody closes, in a thread of its own.
    return ChatMemoryBuffer.from_defaults([*history], token_limit=1000)


@shape("chat engine with memory", calls=2)
async def chat(app: App) -> Any:
    engine = SimpleChatEngine.from_defaults(llm=app.model(), memory=_memory())
    return [await _ask(app, engine, "chat", question) for question in QUESTIONS]


@shape("chat engine with memory, streamed")
async def chat_stream(app: App) -> Any:
    engine = SimpleChatEngine.from_defaults(llm=app.model(), memory=_memory())
    return await _ask(app, engine, "stream_chat")


@shape("chat engine with context")
async def chat_context(app: App) -> Any:
    index = SummaryIndex.from_documents(DOCUMENTS)
    options = {"llm": app.model(), "chat_mode": ChatMode.CONTEXT, "memory": _memory()}
    return await _ask(app, index.as_chat_engine(**options), "chat")


@shape("chat engine that condenses", calls=2, prompts=(OWN, OTHER))
async def chat_condense(app: App) -> Any:
    engine = CondensePlusContextChatEngine.from_defaults(
        SummaryIndex.from_documents(DOCUMENTS).as_retriever(),
        llm=app.model(),
        memory=_memory(ChatMessage("Hi"), ChatMessage("Ho", role="assistant")),
        condense_prompt=template(app, "{question}"),
        context_prompt=template(app, "{context_str}", OTHER),
    )
    return await _ask(app, engine, "chat")
