"""The Anthropic protocol: messages, the count of their tokens, and batches.

https://docs.anthropic.com/en/api/messages and its streaming events.
"""

import json
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracesplice_testing.model import _send
from tracesplice_testing.model._answers import Answer, answer_chat
from tracesplice_testing.model._schema import Schema

__all__ = ["ROUTES"]

Json = dict[str, Any]
Event = tuple[str, Json]


def _chat_messages(body: Json) -> list[Json]:
    """The messages as those of a chat: system's first, a tool's result as a message of a tool's."""
    system = body.get("system")
    messages: list[Json] = [{"role": "system", "content": system}] if system else []
    for message in body["messages"]:
        content = message["content"]
        parts = content if isinstance(content, list) else []
        results = [part for part in parts if part.get("type") == "tool_result"]
        messages += [{"role": "tool", "content": part.get("content")} for part in results]
        if not results:
            messages.append({"role": message["role"], "content": content})
    return messages


def _answer(body: Json) -> Answer:
    none = (body.get("tool_choice") or {}).get("type") == "none"
    tools = [
        {"name": tool["name"], "parameters": tool["input_schema"]}
        for tool in ([] if none else body.get("tools") or [])
    ]
    return answer_chat(body["model"], _chat_messages(body), tools, _schema(body))


def _schema(body: Json) -> Schema | None:
    found = body.get("output_format") or (body.get("output_config") or {}).get("format") or {}
    schema: Schema | None = found.get("schema")
    return schema


def _usage(answer: Answer) -> Json:
    # What was read from a cache, or written into one, is not in `input_tokens`.
    return {
        "input_tokens": answer.prompt_tokens,
        "output_tokens": answer.completion_tokens,
        "cache_creation_input_tokens": answer.directives.cache_written,
        "cache_read_input_tokens": answer.directives.cache_read,
    }


def _block(answer: Answer) -> Json:
    if answer.tool:
        call = {"type": "tool_use", "id": f"toolu_{answer.tool}", "name": answer.tool}
        return call | {"input": answer.arguments}
    return {"type": "text", "text": answer.text}


def _message(body: Json, answer: Answer) -> Json:
    return {
        "id": "msg_rig",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [_block(answer)],
        "stop_reason": "tool_use" if answer.tool else "end_turn",
        "stop_sequence": None,
        "usage": _usage(answer),
    }


def _events(body: Json, answer: Answer) -> Iterator[Event]:
    message, block, at = _message(body, answer), _block(answer), {"index": 0}
    blank: Json = {"input": {}} if answer.tool else {"text": ""}
    started: Json = {
        "content": [],
        "stop_reason": None,
        "usage": _usage(answer) | {"output_tokens": 1},
    }
    yield "message_start", {"message": message | started}
    yield "content_block_start", at | {"content_block": block | blank}
    yield "ping", {}
    if answer.tool:
        delta: Json = {"type": "input_json_delta", "partial_json": json.dumps(answer.arguments)}
        yield "content_block_delta", at | {"delta": delta}
    else:
        for chunk in answer.chunks:
            yield "content_block_delta", at | {"delta": {"type": "text_delta", "text": chunk}}
    yield "content_block_stop", at
    ended: Json = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": ended, "usage": _usage(answer)}
    yield "message_stop", {}


async def _messages(request: Request) -> Response:
    body = await request.json()
    answer = _answer(body)
    if not body.get("stream"):
        return await _send.once(_message(body, answer), answer.directives)
    events = [(name, {"type": name} | data) for name, data in _events(body, answer)]
    return await _send.sse(events, answer.directives)


async def _count_tokens(request: Request) -> Response:
    answer = _answer(await request.json())
    return await _send.once({"input_tokens": answer.prompt_tokens}, answer.directives)


async def _batches(request: Request) -> Response:
    await request.json()
    counts: Json = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    times: Json = dict.fromkeys(("ended_at", "archived_at", "cancel_initiated_at", "results_url"))
    day: Json = {"created_at": "2024-05-01T12:00:00Z", "expires_at": "2024-05-02T12:00:00Z"}
    head: Json = {"id": "msgbatch_rig", "type": "message_batch", "processing_status": "in_progress"}
    return JSONResponse({**head, "request_counts": counts, **times, **day})


ROUTES = [
    Route("/v1/messages", _messages, methods=["POST"]),
    Route("/anthropic/v1/messages", _messages, methods=["POST"]),
    Route("/v1/messages/count_tokens", _count_tokens, methods=["POST"]),
    Route("/v1/messages/batches", _batches, methods=["POST"]),
]
