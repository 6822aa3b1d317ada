"""The Ollama protocol, as far as LiteLLM's `ollama/` and `ollama_chat/` routes use it.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracesplice_testing.model import _send
from tracesplice_testing.model._answers import Answer, answer_chat, answer_text, embedding, tokens
from tracesplice_testing.model._directives import parse

__all__ = ["ROUTES"]

_CREATED = "2024-05-01T12:00:00Z"
_TEMPLATE = "{{ if .Tools }}{{ .Tools }}{{ end }}{{ .Prompt }}"


def _final(model: str, answer: Answer) -> dict[str, Any]:
    return {
        "model": model,
        "created_at": _CREATED,
        "done": True,
        "done_reason": "stop",
        "total_duration": 1_000_000,
        "prompt_eval_count": answer.prompt_tokens,
        "eval_count": answer.completion_tokens,
    }


def _message(answer: Answer, content: str | None = None) -> dict[str, Any]:
    text = answer.text if content is None else content
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if answer.tool:
        call = {"name": answer.tool, "arguments": dict(answer.arguments or {})}
        message["tool_calls"] = [{"function": call}]
    return message


async def _chat(request: Request) -> Response:
    body = await request.json()
    model = body["model"]
    answer = answer_chat(model, body["messages"], body.get("tools") or (), body.get("format"))
    if not body.get("stream", True):
        whole = _final(model, answer) | {"message": _message(answer)}
        return await _send.once(whole, answer.directives)

    def chunks() -> Iterator[dict[str, Any]]:
        part = {"model": model, "created_at": _CREATED, "done": False}
        for chunk in [""] if answer.tool else answer.chunks:
            yield part | {"message": _message(answer, chunk)}
        yield _final(model, answer) | {"message": {"role": "assistant", "content": ""}}

    return await _send.lines(chunks(), answer.directives)


async def _generate(request: Request) -> Response:
    body = await request.json()
    model = body["model"]
    answer = answer_text(model, body.get("prompt", ""), body.get("format"))
    if not body.get("stream", True):
        return await _send.once(
            _final(model, answer) | {"response": answer.text}, answer.directives
        )
    part = {"model": model, "created_at": _CREATED, "done": False}
    chunks = [part | {"response": chunk} for chunk in answer.chunks]
    chunks.append(_final(model, answer) | {"response": ""})
    return await _send.lines(chunks, answer.directives)


async def _embed(request: Request) -> Response:
    body = await request.json()
    given = body.get("input", body.get("prompt", ""))
    texts: list[str] = [given] if isinstance(given, str) else given
    directives = parse(" ".join(texts), body["model"])
    vectors = [embedding(text, body.get("dimensions", 8)) for text in texts]
    if request.url.path.endswith("/embeddings"):
        return await _send.once({"embedding": vectors[0]}, directives)
    count = sum(tokens(text) for text in texts)
    answer = {"model": body["model"], "embeddings": vectors, "prompt_eval_count": count}
    return await _send.once(answer, directives)


async def _show(request: Request) -> Response:
    details = {"family": "standin", "parameter_size": "1B", "quantization_level": "Q4_0"}
    info = {"general.architecture": "standin", "standin.context_length": 8192}
    capabilities = ["completion", "tools", "embedding"]
    return JSONResponse(
        {
            "template": _TEMPLATE,
            "details": details,
            "model_info": info,
            "capabilities": capabilities,
        }
    )


async def _tags(request: Request) -> Response:
    names = ("llama3.2:latest", "nomic-embed-text:latest")
    return JSONResponse({"models": [{"name": n, "model": n, "size": 1} for n in names]})


async def _version(request: Request) -> Response:
    return JSONResponse({"version": "0.6.0"})


ROUTES = [
    Route("/api/chat", _chat, methods=["POST"]),
    Route("/api/generate", _generate, methods=["POST"]),
    Route("/api/embed", _embed, methods=["POST"]),
    Route("/api/embeddings", _embed, methods=["POST"]),
    Route("/api/show", _show, methods=["POST"]),
    Route("/api/tags", _tags, methods=["GET"]),
    Route("/api/version", _version, methods=["GET"]),
]
