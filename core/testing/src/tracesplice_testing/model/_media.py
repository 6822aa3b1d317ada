"""The OpenAI protocol: images, speech, transcription, videos and moderation; vLLM's `/rerank`.

https://platform.openai.com/docs/api-reference and https://docs.vllm.ai/en/latest/serving/
"""

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracesplice_testing.model import _send
from tracesplice_testing.model._answers import tokens
from tracesplice_testing.model._directives import parse
from tracesplice_testing.model._record import ReceivedRequest

__all__ = ["PIXEL", "ROUTES"]

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
_CATEGORIES = ("harassment", "hate", "self-harm", "sexual", "violence")


async def _images(request: Request) -> Response:
    body = await request.json()
    directives = parse(body.get("prompt", ""), body.get("model") or "")
    image: dict[str, Any] = {"b64_json": base64.b64encode(PIXEL).decode()}
    image["revised_prompt"] = f"echo: {directives.text}"
    count = tokens(body.get("prompt", ""))
    used = {"input_tokens": count, "output_tokens": 1, "total_tokens": count + 1}
    used_details = {"input_tokens_details": {"text_tokens": count, "image_tokens": 0}}
    data = [image] * (body.get("n") or 1)
    answer = {"created": 1714564800, "data": data, "usage": used | used_details}
    return await _send.once(answer, directives)


async def _speech(request: Request) -> Response:
    body = await request.json()
    directives = parse(body.get("input", ""), body.get("model") or "")
    sound = b"ID3" + directives.text.encode()
    return await _send.once(sound, directives, "audio/mpeg")


async def _transcriptions(request: Request) -> Response:
    headers = {"content-type": request.headers.get("content-type", "")}
    form = ReceivedRequest("POST", request.url.path, headers, await request.body()).form
    directives = parse(form.get("prompt", ""), form.get("model", ""))
    text = f"echo: {directives.text or form.get('file', '')}"
    if form.get("response_format") == "text":
        return await _send.once(text.encode(), directives, "text/plain")
    used = {"type": "duration", "seconds": 1}
    answer: dict[str, Any] = {"text": text, "usage": used}
    if form.get("response_format") == "verbose_json":
        answer |= {"task": "transcribe", "language": "english", "duration": 1.0, "segments": []}
    return await _send.once(answer, directives)


async def _moderations(request: Request) -> Response:
    body = await request.json()
    given = body.get("input", "")
    texts = [given] if isinstance(given, str) else [str(item) for item in given]
    result = {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": dict.fromkeys(_CATEGORIES, 0.0),
    }
    model = body.get("model") or "omni-moderation-latest"
    answer = {"id": "modr-1", "model": model, "results": [result] * len(texts)}
    return await _send.once(answer, parse(" ".join(texts), model))


async def _videos(request: Request) -> Response:
    body = await request.body()
    headers = {"content-type": request.headers.get("content-type", "")}
    received = ReceivedRequest("POST", request.url.path, headers, body)
    asked = received.json or received.form
    directives = parse(str(asked.get("prompt", "")), str(asked.get("model", "")))
    answer = {"id": "video_rig", "object": "video", "status": "queued", "created_at": 1714564800}
    return await _send.once(answer | {"model": asked.get("model"), "seconds": "4"}, directives)


async def _rerank(request: Request) -> Response:
    body = await request.json()
    directives = parse(body["query"], body.get("model") or "")
    count = tokens(body["query"]) + sum(tokens(text) for text in body["documents"])
    results = [{"index": i, "relevance_score": 1 / (i + 1)} for i in range(len(body["documents"]))]
    answer = {"id": "rerank-1", "results": results, "usage": {"total_tokens": count}}
    return await _send.once(answer, directives)


ROUTES = [
    Route("/v1/videos", _videos, methods=["POST"]),
    Route("/rerank", _rerank, methods=["POST"]),
    Route("/v1/images/generations", _images, methods=["POST"]),
    Route("/v1/audio/speech", _speech, methods=["POST"]),
    Route("/v1/audio/transcriptions", _transcriptions, methods=["POST"]),
    Route("/v1/moderations", _moderations, methods=["POST"]),
]
