"""Every way the OpenAI SDK calls a model, each written once for both kinds of client."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import openai
from pydantic import BaseModel

from shapes.either import each, entered, first, settle
from shapes.shape import OWN, registry

__all__ = ["SHAPES", "Ask"]


@dataclass(frozen=True)
class Ask:
    """What the application passes to its call; must be the same afterwards.

    Attributes:
        text: The user's message.
        extra: Keyword arguments of every call: metadata and a header of the caller's own.
        prompt: Keyword arguments that name a prompt, where the client takes any.
    """

    text: str = "question-1"
    prompt: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(
        default_factory=lambda: {
            "extra_body": {"metadata": {"team": "blue"}},
            "extra_headers": {"x-team": "blue"},
        }
    )

    @property
    def messages(self) -> list[Any]:
        return [{"role": "user", "content": self.text}]


SHAPES, shape = registry(told_to="langfuse.openai")

_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Colour(BaseModel):
    name: str


def _without_retries(client: Any) -> Any:
    return client.with_options(max_retries=0)


@shape("chat.completions.create", prompts=(OWN,))
async def chat(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.create
    return await settle(create(model="chat", messages=ask.messages, **ask.prompt, **ask.extra))


@shape("chat.completions.create, stream", prompts=(OWN,))
async def chat_stream(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.create
    stream = await settle(
        create(model="chat", messages=ask.messages, stream=True, **ask.prompt, **ask.extra)
    )
    return [_text(chunk) async for chunk in each(stream)]


@shape("chat.completions.create, stream left early")
async def chat_stream_left(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.create
    stream = await settle(create(model="chat", messages=ask.messages, stream=True, **ask.extra))
    async with entered(stream):
        return [_text(chunk) async for chunk in first(each(stream))]


@shape("chat.completions.create, stream read in a thread", kinds=("sync",))
async def chat_stream_thread(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.create
    stream = create(model="chat", messages=ask.messages, stream=True, **ask.extra)
    read: list[Any] = []
    thread = threading.Thread(target=lambda: read.extend(_text(chunk) for chunk in stream))
    thread.start()
    thread.join()
    return read


@shape("chat.completions.create, stream never read")
async def chat_stream_unread(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.create
    stream = await settle(create(model="chat", messages=ask.messages, stream=True, **ask.extra))
    return await settle(stream.close())


@shape("chat.completions.parse", prompts=(OWN,))
async def chat_parse(client: Any, ask: Ask) -> Any:
    return await settle(
        client.chat.completions.parse(
            model="chat",
            messages=ask.messages,
            response_format=Colour,
            **ask.prompt,
            **ask.extra,
        )
    )


@shape("chat.completions.stream")
async def chat_stream_helper(client: Any, ask: Ask) -> Any:
    helper = client.chat.completions.stream(model="chat", messages=ask.messages, **ask.extra)
    async with entered(helper) as stream:
        async for _ in each(stream):
            pass
        return await settle(stream.get_final_completion())


@shape("chat.completions.with_raw_response.create", prompts=(OWN,))
async def chat_raw(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.with_raw_response.create
    raw = await settle(create(model="chat", messages=ask.messages, **ask.prompt, **ask.extra))
    return await settle(raw.parse())


@shape("chat.completions.with_streaming_response.create", observations=0)
async def chat_streaming_response(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.with_streaming_response.create
    async with entered(create(model="chat", messages=ask.messages, **ask.extra)) as response:
        return await settle(response.parse())


@shape("client.with_raw_response", prompts=(OWN,))
async def client_raw(client: Any, ask: Ask) -> Any:
    create = client.with_raw_response.chat.completions.create
    raw = await settle(create(model="chat", messages=ask.messages, **ask.prompt, **ask.extra))
    return await settle(raw.parse())


@shape("client.with_options")
async def with_options(client: Any, ask: Ask) -> Any:
    return await chat(client.with_options(timeout=30).with_options(max_retries=1), ask)


@shape("client.copy")
async def copied(client: Any, ask: Ask) -> Any:
    return await chat(client.copy(), ask)


@shape("tool call and its result", generations=2, observations=2, prompts=(OWN,))
async def tools(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.create
    common = {"model": "tools", "tools": [_TOOL], **ask.prompt, **ask.extra}
    messages = ask.messages
    first = await settle(create(messages=messages, **common))
    call = first.choices[0].message.tool_calls[0]
    messages = [
        *messages,
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "fact-1"},
    ]
    second = await settle(create(messages=messages, **common))
    return [call.function.name, second.choices[0].message.content]


@shape("retry after a 503", generations=2)
async def retried(client: Any, ask: Ask) -> Any:
    create = client.with_options(max_retries=1).chat.completions.create
    key = uuid4().hex
    messages = [{"role": "user", "content": f"{ask.text} [[fail-once:503:{key}]]"}]
    return await settle(create(model="chat", messages=messages, **ask.extra))


@shape("failed call")
async def failed(client: Any, ask: Ask) -> Any:
    create = _without_retries(client).chat.completions.create
    try:
        await settle(create(model="broken", messages=ask.messages, **ask.extra))
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code]


@shape("calls side by side", kinds=("async",), generations=4, observations=4)
async def side_by_side(client: Any, ask: Ask) -> Any:
    asks = [replace(ask, text=f"question-{number}") for number in range(4)]
    return await asyncio.gather(*(chat(client, each) for each in asks))


@shape("call in a task", kinds=("async",))
async def in_task(client: Any, ask: Ask) -> Any:
    return await asyncio.create_task(chat(client, ask))


@shape("call after a cancelled one", kinds=("async",), generations=1, observations=1)
async def cancelled(client: Any, ask: Ask) -> Any:
    create = client.chat.completions.create
    task = asyncio.create_task(create(model="chat", messages=ask.messages, **ask.extra))
    task.cancel()
    await asyncio.wait([task])
    return await chat(client, ask)


@shape("responses.create", prompts=(OWN,))
async def responses(client: Any, ask: Ask) -> Any:
    create = client.responses.create
    return await settle(create(model="openai-chat", input=ask.text, **ask.prompt, **ask.extra))


@shape("responses.create, stream", prompts=(OWN,))
async def responses_stream(client: Any, ask: Ask) -> Any:
    create = client.responses.create
    stream = await settle(
        create(model="openai-chat", input=ask.text, stream=True, **ask.prompt, **ask.extra)
    )
    return [event.type async for event in each(stream)]


@shape("responses.create through a chat model", prompts=(OWN,))
async def responses_bridge(client: Any, ask: Ask) -> Any:
    create = client.responses.create
    return await settle(create(model="chat", input=ask.text, **ask.prompt, **ask.extra))


@shape("responses.parse", prompts=(OWN,))
async def responses_parse(client: Any, ask: Ask) -> Any:
    parse = client.responses.parse
    return await settle(
        parse(model="openai-chat", input=ask.text, text_format=Colour, **ask.prompt, **ask.extra)
    )


@shape("responses.stream")
async def responses_stream_helper(client: Any, ask: Ask) -> Any:
    helper = client.responses.stream(model="openai-chat", input=ask.text, **ask.extra)
    async with entered(helper) as stream:
        return [event.type async for event in each(stream)]


@shape("embeddings.create")
async def embeddings(client: Any, ask: Ask) -> Any:
    return await settle(client.embeddings.create(model="openai-embed", input=ask.text, **ask.extra))


@shape("completions.create", prompts=(OWN,))
async def completions(client: Any, ask: Ask) -> Any:
    create = client.completions.create
    return await settle(
        create(model="openai-completion", prompt=ask.text, **ask.prompt, **ask.extra)
    )


@shape("completions.create, stream", prompts=(OWN,))
async def completions_stream(client: Any, ask: Ask) -> Any:
    create = client.completions.create
    stream = await settle(
        create(model="openai-completion", prompt=ask.text, stream=True, **ask.prompt, **ask.extra)
    )
    return [chunk.choices[0].text async for chunk in each(stream) if chunk.choices]


@shape("images.generate", observations=0)
async def images(client: Any, ask: Ask) -> Any:
    return await settle(client.images.generate(model="image", prompt=ask.text, **ask.extra))


@shape("audio.speech.create", observations=0)
async def speech(client: Any, ask: Ask) -> Any:
    create = client.audio.speech.create
    spoken = await settle(create(model="speech", input=ask.text, voice="alloy", **ask.extra))
    return spoken.content


@shape("audio.transcriptions.create", observations=0)
async def transcription(client: Any, ask: Ask) -> Any:
    # The SDK writes a form's nested metadata in a way that LiteLLM does not read.
    create = client.audio.transcriptions.create
    sound = ("hello.wav", b"RIFF" + bytes(100))
    headers = {"extra_headers": ask.extra["extra_headers"]}
    return await settle(create(model="transcribe", file=sound, **headers))


@shape("moderations.create", observations=0)
async def moderation(client: Any, ask: Ask) -> Any:
    return await settle(client.moderations.create(model="moderate", input=ask.text, **ask.extra))


@shape("AzureOpenAI at the gateway")
async def azure(client: Any, ask: Ask) -> Any:
    return await chat(client, ask)


def _text(chunk: Any) -> str | None:
    return chunk.choices[0].delta.content if chunk.choices else None
