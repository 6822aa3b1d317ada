"""Chains: templates, prompts, several models, bindings, what wraps a model."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    RunnableLambda,
    RunnableParallel,
)
from langfuse import observe

from shapes.langchain_application import HANDLER, QUESTION
from shapes.langchain_shape import (
    LOST_ON_3_10,
    NESTED,
    App,
    Weather,
    registry,
    template,
    weather,
)
from shapes.shape import OTHER, OWN
from tracesplice_langchain import prompt_template

__all__ = ["OBSERVED", "SHAPES"]

SHAPES, shape = registry()
OBSERVED = "nested chains under @observe"
TWO: dict[str, Any] = {"generations": 2, "observations": 2, "traces": 1, "told_to": HANDLER}


@shape("chain", prompts=(OWN,), told_to=HANDLER)
async def chain(app: App) -> Any:
    runnable = template(app) | app.model() | StrOutputParser()
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())


@shape("chain, spliced as a whole", prompts=(OWN,), told_to=HANDLER)
async def spliced_chain(app: App) -> Any:
    runnable = app.splice(template(app) | app.plain_model() | StrOutputParser())
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())


@shape("chain, stream", prompts=(OWN,), told_to=HANDLER)
async def chain_stream(app: App) -> Any:
    runnable = template(app) | app.model() | StrOutputParser()
    return await app.stream(runnable, {"what": QUESTION}, app.config())


@shape("chain, batch", generations=2, observations=2, prompts=(OWN,), told_to=HANDLER)
async def chain_batch(app: App) -> Any:
    runnable = template(app) | app.model() | StrOutputParser()
    inputs = [{"what": "question-1"}, {"what": "question-2"}]
    return await app.call(runnable, "batch", inputs, app.config())


@shape("chain, astream_events", kinds=("async",), prompts=(OWN,), told_to=HANDLER)
async def chain_events(app: App) -> Any:
    runnable = template(app) | app.model() | StrOutputParser()
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


@shape("prompt_template", prompts=(OWN,), told_to=HANDLER)
async def helper(app: App) -> Any:
    runnable = prompt_template(app.prompts[OWN]) | app.model() | StrOutputParser()
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())


@shape(
    "two prompts in one chain",
    generations=2,
    observations=2,
    traces=1,
    prompts=(OWN, OTHER),
    told_to=HANDLER,
)
async def two_prompts(app: App) -> Any:
    first = template(app, OWN) | app.model() | StrOutputParser()
    second = {"what": first} | template(app, OTHER) | app.model() | StrOutputParser()
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
    result = ToolMessage("fact-1", tool_call_id=asked.tool_calls[0]["id"])
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


@shape(
    "nested chains under @observe",
    generations=2,
    observations=2,
    traces=1,
    prompts=(OWN,),
    told_to=HANDLER,
)
async def observed(app: App) -> Any:
    inner = template(app) | app.model() | StrOutputParser()
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


@shape("model called by a function of a chain", kinds=NESTED, prompts=(OWN,), told_to=HANDLER)
async def nested(app: App) -> Any:
    model = app.model()
    # Given no config, the model takes that of the runnable around it.
    runnable = template(app) | RunnableLambda(
        lambda value: model.invoke(value), afunc=lambda value: model.ainvoke(value)
    )
    return await app.call(runnable, "invoke", {"what": QUESTION}, app.config())
