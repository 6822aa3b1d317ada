"""Which models are found in what users hold, and which are not."""

from __future__ import annotations

import functools
from functools import partial
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    ConfigurableField,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnableWithMessageHistory,
)
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import SecretStr

from tracesplice_langchain._target import models_in

KEY = SecretStr("k")
MODEL = ChatOpenAI(base_url="http://gw:4000", api_key=KEY, model="m")
SECOND = AzureChatOpenAI(
    azure_endpoint="http://gw:4000", api_key=KEY, azure_deployment="m", api_version="1"
)
EMBEDDINGS = OpenAIEmbeddings(base_url="http://gw:4000", api_key=KEY)
TEMPLATE = ChatPromptTemplate([("user", "{x}")])


@tool
def lookup(city: str) -> str:
    """Look up a city."""
    return city


@tool
def ask_another(question: str) -> str:
    """Ask another model."""
    return str(SECOND.invoke(question).content)


def node(state: MessagesState) -> Any:
    return {"messages": [MODEL.invoke(state["messages"])]}


def node_by_helper(state: MessagesState) -> Any:
    return node(state)


class Team:
    def __init__(self) -> None:
        self.model = MODEL
        self.myself = self

    def answer(self, question: Any) -> Any:
        return self.model.invoke(question)


def takes_model(model: Any, question: Any) -> Any:
    return model.invoke(question)


def graph(function: Any) -> Any:
    return StateGraph(MessagesState).add_node("n", function).add_edge(START, "n").compile()


def node_of_closure() -> Any:
    model = MODEL

    async def inner(state: Any) -> Any:
        return await model.ainvoke(state)

    def outer(state: Any) -> Any:
        return inner(state)

    return outer


WRAPPED: dict[str, Any] = {
    "itself": MODEL,
    "bind_tools": MODEL.bind_tools([lookup]),
    "with_structured_output": MODEL.with_structured_output(
        {"title": "x", "type": "object", "properties": {}}, method="function_calling"
    ),
    "with_retry": MODEL.with_retry(),
    "map": MODEL.map(),
    "configurable_fields": MODEL.configurable_fields(temperature=ConfigurableField("t")),
    "configurable_alternatives": RunnablePassthrough[Any]().configurable_alternatives(
        ConfigurableField("x"), model=MODEL
    ),
    "chain": TEMPLATE | MODEL | StrOutputParser(),
    "assign": RunnablePassthrough.assign(answer=TEMPLATE | MODEL),
    "branch": RunnableBranch((lambda x: bool(x), MODEL), StrOutputParser()),
    "lambda": RunnableLambda(lambda x: MODEL.invoke(x)),
    "function of a lambda": RunnableLambda(node_of_closure()),
    "method": RunnableLambda(Team().answer),
    "partial": RunnableLambda(partial(takes_model, MODEL)),
    "graph": graph(node),
    "graph, function of the module": graph(node_by_helper),
    "graph of a runnable": graph(RunnableLambda(lambda state: state["messages"]) | MODEL),
    "agent": create_agent(MODEL, [lookup]),
    "subgraph": graph(create_agent(MODEL, [lookup])),
}


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED.keys())
def test_the_model_is_found(wrapped: Any) -> None:
    assert models_in(wrapped) == [MODEL]


@pytest.mark.parametrize(
    "wrapped",
    [
        MODEL.with_fallbacks([SECOND]),
        RunnableParallel(one=MODEL, two=SECOND),
        create_agent(MODEL, [ask_another]),
        TEMPLATE | MODEL | {"x": StrOutputParser()} | TEMPLATE | SECOND,
    ],
    ids=["fallbacks", "parallel", "tool of an agent", "two in a chain"],
)
def test_every_model_is_found(wrapped: Any) -> None:
    assert {type(model) for model in models_in(wrapped)} == {ChatOpenAI, AzureChatOpenAI}


@pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")
def test_the_model_behind_a_history_is_found() -> None:
    history = RunnableWithMessageHistory(MODEL, lambda: InMemoryChatMessageHistory())
    assert models_in(history) == [MODEL]


def test_the_embeddings_behind_a_retriever_are_found() -> None:
    chain = {"x": InMemoryVectorStore(EMBEDDINGS).as_retriever()} | TEMPLATE | MODEL
    assert {type(model) for model in models_in(chain)} == {OpenAIEmbeddings, ChatOpenAI}


def unfinished() -> Any:
    """A function of a variable that has no value."""

    later = None

    def inner(_: Any) -> Any:
        return later  # noqa: F821  (has no value)

    del later
    return inner


@functools.wraps(len)
def around_a_builtin(value: Any) -> int:
    return len(value)


@pytest.mark.parametrize(
    "empty",
    [
        *(TEMPLATE, StrOutputParser(), lookup),
        *map(RunnableLambda, (len, lambda x: x, unfinished(), around_a_builtin)),
    ],
)
def test_where_there_is_none_none_is_found(empty: Any) -> None:
    assert models_in(empty) == []
