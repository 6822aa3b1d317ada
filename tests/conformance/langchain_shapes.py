"""Every way LangChain and LangGraph call a model, each written once for both kinds of call."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    ConfigurableField,
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
)
from langfuse import observe
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from conformance.langchain_application import QUESTION, LangChainApplication
from conformance.shape import OTHER, OWN, Shape
from tracesplice_langchain import prompt_template

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SHAPES"]

App = LangChainApplication
SHAPES: list[Shape] = []
# LangChain can pass the config of the runnable around a call, and with it the handler, on to a task
# from Python 3.11 on.
NESTED = ("sync", "async") if sys.version_info >= (3, 11) else ("sync",)
LOST_ON_3_10 = 1 if sys.version_info >= (3, 11) else None


class Weather(BaseModel):
    """The weather in a city."""

    city: str


def weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"sunny in {city}"


def shape(name: str, **options: Any) -> Callable[[Any], Any]:
    def register(run: Any) -> Any:
        SHAPES.append(Shape(name, lambda app, _: run(app), **options))
        return run

    return register


def _template(app: App, prompt: str = OWN) -> ChatPromptTemplate:
    metadata = {"langfuse_prompt": app.prompts[prompt]}
    return ChatPromptTemplate([("user", "{what}")], metadata=metadata)


@shape("ChatOpenAI.invoke")
async def invoke(app: App) -> Any:
    return await app.call(app.model(), "invoke", QUESTION, app.config())


@shape("ChatOpenAI.stream")
async def stream(app: App) -> Any:
    return await app.stream(app.model(), QUESTION, app.config())


@shape("ChatOpenAI.stream, left early")
async def stream_left(app: App) -> Any:
    model = app.model()
    method = model.astream if app.is_async else model.stream
    chunks = method(QUESTION, app.config())
    if not app.is_async:
        first = next(chunks)
        chunks.close()
        return first
    first = await anext(chunks)
    await chunks.aclose()
    return first


@shape("ChatOpenAI(streaming=True).invoke")
async def streaming(app: App) -> Any:
    return await app.call(app.model(streaming=True), "invoke", QUESTION, app.config())


@shape("ChatOpenAI.batch", generations=2, observations=2)
async def batch(app: App) -> Any:
    return await app.call(app.model(), "batch", ["question-1", "question-2"], app.config())


@shape("ChatOpenAI.generate, two inputs", generations=2, observations=2)
async def generate(app: App) -> Any:
    inputs = [[HumanMessage("question-1")], [HumanMessage("question-2")]]
    result = await app.call(app.model(), "generate", inputs, callbacks=app.callbacks)
    return [answers[0].text for answers in result.generations]


@shape("ChatOpenAI(streaming=True).generate, two inputs", generations=2, observations=2)
async def generate_streaming(app: App) -> Any:
    inputs = [[HumanMessage("question-1")], [HumanMessage("question-2")]]
    model = app.model(streaming=True)
    result = await app.call(model, "generate", inputs, callbacks=app.callbacks)
    return [answers[0].text for answers in result.generations]


@shape("ChatOpenAI.astream_events", kinds=("async",))
async def events(app: App) -> Any:
    stream = app.model().astream_events(QUESTION, app.config(), version="v2")
    return [event["event"] async for event in stream]


@shape("ChatOpenAI.invoke, options of the call")
async def call_options(app: App) -> Any:
    config = app.config()
    extra = app.given({"metadata": {"team": "red"}})
    headers = app.given({"x-team": "red"})
    model = app.model(model_kwargs={"user": "bob"}, default_headers={"x-team": "blue"})
    return await app.call(
        model, "invoke", QUESTION, config, extra_body=extra, extra_headers=headers
    )


@shape("ChatOpenAI(use_responses_api=True).invoke")
async def responses(app: App) -> Any:
    model = app.model("openai-chat", use_responses_api=True)
    return await app.call(model, "invoke", QUESTION, app.config())


@shape("ChatOpenAI(use_responses_api=True).stream")
async def responses_stream(app: App) -> Any:
    model = app.model("openai-chat", use_responses_api=True)
    chunks = await app.stream(model, QUESTION, app.config())
    return [chunk.text for chunk in chunks]


@shape("ChatOpenAI(max_retries=1).invoke after a 503", generations=2)
async def sdk_retry(app: App) -> Any:
    question = f"{QUESTION} [[fail-once:503:{uuid4().hex}]]"
    return (await app.call(app.model(max_retries=1), "invoke", question, app.config())).content


@shape("AzureChatOpenAI.invoke")
async def azure(app: App) -> Any:
    return await app.call(app.azure_model(), "invoke", QUESTION, app.config())


@shape("handler in the constructor")
async def handler_of_model(app: App) -> Any:
    return await app.call(app.model(callbacks=app.callbacks), "invoke", QUESTION)


@shape("handler by with_config")
async def handler_of_binding(app: App) -> Any:
    return await app.call(app.model().with_config(app.config()), "invoke", QUESTION)


@shape("model_copy of a spliced model")
async def copied(app: App) -> Any:
    copy = app.model().model_copy(update={"temperature": 0})
    return await app.call(copy, "invoke", QUESTION, app.config())


@shape("configurable_fields of a spliced model")
async def configurable(app: App) -> Any:
    model = app.model().configurable_fields(temperature=ConfigurableField("temperature"))
    config = app.config(configurable={"temperature": 0})
    return await app.call(model, "invoke", QUESTION, config)


@shape("chain", prompts=(OWN,))
async def chain(app: App) -> Any:
    runnable = _template(app) | app.model() | StrOutputParser()
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())


@shape("chain, spliced as a whole", prompts=(OWN,))
async def spliced_chain(app: App) -> Any:
    runnable = app.splice(_template(app) | app.plain_model() | StrOutputParser())
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())


@shape("chain, stream", prompts=(OWN,))
async def chain_stream(app: App) -> Any:
    runnable = _template(app) | app.model() | StrOutputParser()
    return await app.stream(runnable, {"what": QUESTION}, app.config())


@shape("chain, batch", generations=2, observations=2, prompts=(OWN,))
async def chain_batch(app: App) -> Any:
    runnable = _template(app) | app.model() | StrOutputParser()
    inputs = [{"what": "question-1"}, {"what": "question-2"}]
    return await app.call(runnable, "batch", inputs, app.config())


@shape("chain, astream_events", kinds=("async",), prompts=(OWN,))
async def chain_events(app: App) -> Any:
    runnable = _template(app) | app.model() | StrOutputParser()
    stream = runnable.astream_events({"what": QUESTION}, app.config(), version="v2")
    return [event["event"] async for event in stream]


@shape("chain, prompt in the config", prompts=(OWN,))
async def chain_config_prompt(app: App) -> Any:
    runnable = ChatPromptTemplate([("user", "{what}")]) | app.model() | StrOutputParser()
    config = app.config(metadata={"langfuse_prompt": app.prompts[OWN]})
    return await app.call(runnable, "invoke", {"what": QUESTION}, config)


@shape("chain without a template, prompt by with_config", prompts=(OWN,))
async def chain_own_prompt(app: App) -> Any:
    metadata = {"langfuse_prompt": app.prompts[OWN]}
    runnable = (app.model() | StrOutputParser()).with_config(metadata=metadata)
    return await app.call(runnable, "invoke", QUESTION, app.config())


@shape("prompt in the config of a model", prompts=(OWN,))
async def model_config_prompt(app: App) -> Any:
    config = app.config(metadata={"langfuse_prompt": app.prompts[OWN]})
    return await app.call(app.model(), "invoke", QUESTION, config)


@shape("prompt_template", prompts=(OWN,))
async def helper(app: App) -> Any:
    runnable = prompt_template(app.prompts[OWN]) | app.model() | StrOutputParser()
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())


@shape("two prompts in one chain", generations=2, observations=2, traces=1, prompts=(OWN, OTHER))
async def two_prompts(app: App) -> Any:
    first = _template(app, OWN) | app.model() | StrOutputParser()
    second = {"what": first} | _template(app, OTHER) | app.model() | StrOutputParser()
    return await app.call(second, "invoke", {"what": QUESTION}, app.config())


USER = ("ada", "session-7", ("beta",))


@shape("user, session and tags in the metadata", attributes=USER)
async def trace_attributes(app: App) -> Any:
    metadata = {
        "langfuse_user_id": USER[0],
        "langfuse_session_id": USER[1],
        "langfuse_tags": list(USER[2]),
    }
    runnable = ChatPromptTemplate([("user", "{what}")]) | app.model() | StrOutputParser()
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config(metadata=metadata))


@shape("RunnableParallel of two models", generations=2, observations=2, traces=1)
async def parallel(app: App) -> Any:
    second: Any = RunnableLambda(lambda _: "question-2") | app.model()
    runnable = RunnableParallel(one=app.model(), two=second)
    return await app.call(runnable, "invoke", QUESTION, app.config())


@shape("bind_tools and the tool's answer", generations=2, observations=2)
async def tools(app: App) -> Any:
    model = app.model("tools").bind_tools([weather])
    question = HumanMessage(QUESTION)
    asked = await app.call(model, "invoke", [question], app.config())
    result = ToolMessage("sunny", tool_call_id=asked.tool_calls[0]["id"])
    answer = await app.call(model, "invoke", [question, asked, result], app.config())
    return [asked.tool_calls[0]["name"], answer.content]


@shape("with_structured_output, function calling", traces=1)
async def structured_by_tool(app: App) -> Any:
    model = app.model("tools").with_structured_output(Weather, method="function_calling")
    return await app.call(model, "invoke", QUESTION, app.config())


@shape("with_structured_output, JSON schema", traces=1)
async def structured_by_schema(app: App) -> Any:
    model = app.model().with_structured_output(Weather, method="json_schema")
    return await app.call(model, "invoke", QUESTION, app.config())


@shape("with_structured_output, JSON schema, stream", traces=1)
async def structured_stream(app: App) -> Any:
    model = app.model().with_structured_output(Weather, method="json_schema")
    return await app.stream(model, QUESTION, app.config())


@shape("with_fallbacks after a failure", generations=2, observations=2, traces=LOST_ON_3_10)
async def fallbacks(app: App) -> Any:
    model = app.model("broken").with_fallbacks([app.model()])
    return await app.call(model, "invoke", QUESTION, app.config())


@shape("with_fallbacks, stream", generations=2, observations=2, traces=LOST_ON_3_10)
async def fallbacks_stream(app: App) -> Any:
    model = app.model("broken").with_fallbacks([app.model()])
    return await app.stream(model, QUESTION, app.config())


@shape("with_retry after a 500", generations=2, observations=2, traces=1)
async def retry(app: App) -> Any:
    model = app.model().with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    question = f"{QUESTION} [[fail-once:500:{uuid4().hex}]]"
    return (await app.call(model, "invoke", question, app.config())).content


@shape("nested chains under @observe", generations=2, observations=2, traces=1, prompts=(OWN,))
async def observed(app: App) -> Any:
    inner = _template(app) | app.model() | StrOutputParser()
    outer = inner | (lambda text: {"what": text}) | inner
    if app.is_async:

        @observe(name="ask")
        async def ask() -> Any:
            return await outer.ainvoke({"what": QUESTION}, app.config())

        return await ask()

    @observe(name="ask")
    def ask_sync() -> Any:
        return outer.invoke({"what": QUESTION}, app.config())

    return ask_sync()


@shape("model called by a function of a chain", kinds=NESTED, prompts=(OWN,))
async def nested(app: App) -> Any:
    model = app.model()
    # Given no config, the model takes that of the runnable around it.
    runnable = _template(app) | RunnableLambda(
        lambda value: model.invoke(value), afunc=lambda value: model.ainvoke(value)
    )
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())


AGENT: dict[str, Any] = {"kinds": NESTED, "generations": 2, "observations": 2, "traces": 1}


def _agent(app: App) -> Any:
    return create_agent(app.model("tools"), [weather])


@shape("create_agent with a tool", **AGENT)
async def agent(app: App) -> Any:
    state = await app.call(_agent(app), "invoke", {"messages": [QUESTION]}, app.config())
    return [message.content for message in state["messages"]]


@shape("create_agent with a tool, spliced as a whole", **AGENT)
async def spliced_agent(app: App) -> Any:
    graph = app.splice(create_agent(app.plain_model("tools"), [weather]))
    state = await app.call(graph, "invoke", {"messages": [QUESTION]}, app.config())
    return [message.content for message in state["messages"]]


@shape("create_agent with a tool, stream of messages", **AGENT)
async def agent_stream(app: App) -> Any:
    chunks = await app.stream(
        _agent(app), {"messages": [QUESTION]}, app.config(), stream_mode="messages"
    )
    return [message.content for message, _ in chunks]


@shape("create_agent with a tool, astream_events", **{**AGENT, "kinds": NESTED[1:]})
async def agent_events(app: App) -> Any:
    stream = _agent(app).astream_events({"messages": [QUESTION]}, app.config(), version="v2")
    return [event["event"] async for event in stream]


@shape("create_agent, prompt in the config", prompts=(OWN,), **AGENT)
async def agent_prompt(app: App) -> Any:
    config = app.config(metadata={"langfuse_prompt": app.prompts[OWN]})
    state = await app.call(_agent(app), "invoke", {"messages": [QUESTION]}, config)
    return [message.content for message in state["messages"]]


@shape("graph, interrupted and resumed", kinds=NESTED, generations=2, observations=2)
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
    await app.call(graph, "invoke", {"messages": [QUESTION]}, config)
    state = await app.call(graph, "invoke", Command(resume="question-2"), config)
    return [message.content for message in state["messages"]]


@shape("OpenAIEmbeddings", observations=0)
async def embeddings(app: App) -> Any:
    return await app.call(app.embeddings(), "embed_documents", [QUESTION])
