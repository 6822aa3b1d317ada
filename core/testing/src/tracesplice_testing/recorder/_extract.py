"""From a span's attributes to a draft of the observation, and to what it says of its trace.

Keys and their order are Langfuse's:
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/OtelIngestionProcessor.ts
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from ._draft import Draft, TraceWrite
from ._given import given_cost, given_usage, sums_its_calls
from ._io import input_output
from ._types import level, observation_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._otlp import Span

_OBSERVATION = "langfuse.observation."
_TRACE = "langfuse.trace."
_USER = (
    "langfuse.user.id",
    "user.id",
    "langfuse.observation.metadata.langfuse_user_id",
    "langfuse.trace.metadata.langfuse_user_id",
)
_SESSION = (
    "langfuse.session.id",
    "session.id",
    "gen_ai.conversation.id",
    "langfuse.observation.metadata.langfuse_session_id",
    "langfuse.trace.metadata.langfuse_session_id",
)
_TAGS = (
    "langfuse.trace.tags",
    "langfuse.tags",
    "langfuse.observation.metadata.langfuse_tags",
    "langfuse.trace.metadata.langfuse_tags",
    "tag.tags",
)
_MODEL = (
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.model_name",
    "model",
)
_ENVIRONMENT = ("langfuse.environment", "deployment.environment.name", "deployment.environment")


def draft(span: Span) -> Draft:
    """The observation a span becomes."""
    attributes = span.attributes
    given_input, given_output = input_output(span)
    counting: Mapping[str, Any] = {} if sums_its_calls(attributes) else attributes
    return Draft(
        id=span.span_id,
        trace_id=span.trace_id,
        parent_id=span.parent_id,
        name=str(attributes.get("gen_ai.tool.name") or attributes.get("logfire.msg") or span.name),
        type=observation_type(span),
        start=span.start,
        end=span.end,
        model=_text(counting, _MODEL),
        input=given_input,
        output=given_output,
        level=level(span),
        status_message=attributes.get(_OBSERVATION + "status_message", span.status_message),
        usage=given_usage(counting),
        cost=given_cost(counting),
        prompt_name=_first(attributes, _OBSERVATION + "prompt.name", "langfuse.prompt.name"),
        prompt_version=_first(
            attributes, _OBSERVATION + "prompt.version", "langfuse.prompt.version"
        ),
        user_id=_text(attributes, _USER),
        session_id=_text(attributes, _SESSION),
        tags=_tags(attributes),
        environment=_environment(span),
        metadata=_metadata(span),
        attributes=dict(attributes),
        scope=span.scope,
        service=str(span.resource.get("service.name", "")),
    )


def trace_write(span: Span, made: Draft) -> TraceWrite:
    """What the span says about its trace."""
    attributes = span.attributes
    about = ("user_id", "session_id", "tags", "environment")
    return TraceWrite(
        trace_id=span.trace_id,
        at=span.start,
        about={key: getattr(made, key) for key in about},
        told={key: attributes.get(_TRACE + key) for key in ("name", "input", "output")},
        own={"name": made.name, "input": made.input, "output": made.output},
        parentless=not span.parent_id,
        is_root=not span.parent_id or _is_true(attributes.get("langfuse.internal.as_root")),
        is_app_root=_is_true(attributes.get("langfuse.internal.is_app_root")),
    )


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _first(attributes: Mapping[str, Any], *keys: str) -> Any:
    return next((attributes[key] for key in keys if attributes.get(key) is not None), None)


def _text(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    value = next((attributes[key] for key in keys if attributes.get(key)), None)
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _tags(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """A list, a JSON list, or names separated by commas."""
    value = next((attributes[key] for key in _TAGS if attributes.get(key)), None)
    if isinstance(value, str) and value.strip().startswith("["):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    return tuple(str(tag) for tag in value) if isinstance(value, (list, tuple)) else ()


def _environment(span: Span) -> str:
    for key in _ENVIRONMENT:
        for source in (span.attributes, span.resource):
            if source.get(key):
                return str(source[key])
    return "default"


def _metadata(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceAttributes": span.resource,
        "scope": {
            "name": span.scope,
            "version": span.scope_version,
            "attributes": span.scope_attributes,
        },
    }
    for prefix in (_OBSERVATION + "metadata", _TRACE + "metadata", "langfuse.metadata"):
        whole = _json(span.attributes.get(prefix))
        found.update(whole if isinstance(whole, dict) else {})
        start = prefix + "."
        found.update(
            {k[len(start) :]: v for k, v in span.attributes.items() if k.startswith(start)}
        )
    return found


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
