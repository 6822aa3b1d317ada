"""Where it is said whose call it is, and which of all that is said goes first.

Sources of the names: ``langfuse/_client/attributes.py`` and ``langfuse/_client/propagation.py`` in
https://github.com/langfuse/langfuse-python. They are what goes over the wire to a Langfuse server,
so they are stable although the Python modules that define them are private. In which order a server
reads a span: ``OtelIngestionProcessor.ts`` in
https://github.com/langfuse/langfuse/tree/main/packages/shared/src/server/otel.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

from tracesplice._observation import BAGGAGE_ENTRY
from tracesplice._plain import decoded, plain
from tracesplice._sources import framework_values
from tracesplice_wire import number, tag_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.context import Context

    from tracesplice._plain import Plain

__all__ = [
    "BAGGAGE",
    "KEYS",
    "METADATA",
    "PROMPT_NAME",
    "PROMPT_VERSION",
    "PROPAGATED",
    "TAGS",
    "TRACE_ID",
    "TRACE_METADATA",
    "VERSION",
    "chosen",
    "said_elsewhere",
    "said_of_prompt",
    "said_on",
    "telling_in_context",
    "telling_on_span",
]

BAGGAGE = "langfuse_"
"""How Langfuse's names in baggage begin."""

PROPAGATED = "langfuse.propagated."
"""How its names in OpenTelemetry's context begin."""

TRACE_ID = "langfuse_trace_id"
"""In baggage: the trace whose observations are around this place."""

TAGS, METADATA = f"{PROPAGATED}tags", f"{PROPAGATED}metadata"
VERSION = f"{PROPAGATED}prompt_version"
"""In a context: tags and metadata, which are lists, and the version of the prompt, a number."""

PROMPT_NAME = "langfuse.observation.prompt.name"
PROMPT_VERSION = "langfuse.observation.prompt.version"
"""On a span: the prompt that it is linked to."""

TRACE_METADATA = "langfuse.trace.metadata."
"""How the names of a trace's metadata begin, each of which is an attribute."""

KEYS = (
    "user_id",
    "session_id",
    "tags",
    "trace_name",
    "environment",
    "version",
    "metadata",
    "prompt_name",
    "prompt_version",
)
"""What is said of a call."""

_BAGGAGE_METADATA = "langfuse_metadata_"
# These are ours: how what a framework and a span's prompt say is named below.
_FRAMEWORK, _PROMPT = "framework ", "prompt "
# Where it is said what is ambient, most trusted first.
_AMBIENT = {key: (f"{PROPAGATED}{key}", f"{BAGGAGE}{key}", f"{_FRAMEWORK}{key}") for key in KEYS}
# What Langfuse shows to give a user per call of `langfuse.openai`:
# https://langfuse.com/integrations/model-providers/openai-py
_IN_METADATA = {
    key: tuple(f"langfuse.{level}.metadata.langfuse_{key}" for level in ("observation", "trace"))
    for key in ("user_id", "session_id", "tags")
}
# Where a span says what, most trusted first.
_ON_SPAN: dict[str, tuple[str, ...]] = {
    "user_id": ("langfuse.user.id", "user.id", *_IN_METADATA["user_id"]),
    "session_id": (
        "langfuse.session.id",
        "session.id",
        "gen_ai.conversation.id",  # pydantic-ai's, for one
        *_IN_METADATA["session_id"],
    ),
    "tags": ("langfuse.trace.tags", "langfuse.tags", *_IN_METADATA["tags"]),
    "trace_name": ("langfuse.trace.name",),
    "version": ("langfuse.version",),
    "metadata": (TRACE_METADATA,),
}
_ENVIRONMENTS = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
_IN_CONTEXT = frozenset(name for name, *_ in _AMBIENT.values()) - {TAGS, METADATA}
_NAMES = frozenset(name for names in (*_ON_SPAN.values(), _ENVIRONMENTS) for name in names)
# By name: what it says, and its rank. What is ambient goes before what is on the span: Langfuse
# puts it there, where it shows.
_RANKS = {
    name: (key, rank)
    for key in KEYS
    for rank, name in enumerate((*_AMBIENT[key], *_ON_SPAN.get(key, ())))
}


