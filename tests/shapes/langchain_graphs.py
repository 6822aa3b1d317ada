"""LangGraph: agents, and a graph that is interrupted and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from shapes.langchain_shape import NESTED, App, events, registry, weather
from shapes.shape import OWN, QUESTION, QUESTIONS

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = ["SHAPES"]

SHAPES, shape = registry(kinds=NESTED)
AGENT: dict[str, Any] = {"calls": 2, "traces": 1}
ASKED = {"messages": [QUESTION]}


def _agent(app: App) -> Any:
    return create_agent(app.model("tools"), [weather])


async def _contents(app: App, graph: Any, given: Any, config: Any) -> list[Any]:
    state = await app.call(graph, "invoke", given, config)
    return [message.content for message in state["messages"]]


@shape("create_agent with a tool", **AGENT)
async def agent(app: App) -> Any:
    return await _contents(app, _agent(app), ASKED, app.config())


@shape("create_agent with a tool, spliced as a whole", **AGENT)
async def spliced_agent(app: App) -> Any:
    graph = app.splice(create_agent(app.plain_model("tools"), [weather]))
    return await _contents(app, graph, ASKED, app.config())


@shape("create_agent with a tool, stream of messages", **AGENT)
async def agent_stream(app: App) -> Any:
    options = {"stream_mode": "messages"}
    chunks = await app.ask(_agent(app), "stream", ASKED, app.config(), **options)
    return [message.content for message, _ in chunks]


shape(
    "create_agent with a tool, astream_events",
    events(_agent, ASKED),
    **{**AGENT, "kinds": NESTED[1:]},
)


@shape("create_agent, prompt in the config", prompts=(OWN,), **AGENT)
async def agent_prompt(app: App) -> Any:
    config = app.config(metadata={"langfuse_prompt": app.prompts[OWN]})
    return await _contents(app, _agent(app), ASKED, config)


@shape("graph, interrupted and resumed", calls=2)
async def interrupted(app: App) -> Any:
    model = app.model()

    def ask(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    async def aask(state: MessagesState, config: RunnableConfig) -> Any:
        return {"messages": [await model.ainvoke(state["messages"], config)]}

    def approve(state: MessagesState) -> Any:
        return {"messages": [interrupt("Go on?")]}

    builder = StateGraph(MessagesState)
    builder.add_node("first", aask if app.is_async else ask)
    builder.add_node("approve", approve)
    builder.add_node("second", aask if app.is_async else ask)
    for start, end in ((START, "first"), ("first", "approve"), ("approve", "second")):
        builder.add_edge(start, end)
    builder.add_edge("second", END)
    graph = builder.compile(checkpointer=InMemorySaver())
    config = app.config(configurable={"thread_id": uuid4().hex})
    await _contents(app, graph, ASKED, config)
    return await _contents(app, graph, Command(resume=QUESTIONS[1]), config)
