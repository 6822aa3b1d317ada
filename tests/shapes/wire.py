"""The stage of a run in process: what arrives is judged as if a gateway had reported it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from conformance.checks import ATTRIBUTES, ENVIRONMENT
from conformance.forms import CONTAINER, FORMS, form_of, link_in
from conformance.harness import Outcome, Stage, run_cell
from tracesplice_testing.recorder import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.harness import Cell
    from tracesplice_testing.model import ModelServer, ReceivedRequest

__all__ = ["Wire", "WireStage", "plain", "run"]

REPORTS = {"x-tracesplice-reports": "true"}
OURS = ("traceparent", "x-tracesplice-project")
# Ours, and what no two requests have in common.
_NOT_COMPARED = {*OURS, "content-length", "content-type"}
_INSTRUMENTATIONS = ("OpenInference", "OpenLLMetry", "the SDK's spans")
_KEY = re.compile(r"(?<=fail-once:\d{3}):\w+")  # each run has its own
_USAGE: dict[str, Any] = {"usage": {"total": 3}, "cost": 1e-6}


@dataclass(frozen=True)
class Wire:
    """An OpenAI-protocol server in the gateway's place."""

    model: ModelServer
    key: str = "sk-any"

    @property
    def url(self) -> str:
        return self.model.url


