"""Every way the OpenAI SDK calls a model, each written once for both kinds of client."""

from __future__ import annotations

import asyncio
import threading
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import openai
from pydantic import BaseModel

from shapes.either import each, entered, first, settle
from shapes.shape import OWN, QUESTION, registry

if TYPE_CHECKING:
    from shapes.openai_application import OpenAIApplication as App

__all__ = ["SHAPES"]

TRACER = "langfuse.openai"
SHAPES, shape = registry(told_to=TRACER)
PROMPT = {"prompts": (OWN,)}  # which this tracer alone is told of
UNSEEN = {"observations": 0}  # by this tracer
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}


class Colour(BaseModel):
    name: str


def say(question: str = QUESTION) -> dict[str, Any]:
    """What the chat model is asked."""
    return {"model": "chat", "messages": [{"role": "user", "content": question}]}


async def ask(app: App, method: str, given: dict[str, Any], client: Any = None) -> Any:
    """Call a method with what is given and what the caller writes in every call."""
    return await settle(attrgetter(method)(client or app.client)(**given, **app.extra))


def asks(method: str, given: dict[str, Any], *, of: Any = None) -> Any:
    """What asks a client, or what is made of it, by a method, and reads the answer."""

    async def run(app: App) -> Any:
        client = of(app.client) if of else app.client
        answer = await ask(app, method, {**given, **app.prompt}, client)
        if given.get("stream"):
            return [chunk async for chunk in each(answer)]
        return await settle(answer.parse()) if "raw_response" in method else answer

    return run


def _with_options(client: Any) -> Any:
    return client.with_options(timeout=30).with_options(max_retries=1)


CHAT, RAW, STREAM = "chat.completions.create", "with_raw_response", {"stream": True}
PARSED = {**say(), "response_format": Colour}
RESPONSE = {"model": "openai-chat", "input": QUESTION}
TEXT = {"model": "openai-completion", "prompt": QUESTION}
SPOKEN = {"model": "speech", "input": QUESTION, "voice": "alloy"}

shape("chat.completions.create", asks(CHAT, say()), **PROMPT)
shape("chat.completions.create, stream", asks(CHAT, {**say(), **STREAM}), **PROMPT)
shape("chat.completions.parse", asks("chat.completions.parse", PARSED), **PROMPT)
for method in (f"chat.completions.{RAW}.create", f"{RAW}.chat.completions.create"):
    name = method if method.startswith("chat") else f"client.{RAW}"
    shape(name, asks(method, say()), **PROMPT)
shape(
    "client.with_options",
    asks(CHAT, say(), of=lambda client: client.with_options(timeout=30)),
    **PROMPT,
)
shape("client.copy", asks(CHAT, say(), of=lambda client: client.copy()), **PROMPT)
shape("responses.create", asks("responses.create", RESPONSE), **PROMPT)
shape("responses.create, stream", asks("responses.create", {**RESPONSE, **STREAM}), **PROMPT)
shape(
    "responses.create through a chat model",
    asks("responses.create", {**RESPONSE, "model": "chat"}),
    **PROMPT,
)
shape("responses.parse", asks("responses.parse", {**RESPONSE, "text_format": Colour}), **PROMPT)
shape("completions.create", asks("completions.create", TEXT), **PROMPT)
shape("completions.create, stream", asks("completions.create", {**TEXT, **STREAM}), **PROMPT)
shape("AzureOpenAI at the gateway", asks(CHAT, say()), **PROMPT)


def plain(method: str, given: dict[str, Any]) -> Any:
    """What asks by a method that takes no prompt."""

    async def run(app: App) -> Any:
        answer = await ask(app, method, given)
        return getattr(answer, "content", answer)

    return run


EMBEDDED = {"model": "openai-embed", "input": QUESTION}
shape("embeddings.create", plain("embeddings.create", EMBEDDED))
shape("images.generate", plain("images.generate", {"model": "image", "prompt": QUESTION}), **UNSEEN)
shape("audio.speech.create", plain("audio.speech.create", SPOKEN), **UNSEEN)
shape(
    "moderations.create",
    plain("moderations.create", {"model": "moderate", "input": QUESTION}),
    **UNSEEN,
)


@shape("chat.completions.create, stream left early")
async def stream_left(app: App) -> Any:
    async with entered(await ask(app, CHAT, {**say(), **STREAM})) as stream:
        return [chunk async for chunk in first(each(stream))]


@shape("chat.completions.create, stream read in a thread", kinds=("sync",))
async def stream_thread(app: App) -> Any:
    stream = await ask(app, CHAT, {**say(), **STREAM})
    read: list[Any] = []
    thread = threading.Thread(target=lambda: read.extend(stream))
    thread.start()
    thread.join()
    return read


@shape("chat.completions.create, stream never read")
async def stream_unread(app: App) -> Any:
    return await settle((await ask(app, CHAT, {**say(), **STREAM})).close())


@shape("chat.completions.stream")
async def stream_helper(app: App) -> Any:
    async with entered(app.client.chat.completions.stream(**say(), **app.extra)) as stream:
        async for _ in each(stream):
            pass
        return await settle(stream.get_final_completion())


@shape("chat.completions.with_streaming_response.create", **UNSEEN)
async def streaming_response(app: App) -> Any:
    create = app.client.chat.completions.with_streaming_response.create
    async with entered(create(**say(), **app.extra)) as response:
        return await settle(response.parse())


@shape("responses.stream")
async def responses_stream_helper(app: App) -> Any:
    async with entered(app.client.responses.stream(**RESPONSE, **app.extra)) as stream:
        return [event.type async for event in each(stream)]


@shape("audio.transcriptions.create", **UNSEEN)
async def transcription(app: App) -> Any:
    # The SDK writes a form's nested metadata in a way that LiteLLM does not read.
    create = app.client.audio.transcriptions.create
    sound = ("hello.wav", b"RIFF" + bytes(100))
    headers = {"extra_headers": app.extra["extra_headers"]}
    return await settle(create(model="transcribe", file=sound, **headers))


@shape("tool call and its result", calls=2, **PROMPT)
async def tools(app: App) -> Any:
    common = {"model": "tools", "tools": [TOOL], **app.prompt}
    messages = say()["messages"]
    asked = await ask(app, CHAT, {**common, "messages": messages})
    message = asked.choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "fact-1"}
    messages = [*messages, message.model_dump(exclude_none=True), result]
    return [asked, await ask(app, CHAT, {**common, "messages": messages})]


@shape("retry after a 503", generations=2)
async def retried(app: App) -> Any:
    question = f"{QUESTION} [[fail-once:503:{uuid4().hex}]]"
    answer = await ask(app, CHAT, say(question), app.client.with_options(max_retries=1))
    return answer.choices[0].message.role


@shape("failed call")
async def failed(app: App) -> Any:
    try:
        await ask(app, CHAT, {**say(), "model": "broken"}, app.client.with_options(max_retries=0))
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code]


@shape("calls side by side", kinds=("async",), calls=4)
async def side_by_side(app: App) -> Any:
    return await asyncio.gather(*(ask(app, CHAT, say(f"question-{n}")) for n in range(4)))


@shape("call in a task", kinds=("async",))
async def in_task(app: App) -> Any:
    return await asyncio.create_task(ask(app, CHAT, say()))


@shape("call after a cancelled one", kinds=("async",))
async def cancelled(app: App) -> Any:
    task = asyncio.create_task(ask(app, CHAT, say()))
    task.cancel()
    await asyncio.wait([task])
    return await ask(app, CHAT, say())
