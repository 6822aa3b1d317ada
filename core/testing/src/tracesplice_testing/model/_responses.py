"""The OpenAI protocol: the Responses API.

https://platform.openai.com/docs/api-reference/responses and its streaming events.
"""

import json
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracesplice_testing.model import _send
from tracesplice_testing.model._answers import Answer, answer_chat
from tracesplice_testing.model._openai import schema_of

__all__ = ["ROUTES"]

Json = dict[str, Any]
Event = tuple[str, Json]


def _messages(given: object) -> list[Json]:
    """The `input` parameter as chat messages."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    messages: list[Json] = []
    for item in given if isinstance(given, list) else []:
        if item.get("type") == "function_call_output":
            messages.append({"role": "tool", "content": item.get("output")})
        elif "role" in item:
            messages.append({"role": item["role"], "content": item.get("content")})
    return messages


def _item(answer: Answer) -> Json:
    if answer.tool:
        call = {"type": "function_call", "id": "fc_rig", "call_id": f"call_{answer.tool}"}
        arguments = json.dumps(answer.arguments)
        return call | {"name": answer.tool, "arguments": arguments, "status": "completed"}
    part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
    head = {"type": "message", "id": "msg_rig", "role": "assistant", "status": "completed"}
    return head | {"content": [part]}


def _response(body: Json, answer: Answer, status: str) -> Json:
    done = status == "completed"
    used = {
        "input_tokens": answer.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
    return {
        "id": "resp_rig",
        "object": "response",
        "created_at": 1714564800,
        "status": status,
        "model": body["model"],
        "output": [_item(answer)] if done else [],
        "parallel_tool_calls": True,
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "usage": used if done and not answer.directives.no_usage else None,
        "metadata": body.get("metadata") or {},
    }


def _events(body: Json, answer: Answer) -> Iterator[Event]:
    item = _item(answer)
    at: Json = {"item_id": item["id"], "output_index": 0}
    yield "response.created", {"response": _response(body, answer, "in_progress")}
    blank: Json = {"arguments": ""} if answer.tool else {"content": []}
    started = item | blank | {"status": "in_progress"}
    yield "response.output_item.added", {"output_index": 0, "item": started}
    if answer.tool:
        arguments = item["arguments"]
        yield "response.function_call_arguments.delta", at | {"delta": arguments}
        yield "response.function_call_arguments.done", at | {"arguments": arguments}
    else:
        yield from _text_events(item, answer, at | {"content_index": 0})
    yield "response.output_item.done", {"output_index": 0, "item": item}
    yield "response.completed", {"response": _response(body, answer, "completed")}


def _text_events(item: Json, answer: Answer, at: Json) -> Iterator[Event]:
    part = item["content"][0]
    yield "response.content_part.added", at | {"part": part | {"text": ""}}
    for chunk in answer.chunks:
        yield "response.output_text.delta", at | {"delta": chunk, "logprobs": []}
    yield "response.output_text.done", at | {"text": answer.text, "logprobs": []}
    yield "response.content_part.done", at | {"part": part}


async def _responses(request: Request) -> Response:
    body = await request.json()
    tools = () if body.get("tool_choice") == "none" else body.get("tools") or ()
    schema = schema_of((body.get("text") or {}).get("format"))
    answer = answer_chat(body["model"], _messages(body.get("input")), tools, schema)
    if not body.get("stream"):
        return await _send.once(_response(body, answer, "completed"), answer.directives)
    numbered = enumerate(_events(body, answer))
    events = [(name, {"type": name, "sequence_number": i} | data) for i, (name, data) in numbered]
    return await _send.sse(events, answer.directives)


async def _compact(request: Request) -> Response:
    body = await request.json()
    answer = answer_chat(body["model"], _messages(body.get("input")))
    item = {"id": "cmp_rig", "type": "compaction", "encrypted_content": answer.text}
    whole = _response(body, answer, "completed") | {"object": "response.compaction"}
    return await _send.once(whole | {"output": [item]}, answer.directives)


ROUTES = [
    Route("/v1/responses", _responses, methods=["POST"]),
    Route("/v1/responses/compact", _compact, methods=["POST"]),
]
