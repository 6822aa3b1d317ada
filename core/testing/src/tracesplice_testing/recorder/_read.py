"""The endpoints that read: projects, prompts, observations in both versions, traces.

https://github.com/langfuse/langfuse/tree/main/web/src/pages/api/public
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from ._views import Views, after, cursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from tracesplice_view import Observation

    from ._prompts import Prompt
    from ._store import Project

_MAX_LIMIT = 1000
_DEFAULT_LIMIT = 50
_FILTERS = {
    "traceId": "trace_id",
    "userId": "user_id",
    "sessionId": "session_id",
    "name": "name",
    "type": "type",
    "level": "level",
    "environment": "environment",
    "parentObservationId": "parent_id",
}


def _projects(_: Request, project: Project, __: bytes) -> Response:
    organization = {"id": "organization", "name": "Recorder"}
    found = {"id": project.id, "name": project.id, "organization": organization, "metadata": {}}
    return JSONResponse({"data": [found]})


def _prompt(request: Request, project: Project, _: bytes) -> Response:
    name, asked = request.path_params["name"], request.query_params
    version, label = asked.get("version"), asked.get("label")
    found = project.prompts.find(name, version=int(version) if version else None, label=label)
    if found is None:
        suffix = f"version {version}" if version else f"label '{label or 'production'}'"
        return _missing(f"Prompt not found: '{name}' with {suffix}")
    return JSONResponse(found.json(project.id))


def _prompts(request: Request, project: Project, _: bytes) -> Response:
    asked = request.query_params
    metas = [
        _meta(versions)
        for versions in project.prompts.all()
        if asked.get("name") in (None, versions[0].name)
        and (not asked.get("tag") or asked["tag"] in versions[-1].tags)
        and (not asked.get("label") or any(asked["label"] in p.labels for p in versions))
    ]
    return JSONResponse(_page(request, metas))


def _meta(versions: list[Prompt]) -> dict[str, Any]:
    last = versions[-1]
    return {
        "name": last.name,
        "type": last.type,
        "versions": [p.version for p in versions],
        "labels": sorted({label for p in versions for label in p.labels}),
        "tags": list(last.tags),
        "lastUpdatedAt": last.created.isoformat(),
        "lastConfig": last.config,
    }


def _observations_v2(request: Request, project: Project, _: bytes) -> Response:
    """Newest first, a page from the cursor on; core and basic fields unless others are named."""
    asked = request.query_params
    limit = int(asked.get("limit", _DEFAULT_LIMIT))
    # Groups that it does not know are passed over.
    groups = set(asked["fields"].split(",")) if asked.get("fields") else {"basic"}
    if asked.get("parseIoAsJson") == "true" or limit > _MAX_LIMIT:
        return JSONResponse({"message": "Invalid request data", "error": "query"}, 400)
    found = _filtered(request, project)[::-1]
    try:
        found = after(asked["cursor"], found) if asked.get("cursor") else found
    except ValueError:
        return JSONResponse({"message": "Invalid cursor format", "error": "query"}, 400)
    traces = {trace.id: trace for trace in project.traces()}
    expand, view = set(asked.get("expandMetadata", "").split(",")), Views(project.prompts)
    page, rest = found[:limit], found[limit:]
    data = [view.v2(o, groups | {"core"}, expand, traces.get(o.trace_id)) for o in page]
    return JSONResponse({"data": data, "meta": {"cursor": cursor(page[-1])} if rest else {}})


def _observations_v1(request: Request, project: Project, _: bytes) -> Response:
    view = Views(project.prompts)
    found = [view.v1(o) for o in _filtered(request, project)[::-1]]
    return JSONResponse(_page(request, found))


def _observation(request: Request, project: Project, _: bytes) -> Response:
    wanted = request.path_params["id"]
    for observation in project.observations():
        if observation.id == wanted:
            return JSONResponse(Views(project.prompts).v1(observation))
    return _missing("Observation not found within authorized project")


def _traces(request: Request, project: Project, _: bytes) -> Response:
    asked, view = request.query_params, Views(project.prompts)
    wanted = {
        v: asked[k]
        for k, v in _FILTERS.items()
        if k in ("userId", "sessionId", "name") and k in asked
    }
    found = [t for t in project.traces() if all(getattr(t, k) == v for k, v in wanted.items())]
    return JSONResponse(_page(request, [view.trace(t, full=False) for t in found[::-1]]))


def _trace(request: Request, project: Project, _: bytes) -> Response:
    wanted = request.path_params["id"]
    for trace in project.traces():
        if trace.id == wanted:
            return JSONResponse(Views(project.prompts).trace(trace, full=True))
    return _missing(f"Trace {wanted} not found within authorized project")


def _filtered(request: Request, project: Project) -> list[Observation]:
    asked = request.query_params
    wanted = {field: asked[key] for key, field in _FILTERS.items() if key in asked}
    since, until = (_moment(asked.get(key)) for key in ("fromStartTime", "toStartTime"))
    return [
        o
        for o in project.observations()
        if all((getattr(o, field) or "") == value for field, value in wanted.items())
        and (since is None or since <= o.start)
        and (until is None or o.start < until)
    ]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def _page(request: Request, found: list[dict[str, Any]]) -> dict[str, Any]:
    page = int(request.query_params.get("page", 1))
    limit = int(request.query_params.get("limit", _DEFAULT_LIMIT))
    pages = -(-len(found) // limit)
    meta = {"page": page, "limit": limit, "totalItems": len(found), "totalPages": pages}
    return {"data": found[(page - 1) * limit : page * limit], "meta": meta}


def _missing(message: str) -> Response:
    return JSONResponse({"message": message, "error": "LangfuseNotFoundError"}, 404)


READ_ROUTES: list[tuple[str, str, Callable[[Request, Project, bytes], Response]]] = [
    ("GET", "/api/public/projects", _projects),
    ("GET", "/api/public/v2/prompts/{name:path}", _prompt),
    ("GET", "/api/public/v2/prompts", _prompts),
    ("GET", "/api/public/v2/observations", _observations_v2),
    ("GET", "/api/public/observations/{id}", _observation),
    ("GET", "/api/public/observations", _observations_v1),
    ("GET", "/api/public/traces/{id}", _trace),
    ("GET", "/api/public/traces", _traces),
]
