"""Chains: templates, prompts, several models, bindings, what wraps a model."""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from uuid import uuid4

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langfuse import get_client, observe

from shapes.langchain_application import HANDLER
from shapes.langchain_shape import (
    NESTED,
    WHAT,
    App,
    Weather,
    asks,
    chain,
    events,
    registry,
    template,
    weather,
)
from shapes.shape import OTHER, OWN, QUESTION, QUESTIONS
from tracesplice_langchain import prompt_template

__all__ = ["SHAPES"]

SHAPES, shape = registry()
TEMPLATE: dict[str, Any] = {"prompts": (OWN,), "told_to": HANDLER}
TWO_PROMPTS: dict[str, Any] = {"prompts": (OWN, OTHER), "told_to": HANDLER}
LOST_ON_3_10 = 1 if sys.version_info >= (3, 11) else None
USER = ("ada", "session-7", ("beta",))
IN_METADATA = {
    "langfuse_user_id": USER[0],
    "langfuse_session_id": USER[1],
    "langfuse_tags": list(USER[2]),
}
PLAIN = ChatPromptTemplate([("user", "{what}")])
MANY = 20


def _metadata(app: App) -> dict[str, Any]:
    return {"langfuse_prompt": app.prompts[OWN]}


def _with_helper(app: App) -> Any:
    return prompt_template(app.prompts[OWN]) | app.model() | StrOutputParser()


def _spliced(app: App) -> Any:
    return app.splice(template(app) | app.plain_model() | StrOutputParser())


def _without_template(app: App) -> Any:
    return (app.model() | StrOutputParser()).with_config(metadata=_metadata(app))


def _two_prompts(app: App) -> Any:
    return {"what": chain(app)} | chain(app, OTHER)


def _parallel(app: App) -> Any:
    second: Any = RunnableLambda(lambda _: QUESTIONS[1]) | app.model()
    return RunnableParallel(one=app.model(), two=second)


def _structured(model: str, method: Any) -> Any:
    return lambda app: app.model(model).with_structured_output(Weather, method=method)


def _fallbacks(app: App) -> Any:
    return app.model("broken").with_fallbacks([app.model()])


def _nested(app: App) -> Any:
    model = app.model()
    # Given no config, the model takes that of the runnable around it.
    return template(app) | RunnableLambda(lambda said: model.invoke(said), afunc=model.ainvoke)


BATCH = [{"what": question} for question in QUESTIONS]
BY_SCHEMA = _structured("chat", "json_schema")
shape("chain", asks(chain, given=WHAT), **TEMPLATE)
shape("chain, spliced as a whole", asks(_spliced, given=WHAT), **TEMPLATE)
shape("chain, stream", asks(chain, "stream", WHAT), **TEMPLATE)
shape("chain, batch", asks(chain, "batch", BATCH), calls=2, **TEMPLATE)
shape("chain, astream_events", events(chain, WHAT), kinds=("async",), **TEMPLATE)
shape("chain without a template, prompt by with_config", asks(_without_template), prompts=(OWN,))
shape("prompt_template", asks(_with_helper, given=WHAT), **TEMPLATE)
shape("two prompts in one chain", asks(_two_prompts, given=WHAT), calls=2, traces=1, **TWO_PROMPTS)
shape("RunnableParallel of two models", asks(_parallel), calls=2, traces=1)
shape(
    "with_structured_output, function calling",
    asks(_structured("tools", "function_calling")),
    traces=1,
)
shape("with_structured_output, JSON schema", asks(BY_SCHEMA), traces=1)
shape("with_structured_output, JSON schema, stream", asks(BY_SCHEMA, "stream"), traces=1)
shape("with_fallbacks after a failure", asks(_fallbacks), calls=2, traces=LOST_ON_3_10)
shape("with_fallbacks, stream", asks(_fallbacks, "stream"), calls=2, traces=LOST_ON_3_10)
shape("model called by a function of a chain", asks(_nested, given=WHAT), kinds=NESTED, **TEMPLATE)


@shape("chain, prompt in the config", prompts=(OWN,))
async def config_prompt(app: App) -> Any:
    config = app.config(metadata=_metadata(app))
    return await app.call(PLAIN | app.model() | StrOutputParser(), "invoke", WHAT, config)


@shape("prompt in the config of a model", prompts=(OWN,))
async def model_config_prompt(app: App) -> Any:
    return await app.call(app.model(), "invoke", QUESTION, app.config(metadata=_metadata(app)))


@shape("user, session and tags in the metadata", attributes=USER)
async def trace_attributes(app: App) -> Any:
    config = app.config(metadata=IN_METADATA)
    return await app.call(PLAIN | app.model() | StrOutputParser(), "invoke", WHAT, config)


@shape("many chains at once", calls=MANY, **TWO_PROMPTS)
async def many(app: App) -> Any:
    model, config = app.model(), app.config()
    chains = [template(app, name) | model | StrOutputParser() for name in (OWN, OTHER)]
    calls = [(chains[n % 2], {"what": f"question-{n}"}) for n in range(MANY)]
    if app.is_async:
        return await asyncio.gather(*(made.ainvoke(what, config) for made, what in calls))
    one = RunnableLambda(lambda call: call[0].invoke(call[1], config))
    return one.batch(calls, {"max_concurrency": MANY})


@shape("bind_tools and the tool's answer", calls=2)
async def tools(app: App) -> Any:
    model = app.model("tools").bind_tools([weather])
    question = HumanMessage(QUESTION)
    asked = await app.call(model, "invoke", [question], app.config())
    result = ToolMessage("fact-1", tool_call_id=asked.tool_calls[0]["id"])
    answer = await app.call(model, "invoke", [question, asked, result], app.config())
    return [asked.tool_calls[0]["name"], answer.content]


@shape("with_retry after a 500", calls=2, traces=1)
async def retry(app: App) -> Any:
    model = app.model().with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    question = f"{QUESTION} [[fail-once:500:{uuid4().hex}]]"
    return (await app.call(model, "invoke", question, app.config())).content


@shape("nested chains under @observe", calls=2, traces=1, opens_span=True, **TEMPLATE)
async def observed(app: App) -> Any:
    outer = chain(app) | (lambda text: {"what": text}) | chain(app)
    if app.is_async:

        @observe(name="ask")
        async def ask() -> Any:
            app.enclosing = get_client().get_current_observation_id()
            return await outer.ainvoke(WHAT, app.config())

        return await ask()

    @observe(name="ask")
    def ask_sync() -> Any:
        app.enclosing = get_client().get_current_observation_id()
        return outer.invoke(WHAT, app.config())

    return ask_sync()
