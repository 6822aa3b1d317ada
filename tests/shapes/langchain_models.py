"""What a LangChain chat model is asked for by itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langchain_core.runnables import (
    ConfigurableField,
)

from shapes.langchain_application import QUESTION
from shapes.langchain_shape import (
    App,
    registry,
)

__all__ = ["SHAPES"]

SHAPES, shape = registry()


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
