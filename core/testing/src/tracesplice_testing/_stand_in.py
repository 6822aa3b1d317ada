"""A stand-in for a gateway, in process: what arrives is reported as LiteLLM's adapter would."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tracesplice.adapter import Gateway, Link
from tracesplice_testing.model import ModelServer, ReceivedRequest
from tracesplice_testing.recorder import Span
from tracesplice_wire import (
    CONTAINER,
    REPORTS,
    TRACEPARENT,
    Place,
    decode_baggage,
    decode_metadata,
    decode_project,
    decode_traceparent,
    project_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice_testing.recorder import Recorder

__all__ = ["SCOPE", "GatewayStandIn", "link_of"]

SCOPE = "litellm stand-in"
"""The instrumentation scope of what is reported."""

USAGE = {"input": 2, "output": 1, "total": 3}
COST = 4e-6
"""What each call is reported with, in tokens and USD."""


class GatewayStandIn(ModelServer):
    """A model server that reports each answered call to a recorder, as a gateway does.

    What it reports is read off the wire: where the call belongs, its prompt, user, session and so
    on. A call without a link becomes a trace of its own. `url` and `key` are for the client.

    Attributes:
        reports: Whether it reports its calls and says so in its answers. As False it is a gateway
            that does not report to Langfuse.
    """

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.key = f"sk-{secrets.token_hex(8)}"
        self.reports = True
        self._recorder = recorder

    def headers_of(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Reports the call as its answer begins, and says in a header of the answer that it did."""
        said = super().headers_of(request)
        status = request.answered[0]
        if request.method != "POST" or 300 <= status < 400 or not Gateway.calls_model(request.path):
            return said
        link, failed = self._link(request), status >= 400
        if self.reports:
            self._recorder.keep(_span(request, link, failed=failed))
        if failed:
            return said
        counts = self.reports and link.project in (None, project_of(self._recorder.public_key))
        return {REPORTS: str(counts).lower(), **said}

    def clear(self) -> None:
        """Forget the requests received, and report anew."""
        super().clear()
        self.reports = True

    def _link(self, request: ReceivedRequest) -> Link:
        link = link_of(request)
        if link.project in (None, project_of(self._recorder.public_key)):
            return link
        # Trace and prompt are another project's.
        return link._replace(trace_id=None, parent_id=None, prompt=None)


def link_of(request: ReceivedRequest) -> Link:
    """Return the link that a request carries, as a gateway reads it: the body before the header."""
    fields = request.json or request.form
    body = [found for name in ("metadata", CONTAINER) if (found := _mapping(fields.get(name)))]
    link = decode_metadata(body, decode_baggage(request.headers.get("baggage")))
    header = decode_traceparent(request.headers.get(TRACEPARENT))
    if link.trace_id is None and header is not None:
        link = link._replace(**header._asdict())
    elif isinstance(header, Place):
        link = link._replace(trace_flags=header.trace_flags)
    return link._replace(project=decode_project(request.headers))


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):  # of a form
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _span(request: ReceivedRequest, link: Link, *, failed: bool) -> Span:
    now = datetime.now(timezone.utc)
    return Span(
        trace_id=link.trace_id or secrets.token_hex(16),
        span_id=secrets.token_hex(8),
        parent_id=link.parent_id if link.trace_id else None,
        name=f"gateway {request.path.removeprefix('/v1')}",
        start=now,
        end=now,
        attributes=_attributes(request, link) | ({} if failed else _FIGURES),
        events=(),
        error=failed,
        status_message=f"status {request.answered[0]}" if failed else None,
        scope=SCOPE,
        scope_version="",
        scope_attributes={},
        resource={"service.name": "litellm"},
    )


_FIGURES = {
    "langfuse.observation.usage_details": json.dumps(USAGE),
    "langfuse.observation.cost_details": json.dumps({"total": COST}),
}


def _attributes(request: ReceivedRequest, link: Link) -> dict[str, Any]:
    fields = request.json or request.form
    asked = {key: fields[key] for key in ("messages", "input", "prompt") if key in fields}
    found = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": fields.get("model"),
        "langfuse.observation.input": json.dumps(asked),
        "langfuse.observation.prompt.name": link.prompt and link.prompt.name,
        "langfuse.observation.prompt.version": link.prompt and link.prompt.version,
        "langfuse.trace.tags": [*link.tags],
        "langfuse.environment": link.environment,
        "user.id": link.user_id,
        "session.id": link.session_id,
    }
    return {key: value for key, value in found.items() if value}
