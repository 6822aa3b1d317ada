"""The OpenAI protocol: chat completions, legacy completions and embeddings.

https://platform.openai.com/docs/api-reference
"""

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracesplice_testing.model import _send
from tracesplice_testing.model._answers import Answer, answer_chat, answer_text, embedding, tokens
from tracesplice_testing.model._directives import parse
from tracesplice_testing.model._schema import Schema

__all__ = ["ROUTES", "schema_of", "usage"]

_CREATED = 1714564800
Json = dict[str, Any]


def usage(answer: Answer) -> Json:
    """The usage block of chat and legacy completions."""
    total = answer.prompt_tokens + answer.completion_tokens
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": total,
    }


def schema_of(response_format: object) -> Schema | str | None:
    """The schema that `response_format` asks for; `"json"` for any JSON object."""
    if not isinstance(response_format, Mapping):
        return None
    if response_format.get("type") == "json_object":
        return "json"
    holder = response_format.get("json_schema", response_format)
    schema = holder.get("schema") if isinstance(holder, Mapping) else None
    return schema if isinstance(schema, Mapping) else None


def _tool_calls(answer: Answer) -> list[Json]:
    call = {"name": answer.tool, "arguments": json.dumps(answer.arguments)}
    return [{"index": 0, "id": f"call_{answer.tool}", "type": "function", "function": call}]


async def _chat(request: Request) -> Response:
    body = await request.json()
    body["model"] = body.get("model") or request.path_params["model"]  # Azure's is in the path
    tools = () if body.get("tool_choice") == "none" else body.get("tools") or ()
    schema = schema_of(body.get("response_format"))
    answer = answer_chat(body["model"], body["messages"], tools, schema)
    head = {"id": "chatcmpl-1", "created": _CREATED, "model": body["model"]}
    finish = "tool_calls" if answer.tool else "stop"
    if body.get("stream"):
        return await _send.sse(_chat_chunks(head, answer, finish, body), answer.directives)
    message: Json = {"role": "assistant", "content": None if answer.tool else answer.text}
    if answer.tool:
        message["tool_calls"] = _tool_calls(answer)
    choice = {"index": 0, "message": message, "finish_reason": finish}
    whole = head | {"object": "chat.completion", "choices": [choice], "usage": usage(answer)}
    return await _send.once(whole, answer.directives)


def _chat_chunks(
    head: Json, answer: Answer, finish: str, body: Json
) -> Iterator[tuple[None, object]]:
    head = head | {"object": "chat.completion.chunk"}
    deltas: list[Json] = [{"content": chunk} for chunk in answer.chunks]
    if answer.tool:
        deltas = [{"tool_calls": _tool_calls(answer)}]
    deltas[0] = {"role": "assistant"} | deltas[0]
    for delta in deltas:
        yield None, head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield None, head | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    wanted = (body.get("stream_options") or {}).get("include_usage")
    if wanted and not answer.directives.no_usage:
        yield None, head | {"choices": [], "usage": usage(answer)}
    yield None, "[DONE]"


async def _completions(request: Request) -> Response:
    body = await request.json()
    prompt = body.get("prompt", "")
    answer = answer_text(body["model"], prompt if isinstance(prompt, str) else str(prompt[0]))
    head = {"id": "cmpl-1", "object": "text_completion", "created": _CREATED}
    head["model"] = body["model"]
    if not body.get("stream"):
        choice = {"index": 0, "text": answer.text, "finish_reason": "stop"}
        return await _send.once(
            head | {"choices": [choice], "usage": usage(answer)}, answer.directives
        )
    events: list[tuple[None, object]] = [
        (None, head | {"choices": [{"index": 0, "text": c, "finish_reason": None}]})
        for c in answer.chunks
    ]
    end = {"index": 0, "text": "", "finish_reason": "stop"}
    events += [(None, head | {"choices": [end], "usage": usage(answer)}), (None, "[DONE]")]
    return await _send.sse(events, answer.directives)


async def _embeddings(request: Request) -> Response:
    body = await request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else list(map(str, body["input"]))
    vectors = [embedding(text, body.get("dimensions") or 8) for text in texts]
    encoded: list[object] = [
        base64.b64encode(struct.pack(f"<{len(v)}f", *v)).decode()
        if body.get("encoding_format") == "base64"
        else v
        for v in vectors
    ]
    count = sum(tokens(text) for text in texts)
    data = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(encoded)]
    used = {"prompt_tokens": count, "total_tokens": count}
    answer = {"object": "list", "data": data, "model": body["model"], "usage": used}
    return await _send.once(answer, parse(" ".join(texts), body["model"]))


async def _models(request: Request) -> Response:
    names = ("gpt-4o-mini", "text-embedding-3-small")
    return JSONResponse(
        {
            "object": "list",
            "data": [{"id": n, "object": "model", "owned_by": "us"} for n in names],
        }
    )


ROUTES = [
    Route("/v1/models", _models, methods=["GET"]),
    Route("/v1/chat/completions", _chat, methods=["POST"]),
    Route("/openai/deployments/{model}/chat/completions", _chat, methods=["POST"]),
    Route("/v1/completions", _completions, methods=["POST"]),
    Route("/v1/embeddings", _embeddings, methods=["POST"]),
]
