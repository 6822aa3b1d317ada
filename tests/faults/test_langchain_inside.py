"""Whatever calls a gateway inside a LangChain run belongs to that run, whichever client it uses."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda, ensure_config
from langchain_core.tools import StructuredTool
from langchain_openai import OpenAIEmbeddings
from langgraph.graph import START, MessagesState, StateGraph

import tracesplice
from faults.langchain_calls import ids, model_of, openinference, parents
from faults.wire import links, say, spliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler

    from tracesplice_testing.model import ModelServer

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="no context for tasks before Python 3.11"
)


class Inside:
    """What is called inside runs: a function that asks the gateway by a plain OpenAI client."""

    def __init__(self, url: str, handler: Any) -> None:
        self.url = url
        self.handler = handler
        self.runs: list[str] = []

    def note(self) -> None:
        run: Any = ensure_config()["callbacks"]
        self.runs.append(self.handler._runs[run.parent_run_id].id)

    def ask(self, value: Any) -> Any:
        self.note()
        with spliced(openai.OpenAI, self.url) as client:
            say(client)
        return value

    async def aask(self, value: Any) -> Any:
        self.note()
        async with spliced(openai.AsyncOpenAI, self.url) as client:
            await say(client)
        return value

    def ask_in_a_loop(self, value: Any) -> Any:
        return asyncio.run(self.aask(value))


def lambda_of(inside: Inside) -> Any:
    return RunnableLambda(inside.ask, afunc=inside.aask)


def graph(node: Any) -> Any:
    built: Any = StateGraph(MessagesState).add_node("n", node).add_edge(START, "n").compile()
    start: Any = RunnableLambda(lambda _: {"messages": ["hi"]})
    return start | built


def graph_of(inside: Inside) -> Any:
    async def anode(state: MessagesState) -> Any:
        return await inside.aask(state)

    return graph(anode)


def sync_graph_of(inside: Inside) -> Any:
    return graph(inside.ask)


def tool_of(inside: Inside) -> Any:
    def tool(x: str) -> Any:
        """A tool."""
        return inside.ask(x)

    async def atool(x: str) -> Any:
        """A tool."""
        return await inside.aask(x)

    return RunnableLambda(lambda x: {"x": x}) | StructuredTool.from_function(tool, atool)


def loop_of(inside: Inside) -> Any:
    return RunnableLambda(inside.ask_in_a_loop)


PLACES = {
    "lambda": lambda_of,
    "graph": graph_of,
    "graph of functions": sync_graph_of,
    "tool": tool_of,
    "asyncio.run": loop_of,
}


def in_each_way(runnable: Any, config: RunnableConfig) -> None:
    async def ways() -> None:
        await runnable.ainvoke("hi", config)
        await runnable.abatch(["hi", "ho"], config)
        async for _ in runnable.astream("hi", config):
            pass

    asyncio.run(ways())


@pytest.mark.parametrize("enclosed", [False, True])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_plain_client_inside_a_run(
    wire: ModelServer,
    langfuse: Langfuse,
    make_handler: Callable[[], CallbackHandler],
    place: Any,
    enclosed: bool,
) -> None:
    handler = make_handler()
    inside = Inside(wire.url, handler)
    config: RunnableConfig = {
        "callbacks": [handler],
        "metadata": {"langfuse_user_id": "ada", "langfuse_prompt": {"name": "p", "version": 2}},
        "tags": ["t"],
    }
    if enclosed:
        with langfuse.start_as_current_observation(name="enclosing"):
            in_each_way(place(inside), config)
    else:
        in_each_way(place(inside), config)
    assert sorted(filter(None, parents(wire))) == sorted(inside.runs)
    assert len(set(inside.runs)) == len(wire.calls) == 4
    for _, sent, _ in links(wire):
        assert (sent["trace_user_id"], sent["tags"]) == ("ada", ["t"])
        assert sent["prompt"]["name"] == "p"


def test_what_is_opened_inside_a_run_is_nearer(
    wire: ModelServer, langfuse: Langfuse, make_handler: Callable[[], CallbackHandler]
) -> None:
    handler = make_handler()
    inside = Inside(wire.url, handler)
    spans: list[str] = []

    async def ask(value: str) -> None:
        with langfuse.start_as_current_observation(name="inside") as span:
            spans.append(span.id)
            await inside.aask(value)

    asyncio.run(RunnableLambda(ask).ainvoke("hi", {"callbacks": [handler]}))
    assert parents(wire) == spans
    assert inside.runs != spans


def test_embeddings_inside_a_run(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler]
) -> None:
    handler = make_handler()
    inside = Inside(wire.url, handler)

    async def search(text: str) -> Any:
        inside.note()
        embeddings = model_of(wire, OpenAIEmbeddings, check_embedding_ctx_length=False)
        return await tracesplice.splice(embeddings).aembed_query(text)

    asyncio.run(RunnableLambda(search).ainvoke("hi", {"callbacks": [handler]}))
    [request] = wire.calls
    sent: Any = request.json
    assert [sent["litellm_metadata"]["parent_observation_id"]] == inside.runs


@pytest.mark.parametrize("is_async", [False, True])
def test_a_model_that_is_told_of_no_run_belongs_to_the_one_around_it(
    wire: ModelServer, is_async: bool
) -> None:
    model, given = tracesplice.splice(model_of(wire)), [[HumanMessage("hi")]]

    async def aask(_: Any) -> Any:
        return await model.agenerate(given)

    chain: Any = RunnableLambda(lambda _: model.generate(given), afunc=aask)
    with openinference() as spans:
        if is_async:
            asyncio.run(chain.ainvoke("x"))
        else:
            copy_context().run(chain.invoke, "x")
    run, generation = spans
    assert parents(wire) == ids([generation])
    assert generation.parent.span_id == run.get_span_context().span_id


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_spliced", [False, True])
def test_a_model_that_is_told_of_no_run_stays_where_it_would_be_without_us(
    wire: ModelServer, langfuse: Langfuse, is_spliced: bool, is_async: bool
) -> None:
    """A spliced one within an observation inside the run; any other one in any place."""
    model, given = model_of(wire), [[HumanMessage("hi")]]
    spliced = tracesplice.splice(model_of(wire))  # the classes are wrapped
    inside: list[int | None] = []

    @contextmanager
    def opened() -> Iterator[Any]:
        if not is_spliced:
            inside.append(None)
            yield model
            return
        with langfuse.start_as_current_observation(name="inside") as span:
            inside.append(int(span.id, 16))
            yield spliced

    def ask(_: Any) -> Any:
        with opened() as asked:
            return asked.generate(given)

    async def aask(_: Any) -> Any:
        with opened() as asked:
            return await asked.agenerate(given)

    chain: Any = RunnableLambda(ask, afunc=aask)
    with openinference() as spans:
        if is_async:
            asyncio.run(chain.ainvoke("x"))
        else:
            copy_context().run(chain.invoke, "x")
    parent = spans[-1].parent
    assert [None if parent is None else parent.span_id] == inside
