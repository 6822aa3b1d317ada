"""Every way the LiteLLM SDK asks the gateway, each written once for both kinds of function."""

from __future__ import annotations

import asyncio
import io
import os
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import uuid4

import litellm

from shapes.either import first
from shapes.litellm_clients import cleared_away
from shapes.shape import QUESTION, QUESTIONS, registry

if TYPE_CHECKING:
    from shapes.litellm_application import LiteLLMApplication as App

__all__ = ["SHAPES"]

SHAPES, shape = registry()
UNSEEN = {"observations": 0}  # by OpenInference
STREAM = {"stream": True}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
CHAT = "litellm_proxy/chat"
RESPONDING = "litellm_proxy/openai-chat"


def say(question: str = QUESTION, **more: Any) -> dict[str, Any]:
    """What a chat model is asked."""
    return {"messages": [{"role": "user", "content": question}], **more}


def asks(method: str, model: str, **given: Any) -> Any:
    """What asks by a function, and reads the answer."""

    async def run(app: App) -> Any:
        return await app.ask(litellm, method, model=model, **given)

    return run


# By the OpenAI clients that LiteLLM makes, and by its own HTTP handlers.
for provider in ("litellm_proxy/", "openai/"):
    text = {"prompt": QUESTION}
    response = {"input": QUESTION}
    by_chat = f"{provider}chat"
    by_responses = f"{provider}responses/openai-chat"
    for more, said in (({}, provider), (STREAM, f"{provider}, stream")):
        shape(f"completion, {said}", asks("completion", by_chat, **say(), **more))
        shape(f"completion, responses of {said}", asks("completion", by_responses, **say(), **more))
        shape(f"responses, {said}", asks("responses", f"{provider}openai-chat", **response, **more))
        shape(
            f"text_completion, {said}",
            asks("text_completion", f"{provider}openai-completion", **text, **more),
            **UNSEEN,
        )
    shape(f"embedding, {provider}", asks("embedding", f"{provider}openai-embed", input=[QUESTION]))
    shape(f"image_generation, {provider}", asks("image_generation", f"{provider}image", **text))


def messages(more: dict[str, Any]) -> Any:
    async def run(app: App) -> Any:
        given = say(model=CHAT, max_tokens=20, **more)
        answer = await app.ask(litellm.anthropic.messages, "create", **given)
        return [part.decode() for part in answer] if more else answer

    return run


shape("anthropic.messages.create", messages({}))
# Synchronously it returns an asynchronous stream.
shape("anthropic.messages.create, stream", messages(STREAM), kinds=("async",))
shape("completion, hosted_vllm/", asks("completion", "hosted_vllm/chat", **say()))
shape(
    "rerank, hosted_vllm/",
    asks("rerank", "hosted_vllm/rerank", query=QUESTION, documents=["a b", "c"]),
    **UNSEEN,
)
shape("moderation", asks("moderation", "litellm_proxy/moderate", input=QUESTION), **UNSEEN)
shape("speech", asks("speech", "litellm_proxy/speech", input=QUESTION, voice="alloy"), **UNSEEN)


@shape("transcription", **UNSEEN)
async def transcription(app: App) -> Any:
    sound = io.BytesIO(b"RIFF" + bytes(100))
    sound.name = "hello.wav"
    return await app.ask(litellm, "transcription", model="litellm_proxy/transcribe", file=sound)


@shape("completion, options of the call")
async def options(app: App) -> Any:
    extra = app.given({"extra_body": {"metadata": {"team": "red"}}})
    # LiteLLM writes into its own `metadata`, with us and without.
    return await app.ask(litellm, "completion", **say(model=CHAT), **extra, metadata={"a": "b"})


@shape("responses, options of the call")
async def response_options(app: App) -> Any:
    given = {"model": RESPONDING, "input": QUESTION, "metadata": {"team": "red"}}
    return await app.ask(litellm, "responses", **given)


@shape("completion, the gateway by default")
async def by_default(app: App) -> Any:
    given = {key: value for key, value in app.access.items() if not key.startswith("api_")}
    named = {"LITELLM_PROXY_API_BASE": app.access["api_base"], "LITELLM_PROXY_API_KEY": "sk-any"}
    with mock.patch.dict(os.environ, named), mock.patch.object(litellm, "use_litellm_proxy", True):
        return await app.call(litellm, "completion", **say(model="chat"), **given)


