"""What a LangChain chat model is asked for by itself, and embeddings."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langchain_core.runnables import ConfigurableField

from shapes.either import each, first, settle
from shapes.langchain_shape import App, asks, events, registry
from shapes.shape import QUESTION, QUESTIONS

__all__ = ["SHAPES"]

SHAPES, shape = registry()


def _streaming(app: App) -> Any:
    return app.model(streaming=True)


def _responses(app: App) -> Any:
    return app.model("openai-chat", use_responses_api=True)


def _generates(made: Any) -> Any:
    async def run(app: App) -> Any:
        inputs = [[HumanMessage(question)] for question in QUESTIONS]
        result = await app.call(made(app), "generate", inputs, callbacks=app.callbacks)
        return [answers[0].text for answers in result.generations]

    return run


async def _embeds(app: App) -> Any:
    return await app.call(app.embeddings(), "embed_documents", [QUESTION])


shape("ChatOpenAI.invoke", asks())
shape("ChatOpenAI.stream", asks(method="stream"))
shape("ChatOpenAI(streaming=True).invoke", asks(_streaming))
shape("ChatOpenAI.batch", asks(method="batch", given=QUESTIONS), calls=2)
shape("ChatOpenAI.generate, two inputs", _generates(App.model), calls=2)
shape("ChatOpenAI(streaming=True).generate, two inputs", _generates(_streaming), calls=2)
shape("ChatOpenAI.astream_events", events(App.model), kinds=("async",))
shape("ChatOpenAI(use_responses_api=True).invoke", asks(_responses))
shape("ChatOpenAI(use_responses_api=True).stream", asks(_responses, "stream"))
shape("AzureChatOpenAI.invoke", asks(App.azure_model))
shape("OpenAI.invoke", asks(App.completion_model))
shape("OpenAI.stream", asks(App.completion_model, "stream"))
shape("OpenAIEmbeddings", _embeds, observations=0)


@shape("ChatOpenAI.stream, left early")
async def stream_left(app: App) -> Any:
    stream = await app.call(app.model(), "stream", QUESTION, app.config())
    read = [chunk async for chunk in first(each(stream))]
    await settle(stream.aclose() if app.is_async else stream.close())
    return read


@shape("ChatOpenAI.stream, read elsewhere", opens_span=True)
async def stream_read_elsewhere(app: App) -> Any:
    model = app.model()
    with app.span("asked here"):
        chunks = await app.call(model, "stream", QUESTION, app.config())
    return [chunk async for chunk in each(chunks)]


@shape("ChatOpenAI.invoke, options of the call")
async def call_options(app: App) -> Any:
    options = {"extra_body": {"metadata": {"team": "red"}}, "extra_headers": {"x-team": "red"}}
    model = app.model(model_kwargs={"user": "bob"}, default_headers={"x-team": "blue"})
    return await app.call(model, "invoke", QUESTION, app.config(), **app.given(options))


@shape("ChatOpenAI(max_retries=1).invoke after a 503", generations=2)
async def sdk_retry(app: App) -> Any:
    question = f"{QUESTION} [[fail-once:503:{uuid4().hex}]]"
    return (await app.call(app.model(max_retries=1), "invoke", question, app.config())).content


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
