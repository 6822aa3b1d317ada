"""What holds at a place of the program: Langfuse's ambient values, and what a span says itself.

Sources of the names: ``langfuse/_client/attributes.py`` and ``langfuse/_client/propagation.py`` in
https://github.com/langfuse/langfuse-python. They are what goes over the wire to a Langfuse server,
so they are stable although the Python modules that define them are private. In which order a server
reads a span: ``OtelIngestionProcessor.ts`` in
https://github.com/langfuse/langfuse/tree/main/packages/shared/src/server/otel.
"""

from __future__ import annotations

import json
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage

from tracesplice import _values
from tracesplice._prompt import name_and_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = ["Ambient", "attributes"]

_TRACE_METADATA = "langfuse.trace.metadata."
_OBSERVATION_METADATA = "langfuse.observation.metadata."
_BAGGAGE_METADATA = "langfuse_metadata_"
_ENVIRONMENTS = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
# Where a span says it, most trusted first. The metadata is how Langfuse shows to give a user per
# call of `langfuse.openai`: https://langfuse.com/integrations/model-providers/openai-py
_ON_SPAN = {
    key: (name, f"{_OBSERVATION_METADATA}langfuse_{key}", f"{_TRACE_METADATA}langfuse_{key}")
    for key, name in (
        ("user_id", "user.id"),
        ("session_id", "session.id"),
        ("tags", "langfuse.trace.tags"),
    )
} | {"trace_name": ("langfuse.trace.name",), "version": ("langfuse.version",)}
_NOTHING: dict[str, Any] = {}
_MAX_JSON = 65_536  # characters; what is valid is shorter


class Ambient:
    """The values that hold for calls made in a context and for an observation.

    What is ambient goes before what is on the span: Langfuse puts it there, where it shows.

    Args:
        context: OpenTelemetry's.
        span: That of the observation.
        frameworks: What is in force in the contexts of frameworks, as ``ambient_values`` has it.
    """

    def __init__(
        self,
        context: Context,
        span: Span | None = None,
        frameworks: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._context = context
        self._frameworks = frameworks
        self._baggage = baggage.get_all(context)
        self._span = span
        # Copied once: the SDK's own mapping takes ten times as long for each key.
        self._on_span = _NOTHING if span is None else dict(attributes(span))

    def text(self, key: str) -> str | None:
        """Return a text such as the user's id, None where it is not said or not valid."""
        value = self._said(key)
        return None if value is None else _values.text(key, value)

    def tags(self) -> tuple[str, ...]:
        """Return the trace's tags, without those that are not valid."""
        value = self._said("tags")
        if isinstance(value, str):
            value = _of_json(value, list) if value.startswith("[") else [value]
        return _values.tags(value) if isinstance(value, (list, tuple)) else ()

    def environment(self) -> str | None:
        """Return the environment that Langfuse stores the observation in.

        A span has its own from ``propagate_attributes`` or ``Langfuse(environment=)``, when it
        starts; of one by another instrumentation the resource has it.
        """
        value = _first(self._on_span, _ENVIRONMENTS)
        if value is None:
            value = self._ambient("environment")
        if value is None:
            resource = getattr(self._span, "resource", None)
            value = _first(getattr(resource, "attributes", None) or _NOTHING, _ENVIRONMENTS)
        return None if value is None else _values.environment(value)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the trace's metadata as pairs of text, without entries that are not valid."""
        said = self._metadata()
        return _values.pairs((key, _of_json(value, str)) for key, value in said) if said else ()

    def prompt(self) -> tuple[object, object] | None:
        """Return name and version of the ambient prompt, None where there is none; not checked."""
        name = self._ambient("prompt_name")
        if name is not None:
            return name, _values.number(self._ambient("prompt_version"))
        prompt = self._frameworks.get("prompt")
        name, version = (None, None) if prompt is None else name_and_version(prompt)
        return None if name is None else (name, version)

    def _said(self, key: str) -> object:
        value = self._ambient(key)
        if value is None and self._on_span:
            return _of_json(_first(self._on_span, _ON_SPAN[key]), str)
        return value

    def _ambient(self, key: str) -> object:
        value = self._context.get(f"langfuse.propagated.{key}")
        if value is None:
            value = self._baggage.get(f"langfuse_{key}")
        return _plain(self._frameworks.get(key) if value is None else value)

    def _metadata(self) -> Iterable[tuple[object, object]]:
        if isinstance(value := self._context.get("langfuse.propagated.metadata"), dict):
            return value.items()
        if found := _after(_BAGGAGE_METADATA, self._baggage):
            return found
        if isinstance(value := self._frameworks.get("metadata"), dict):
            return value.items()
        return _after(_TRACE_METADATA, self._on_span)


def _first(source: Mapping[str, object], names: Iterable[str]) -> object:
    for name in names:
        if (value := source.get(name)) is not None:
            return value
    return None


def _after(prefix: str, source: Mapping[Any, object]) -> list[tuple[object, object]]:
    return [
        (key[len(prefix) :], value)
        for key, value in source.items()
        if isinstance(key, str) and key.startswith(prefix)
    ]


def attributes(span: Span) -> Mapping[str, Any]:
    """Return what ``span`` says; nothing of a remote or suppressed one, which has ids alone."""
    return getattr(span, "attributes", None) or _NOTHING


def _plain(value: object) -> object:
    # Somebody's own kind of text need not behave as one.
    return str.__str__(value) if isinstance(value, str) else value


def _of_json(value: object, kind: type) -> object:
    # From 5.0 on the SDK writes each value of metadata as JSON, texts included.
    value = _plain(value)
    if isinstance(value, str) and len(value) <= _MAX_JSON and value[:1] in ('"', "["):
        with suppress(ValueError, RecursionError):
            decoded = json.loads(value)
            return decoded if isinstance(decoded, kind) else value
    return value