@dataclass(frozen=True)
class WireStage(Stage):
    """A stage with such a server for its only gateway.

    Attributes:
        lost: A field or header of a link that gets lost on its way, to see that it is missed.
    """

    wire: Wire = field(kw_only=True)
    lost: str = ""

    def address(self, mode: object = None) -> Wire:
        return self.wire

    def clear(self) -> None:
        """Forget what was sent and reported."""
        super().clear()
        self.wire.model.clear()
        self.wire.model.answer_headers.update(REPORTS)

    def observations(self) -> list[Observation]:
        return [*super().observations(), *self.reported()]

    def reported(self, cell: Cell | None = None) -> list[Observation]:
        """What a gateway would report of the requests that arrived."""
        return [_report(number, each) for number, each in enumerate(self.requests)]

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests that arrived."""
        return [_without(each, self.lost) for each in self.wire.model.calls]


def _without(request: ReceivedRequest, name: str) -> ReceivedRequest:
    if not name:
        return request
    headers = {key: value for key, value in request.headers.items() if key != name}
    link = {key: value for key, value in link_in(request).items() if key != name}
    body = json.dumps({**request.json, CONTAINER: link}).encode()
    return replace(request, headers=headers, body=body)


def _report(number: int, request: ReceivedRequest) -> Observation:
    link = link_in(request)
    now = datetime.now(timezone.utc)
    prompt = link.get("prompt") or {}
    failed = bool(request.answered) and request.answered[0] >= 400
    return Observation(
        id=f"request-{number}",
        trace_id=_trace_id(request, f"of request-{number}"),
        parent_id=link.get("parent_observation_id"),
        name=f"{request.path} {number}",
        type="GENERATION",
        start=now,
        end=now,
        model=str(request.json.get("model")),
        input=_asked(request),
        level="ERROR" if failed else "DEFAULT",
        prompt_name=prompt.get("name"),
        prompt_version=prompt.get("version"),
        user_id=link.get("trace_user_id"),
        session_id=link.get("session_id"),
        tags=tuple(link.get("tags", ())),
        environment=link.get("trace_environment", "default"),
        attributes={CONTAINER: link},
        scope="litellm",
        **({} if failed else _USAGE),
    )


def _trace_id(request: ReceivedRequest, otherwise: str) -> str:
    link = link_in(request)
    return str(link.get("existing_trace_id") or link.get("trace_id") or otherwise)


def _asked(request: ReceivedRequest) -> Any:
    body = request.json or request.form
    return {key: body[key] for key in ("messages", "input", "prompt", "file") if key in body}


Plain = Counter[str]


def plain(requests: Iterable[ReceivedRequest]) -> Plain:
    """What was sent, without what we add, in a form that two runs of one call share."""
    return Counter(map(_plain, requests))


def _plain(request: ReceivedRequest) -> str:
    fields = {**request.json, **request.form}
    fields.pop(CONTAINER, None)
    headers = {k: v for k, v in request.headers.items() if k not in _NOT_COMPARED}
    # Which sends the baggage of the span it is called in.
    if headers.get("user-agent", "").startswith(("Anthropic/", "AsyncAnthropic/")):
        headers.pop("baggage", None)
    written = f"{request.path} {sorted(headers.items())} {sorted(fields.items())}"
    return _KEY.sub("", written)


def run(stage: WireStage, cell: Cell, answer: Any, unspliced: Plain) -> Outcome:
    """Run a cell and judge it, by what it answers and sends unspliced."""
    outcome = run_cell(stage, cell, answer)
    checks = dict(outcome.checks)
    for name, text in _judge(stage, cell, unspliced).items():
        checks[name] = checks.get(name) or text
    return replace(outcome, checks=checks)


def _judge(stage: WireStage, cell: Cell, unspliced: Plain) -> dict[str, str | None]:
    """What only the wire shows, by the letters of ``conformance.checks``."""
    requests = stage.requests
    unknown = {str(form_of(each)) for each in requests} - FORMS.keys()
    return {
        "b": _first(_disagreement(stage, cell, each) for each in requests),
        "d": _first(_other_fields(cell, each) for each in requests),
        "j": None if len(requests) == cell.shape.generations else f"{len(requests)} requests",
        "f": _difference(plain(requests), unspliced),
        "form": f"not in the catalog: {sorted(unknown)}" if unknown else None,
    }


def _first(found: Iterable[str | None]) -> str | None:
    return next((each for each in found if each is not None), None)


def _disagreement(stage: WireStage, cell: Cell, request: ReceivedRequest) -> str | None:
    link = link_in(request)
    ids = (link.get("existing_trace_id"), link.get("parent_observation_id"))
    header, project = (request.headers.get(name) for name in OURS)
    key = hashlib.sha256(stage.recorder.public_key.encode()).hexdigest()[:16]
    # Nothing says which project the spans of an instrumentation are in.
    unknown = {None} if cell.tracer.startswith(_INSTRUMENTATIONS) or not ids[0] else set()
    if project not in ({key} if ids[0] else set()) | unknown:
        return f"project {project}, not {key}"
    if not ids[0] and not link.get("trace_id"):
        return "no trace of its own: all calls of a session would share one"
    # The flags say whether the trace is sampled, and newer releases whether its id is random.
    wanted = {f"00-{ids[0]}-{ids[1]}-{flags}" for flags in ("01", "03")} if ids[0] else {None}
    return None if header in wanted else f"traceparent {header} beside {ids}"


def _other_fields(cell: Cell, request: ReceivedRequest) -> str | None:
    link = dict(link_in(request))
    user, session, tags = cell.attributes
    wanted = {
        "trace_name": ATTRIBUTES["trace_name"],
        "version": ATTRIBUTES["version"],
        "trace_metadata": ATTRIBUTES["metadata"],
        "trace_user_id": user,
        "session_id": session,
        "tags": list(tags),
        "trace_environment": ENVIRONMENT,
    }
    # LangChain's handler adds what else a run says.
    said = link.get("trace_metadata", {})
    link["trace_metadata"] = {key: said.get(key) for key in ATTRIBUTES["metadata"]}
    if "existing_trace_id" in link:
        keys = {"trace_user_id": user, "trace_session_id": session, "trace_tags": list(tags)}
        wanted |= {**keys, "update_trace_keys": list(keys)}
    for name in ("existing_trace_id", "trace_id", "parent_observation_id", "prompt"):
        link.pop(name, None)  # judged as the gateway's generation
    return None if link == wanted else f"{link} is not {wanted}"


def _difference(sent: Plain, unspliced: Plain) -> str | None:
    if sent == unspliced:
        return None
    return f"sent {list(sent - unspliced)}, unspliced {list(unspliced - sent)}"
