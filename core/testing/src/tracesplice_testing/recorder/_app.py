"""The HTTP side: the endpoints of Langfuse's public API that clients and gateways use.

https://github.com/langfuse/langfuse/tree/main/web/src/pages/api/public
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import _ingestion, _otlp
from ._extract import draft, trace_write
from ._prompts import InvalidPromptError, from_request
from ._read import READ_ROUTES
from ._store import Project

if TYPE_CHECKING:
    from ._state import State

Handler = Callable[[Request, Project, bytes], Response]
_MAX_INGESTION_VERSION = 4


def application(state: State) -> Starlette:
    """The ASGI application."""
    guarded = [*_WRITE_ROUTES, *READ_ROUTES]
    routes = [Route(path, _authed(state, path, call), methods=[m]) for m, path, call in guarded]
    return Starlette(routes=[Route("/api/public/health", _health), *routes])


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "OK", "version": "4.16.0"})


def _authed(state: State, path: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        with state.request() as counted:
            project = _project(state, request)
            answer = handler(request, project, body) if project else _refused(request)
            refusal = f" {answer.status_code}" if answer.status_code >= 400 else ""
            counted.append(f"{request.method} {path}{refusal}")
        return answer

    return endpoint


def _project(state: State, request: Request) -> Project | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        public_key, _, secret_key = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    project = state.projects.get(public_key)
    return project if project and project.secret_key == secret_key else None


def _refused(request: Request) -> Response:
    """The texts of apiAuth.ts in web/src/features/public-api/server of langfuse/langfuse."""
    message = "Invalid credentials. Confirm that you've configured the correct host."
    if "authorization" not in request.headers:
        message = "No authorization header"
    return JSONResponse({"message": message, "error": "UnauthorizedError"}, 401)


def _otel(request: Request, project: Project, body: bytes) -> Response:
    headers = request.headers
    version = headers.get("x-langfuse-ingestion-version", "0")
    if not version.isdigit() or int(version) > _MAX_INGESTION_VERSION:
        return _rejected(project, f'Unsupported x-langfuse-ingestion-version: "{version}".')
    kind, encoding = headers.get("content-type", "").lower(), headers.get("content-encoding", "")
    try:
        spans = _otlp.decode(body, kind, encoding)
    except _otlp.BadRequestError as error:
        return _rejected(project, str(error))
    for span in spans:
        store(project, span)
    return JSONResponse({})


def store(project: Project, span: _otlp.Span) -> None:
    """Keeps a span, and what it says of its trace."""
    made = draft(span)
    project.put(made)
    project.write(trace_write(span, made))


def _rejected(project: Project, reason: str) -> Response:
    project.refuse(f"request: {reason}")
    return JSONResponse({"error": reason}, 400)


def _ingest(_: Request, project: Project, body: bytes) -> Response:
    try:
        batch = json.loads(body)["batch"]
    except (ValueError, KeyError, TypeError):
        batch = None
    if not isinstance(batch, list):
        project.refuse("request: no batch")
        return JSONResponse({"message": "Invalid request data", "errors": ["no batch"]}, 400)
    return JSONResponse(_ingestion.ingest(project, batch), 207)


def _create_prompt(_: Request, project: Project, body: bytes) -> Response:
    try:
        prompt = project.prompts.add(**from_request(json.loads(body)))
    except InvalidPromptError as error:
        return JSONResponse({"message": str(error), "error": "InvalidRequestError"}, 400)
    return JSONResponse(prompt.json(project.id), 201)


def _media(_: Request, __: Project, body: bytes) -> Response:
    """Says that the file is there already, so that clients upload nothing."""
    media_id = str(json.loads(body)["sha256Hash"]).replace("+", "-").replace("/", "_")[:22]
    return JSONResponse({"mediaId": media_id, "uploadUrl": None}, 201)


_WRITE_ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/api/public/otel/v1/traces", _otel),
    ("POST", "/api/public/ingestion", _ingest),
    ("POST", "/api/public/v2/prompts", _create_prompt),
    ("POST", "/api/public/media", _media),
]