@shape("completion, tool call and its result", calls=2)
async def tools(app: App) -> Any:
    common: dict[str, Any] = {"model": "litellm_proxy/tools", "tools": [TOOL]}
    asked = await app.ask(litellm, "completion", **say(**common))
    message = asked.choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "fact-1"}
    turns = [*say()["messages"], message.model_dump(exclude_none=True), result]
    return [asked, await app.ask(litellm, "completion", messages=turns, **common)]


@shape("completion, stream left early")
async def stream_left(app: App) -> Any:
    stream = await app.call(litellm, "completion", **say(model=CHAT), **STREAM, **app.access)
    if app.is_async:
        return [part async for part in first(stream)]
    return [next(iter(stream))]


@shape("completion(num_retries=1) after a 503", generations=2)
async def retried(app: App) -> Any:
    question = f"{QUESTION} [[fail-once:503:{uuid4().hex}]]"
    return await app.ask(litellm, "completion", **say(question, model=CHAT), num_retries=1)


@shape("completion(max_retries=1) after a 503", generations=2)
async def sdk_retried(app: App) -> Any:
    question = f"{QUESTION} [[fail-once:503:{uuid4().hex}]]"
    return await app.ask(litellm, "completion", **say(question, model=CHAT), max_retries=1)


def fails(method: str, **given: Any) -> Any:
    async def run(app: App) -> Any:
        try:
            return await app.ask(litellm, method, **given)
        except litellm.InternalServerError as error:
            return [type(error).__name__, error.status_code]

    return run


FAIL = f"{QUESTION} [[fail:500]]"
shape("completion that fails", fails("completion", **say(FAIL, model=CHAT)))
shape("responses that fail", fails("responses", model=RESPONDING, input=FAIL))


@shape("completion(fallbacks=...) after a failure", calls=2)
async def fallbacks(app: App) -> Any:
    given = say(model=f"{CHAT}[[fail:500]]", fallbacks=[CHAT])
    return await app.ask(litellm, "completion", **given)


@shape("completion(fallbacks=...) in an event loop", kinds=("async",))
async def fallbacks_in_loop(app: App) -> Any:
    with cleared_away():
        return litellm.completion(**app.access, **say(model=CHAT, fallbacks=[CHAT]))


@shape("batch_completion", kinds=("sync",), calls=2)
async def batch(app: App) -> Any:
    asked = [say(question)["messages"] for question in QUESTIONS]
    return litellm.batch_completion(model=CHAT, messages=asked, **app.access)


@shape("batch_completion_models", kinds=("sync",))
async def batch_models(app: App) -> Any:
    return litellm.batch_completion_models(models=[CHAT], **say(), **app.access)


@shape("batch_completion_models_all_responses", kinds=("sync",))
async def batch_models_all(app: App) -> Any:
    return litellm.batch_completion_models_all_responses(models=[CHAT], **say(), **app.access)


@shape("calls side by side", kinds=("async",), calls=4)
async def side_by_side(app: App) -> Any:
    given = [say(f"question-{n}", model=CHAT) for n in range(4)]
    return await asyncio.gather(*(app.ask(litellm, "completion", **each) for each in given))


@shape("responses side by side", kinds=("async",), calls=4)
async def responses_side_by_side(app: App) -> Any:
    calls = [
        app.ask(litellm, "responses", model=RESPONDING, input=f"question-{n}") for n in range(4)
    ]
    return await asyncio.gather(*calls)


@shape("call after a cancelled one", kinds=("async",))
async def cancelled(app: App) -> Any:
    task = asyncio.create_task(app.ask(litellm, "completion", **say(model=CHAT)))
    task.cancel()
    await asyncio.wait([task])
    return await app.ask(litellm, "completion", **say(model=CHAT))


def routed(method: str, *models: str, **given: Any) -> Any:
    """What asks a Router whose deployments are at the gateway."""

    async def run(app: App) -> Any:
        router = app.router(*models)
        return await app.ask(router, method, **{"model": "group", **given})

    return run


shape("Router.completion", routed("completion", CHAT, **say()))
shape("Router.completion, stream", routed("completion", CHAT, **say(), **STREAM))
shape("Router.embedding", routed("embedding", "litellm_proxy/openai-embed", input=[QUESTION]))
shape("Router.responses", routed("responses", RESPONDING, input=QUESTION))