@lru_cache(maxsize=256)
def telling_in_context(*names: str) -> tuple[str, ...]:
    """Return those of all names in a context whose values say something of a call.

    Other libraries keep values there by the names that they have on spans, ``user.id`` say: those
    are for the spans that they make.
    """
    return tuple(name for name in names if name in _IN_CONTEXT)


@lru_cache(maxsize=256)
def telling_on_span(*names: str) -> tuple[str, ...]:
    """Return those of all names on a span whose values say something of a call.

    They can be compared as they are; ``TRACE_METADATA`` stands for all that begin with it.
    """
    found = [name for name in names if name in _NAMES]
    has_metadata = any(map(str.startswith, names, repeat(TRACE_METADATA)))
    return (*found, TRACE_METADATA) if has_metadata else (*found,)


def said_elsewhere(context: Context, on_span: Mapping[str, Any]) -> Iterator[tuple[str, Plain]]:
    """Return what several values say together, or somebody else than context and span.

    Args:
        context: OpenTelemetry's.
        on_span: The attributes of a span.
    """
    if METADATA in context:
        yield METADATA, plain(context[METADATA])
    carried: Any = context.get(BAGGAGE_ENTRY, {})
    yield from _carried(carried)
    for key, value in framework_values().items():
        yield f"{_FRAMEWORK}{key}", plain(value)
    if metadata := _after(TRACE_METADATA, on_span):
        yield TRACE_METADATA, plain(metadata)


def said_of_prompt(prompt: Mapping[str, Any]) -> tuple[tuple[str, Plain], ...]:
    """Return what the prompt says that an observation is linked to.

    Args:
        prompt: Its ``prompt_name`` and ``prompt_version``.
    """
    return tuple((f"{_PROMPT}{key}", plain(value)) for key, value in prompt.items())


def said_on(name: str, value: object) -> Plain:
    """Return what one value in a context or on a span says."""
    if name not in _NAMES or name in _ENVIRONMENTS:
        return plain(value)
    return plain(decoded(value, (str, list) if name in _ON_SPAN["tags"] else str))


def chosen(by_name: Mapping[str, Plain], on_resource: Mapping[str, Any]) -> dict[str, Plain]:
    """Return what goes first of all that is said.

    Args:
        by_name: What is said, by names of this module.
        on_resource: The attributes of the resource of the call's observation.

    Returns:
        Values by ``KEYS``, of those that are said.
    """
    values: dict[str, Plain] = {}
    ranks: dict[str, int] = {}
    for name, value in by_name.items():
        if value is not None and name in _RANKS:
            key, rank = _RANKS[name]
            if rank <= ranks.get(key, rank):
                values[key], ranks[key] = value, rank
    environment = _environment(by_name, values.get("environment"), on_resource)
    if environment is not None:
        values["environment"] = environment
    if f"{_PROMPT}prompt_name" in by_name:
        values |= {key: by_name[f"{_PROMPT}{key}"] for key in ("prompt_name", "prompt_version")}
    return values


def _environment(
    by_name: Mapping[str, Plain], ambient: Plain, on_resource: Mapping[str, Any]
) -> Plain:
    # A span has its own from `propagate_attributes` or `Langfuse(environment=)`, when it starts; of
    # one by another instrumentation the resource has it. Name by name, as Langfuse reads them:
    # OpenLIT's spans have the last one themselves.
    for name in _ENVIRONMENTS:
        found = by_name.get(name)
        if found is None and ambient is None:
            found = plain(on_resource.get(name))
        if found is not None:
            return found
    return ambient


def _carried(entries: Mapping[str, Any]) -> Iterator[tuple[str, Plain]]:
    for key in KEYS:
        value = entries.get(f"{BAGGAGE}{key}")
        if value is None or key == "metadata":
            continue
        if key == "tags":
            found = decoded(value, list)
            value = tag_list(found) if isinstance(found, str) else found
        elif key == "prompt_version":
            value = number(value)
        yield f"{BAGGAGE}{key}", plain(value)
    if metadata := _after(_BAGGAGE_METADATA, entries):
        yield f"{BAGGAGE}metadata", plain(metadata)


def _after(prefix: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {name[len(prefix) :]: source[name] for name in source if name.startswith(prefix)}
