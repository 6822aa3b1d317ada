"""Every way the Anthropic SDK calls a model, each written once for both kinds of client."""

from __future__ import annotations

import asyncio
import copy
import threading
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anthropic
from pydantic import BaseModel

from shapes.either import each, entered, first, settle
from shapes.shape import QUESTION, registry

if TYPE_CHECKING:
    from shapes.anthropic_application import AnthropicApplication as App

__all__ = ["SHAPES"]

SHAPES, shape = registry()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "input_schema": SCHEMA}
CREATE, BETA, RAW = "messages.create", "beta.messages.create", "with_raw_response"
STREAM = {"stream": True}


class Colour(BaseModel):
    name: str


def say(question: str = QUESTION, model: str = "claude") -> dict[str, Any]:
    """What the model is asked."""
    messages = [{"role": "user", "content": question}]
    return {"model": model, "max_tokens": 100, "messages": messages}


async def ask(app: App, method: str, given: dict[str, Any], client: Any = None) -> Any:
    """Call a method with what is given and what the caller writes in every call."""
    return await settle(attrgetter(method)(client or app.client)(**given, **app.extra))


def asks(method: str, given: dict[str, Any], *, of: Any = None) -> Any:
    """What asks a client, or what is made of it, by a method, and reads the answer."""

    async def run(app: App) -> Any:
        client = of(app.client) if of else app.client
        answer = await ask(app, method, given, client)
        if given.get("stream"):
            return [event async for event in each(answer)]
        return await settle(answer.parse()) if RAW in method else answer

    return run


shape(CREATE, asks(CREATE, say()))
shape(f"{CREATE}, stream", asks(CREATE, {**say(), **STREAM}))
shape("messages.parse", asks("messages.parse", {**say(), "output_format": Colour}))
shape(f"messages.{RAW}.create", asks(f"messages.{RAW}.create", say()))
shape(BETA, asks(BETA, say()))
shape(f"{BETA}, stream", asks(BETA, {**say(), **STREAM}))
shape("client.with_options", asks(CREATE, say(), of=lambda client: client.with_options(timeout=9)))
shape("client.copy", asks(CREATE, say(), of=lambda client: client.copy()))
shape("copy.copy of a client", asks(CREATE, say(), of=copy.copy))
for model in ("chat", "openai-chat"):
    shape(f"{CREATE}, of {model}", asks(CREATE, say(model=model)))


@shape(f"{CREATE}, stream left early")
async def stream_left(app: App) -> Any:
    async with entered(await ask(app, CREATE, {**say(), **STREAM})) as stream:
        return [event async for event in first(each(stream))]


@shape(f"{CREATE}, stream read in a thread", kinds=("sync",))
async def stream_thread(app: App) -> Any:
    stream = await ask(app, CREATE, {**say(), **STREAM})
    read: list[Any] = []
    thread = threading.Thread(target=lambda: read.extend(stream))
    thread.start()
    thread.join()
    return read


def helper(resource: str, read: Any) -> Any:
    """What asks by the helper for streams, and reads by ``read``."""

    async def run(app: App) -> Any:
        stream = attrgetter(resource)(app.client).stream
        async with entered(stream(**say(), **app.extra)) as opened:
            return await read(opened)

    return run


async def _texts(stream: Any) -> Any:
    return [text async for text in each(stream.text_stream)]


async def _final(stream: Any) -> Any:
    return await settle(stream.get_final_message())


shape("messages.stream, text_stream", helper("messages", _texts))
shape("messages.stream, get_final_message", helper("messages", _final))
shape("beta.messages.stream", helper("beta.messages", _final))


@shape("messages.with_streaming_response.create")
async def streaming_response(app: App) -> Any:
    create = app.client.messages.with_streaming_response.create
    async with entered(create(**say(), **app.extra)) as response:
        return await settle(response.parse())


@shape("tool call and its result", calls=2)
async def tools(app: App) -> Any:
    given = {**say(), "tools": [TOOL]}
    asked = await ask(app, CREATE, given)
    [call] = [block for block in asked.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "fact-1"}
    answered = [
        {"role": "assistant", "content": [call.model_dump(exclude_none=True)]},
        {"role": "user", "content": [result]},
    ]
    given["messages"] = [*given["messages"], *answered]
    return [asked, await ask(app, CREATE, given)]


@shape("beta.messages.tool_runner", calls=2)
async def tool_runner(app: App) -> Any:
    def weather(city: str) -> str:
        """Tell the weather."""
        return "fact-1"

    async def aweather(city: str) -> str:
        """Tell the weather."""
        return "fact-1"

    is_async = isinstance(app.client, anthropic.AsyncAnthropic)
    tool: Any = anthropic.beta_async_tool(aweather) if is_async else anthropic.beta_tool(weather)
    extra = {key: value for key, value in app.extra.items() if key != "metadata"}
    runner = app.client.beta.messages.tool_runner(**say(), **extra, tools=[tool])
    return [message async for message in each(runner)]


@shape("retry after a 503", generations=2)
async def retried(app: App) -> Any:
    question = f"{QUESTION} [[fail-once:503:{uuid4().hex}]]"
    answer = await ask(app, CREATE, say(question), app.client.with_options(max_retries=1))
    return answer.role


@shape("failed call")
async def failed(app: App) -> Any:
    try:
        await ask(app, CREATE, say(f"{QUESTION} [[fail:500]]"))
    except anthropic.APIStatusError as error:
        return [type(error).__name__, error.status_code]


@shape("calls side by side", kinds=("async",), calls=4)
async def side_by_side(app: App) -> Any:
    return await asyncio.gather(*(ask(app, CREATE, say(f"question-{n}")) for n in range(4)))
