"""Writes the checked link back into the request, as each of LiteLLM's Langfuse modes reads it.

Source of the names: https://docs.litellm.ai/docs/observability/langfuse_integration and
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py. ``tags`` and
``session_id`` are left as they came: the first take part in LiteLLM's routing, the second becomes
the trace's id where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm import _values
from tracesplice_litellm._defaults import END_USER
from tracesplice_litellm._link import Link, Place
from tracesplice_litellm._place import unknown_parent
from tracesplice_litellm._read import logged, request_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping

__all__ = ["formatted", "joined_place", "write_link"]

_TEXTS: Mapping[str, Callable[[object], str | None]] = {
    "existing_trace_id": _values.text,  # LiteLLM makes an id of any text
    "trace_id": _values.text,
    "parent_observation_id": _values.span_id,
    "generation_id": _values.text,
    "generation_name": _values.text,
    "trace_name": _values.text,
    "trace_user_id": _values.text,
    "trace_session_id": _values.text,
    "session_id": _values.text,
    "trace_version": _values.text,
    "trace_release": _values.text,
    "version": _values.text,
}
_LISTS = frozenset({"tags", "trace_tags", "update_trace_keys"})
_OUR_KEYS = ("trace_user_id", "trace_session_id", "trace_tags")
_HEADER = "langfuse_"


def write_link(data: MutableMapping[str, Any], link: Link, *, only_our_keys: bool = False) -> None:
    """Put ``link`` into a request, and take out what Langfuse would not take.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``; changed in place, as it is
            LiteLLM's own copy.
        link: Its link, from ``read_link``.
        only_our_keys: Whether the client may not choose what else of a trace to overwrite.
    """
    name = logged(data)
    if not isinstance(data.get(name), dict):
        data[name] = {}
    headers = request_headers(data)
    ours = _for_langfuse(link)
    _clean(data[name], checked=ours)
    if name == "metadata" and isinstance(data.get("litellm_metadata"), dict):
        _clean(data["litellm_metadata"], checked=())  # before LiteLLM 1.99 it is reported, too
    if isinstance(headers, dict):
        _take_named_headers(headers, data[name])
    if link.same_project is False:
        _forget_place(data, data[name], headers)
    data[name].update(ours)
    if data[name].get(END_USER) is not None:
        # Where this key is missing, LiteLLM takes whom the request names, at any length.
        data[name]["trace_user_id"] = link.user_id
    if only_our_keys:
        data[name]["update_trace_keys"] = [key for key in _OUR_KEYS if data[name].get(key)]
    place = joined_place(link)
    if place is not None and isinstance(headers, dict):
        headers["traceparent"] = formatted(place)


def joined_place(link: Link) -> Place | None:
    """Return the place that the OpenTelemetry modes do not find by themselves; None if they do."""
    place = link.place
    if place is None or place == link.header:
        return None
    if place.parent_id is not None:
        return place
    # As LiteLLM does in mode `langfuse`: under a parent that never arrives, so that the generation
    # does not pass for the trace's root.
    if link.starts_trace:
        return None
    return Place(place.trace_id, unknown_parent(place.trace_id), place.sampled)


def formatted(place: Place) -> str:
    """Return ``place`` as a ``traceparent`` header."""
    return f"00-{place.trace_id}-{place.parent_id}-{int(place.sampled):02x}"


def _clean(metadata: MutableMapping[str, Any], checked: Collection[str]) -> None:
    for key in (_TEXTS.keys() & metadata.keys()).difference(checked):
        if metadata[key] is not None and _TEXTS[key](metadata[key]) is None:
            del metadata[key]
    for key in (_LISTS & metadata.keys()).difference(checked):
        if metadata[key] is not None:
            metadata[key] = list(_values.tags(metadata[key]))
    # LiteLLM in mode `langfuse` reports nothing of a call whose prompt it cannot read.
    metadata.pop("prompt", None)
    metadata.pop("trace_environment", None)  # LiteLLM has no use for it
    if not isinstance(metadata.get("trace_metadata"), dict):
        metadata.pop("trace_metadata", None)


def _forget_place(
    data: MutableMapping[str, Any], metadata: MutableMapping[str, Any], headers: Mapping[str, Any]
) -> None:
    # LiteLLM goes by each of them.
    data.pop("litellm_trace_id", None)
    for key in ("existing_trace_id", "trace_id", "parent_observation_id"):
        metadata.pop(key, None)
    if isinstance(headers, dict):
        headers.pop("traceparent", None)


def _take_named_headers(
    headers: MutableMapping[str, Any], metadata: MutableMapping[str, Any]
) -> None:
    # LiteLLM lets these go before the body, unchecked.
    for name in [each for each in headers if each.startswith(_HEADER)]:
        key = name.removeprefix(_HEADER)
        check = _TEXTS.get(key)
        if check is not None and check(headers[name]) is not None:
            metadata[key] = headers[name]
        if key == "update_trace_keys":
            metadata[key] = list(_values.tags(str(headers[name]).split(",")))
        if check is not None or key in _LISTS or key == "prompt":
            del headers[name]


def _for_langfuse(link: Link) -> dict[str, Any]:
    found: dict[str, Any] = {
        "trace_name": link.trace_name,
        "trace_user_id": link.user_id,
        "trace_session_id": link.session_id,
        "trace_tags": list(link.tags),
    }
    if link.prompt is not None:
        # Without the empty text LiteLLM rejects the prompt.
        found["prompt"] = {"name": link.prompt.name, "version": link.prompt.version, "prompt": ""}
    if link.place is not None and not link.starts_trace:
        found["existing_trace_id"] = link.place.trace_id
        found["parent_observation_id"] = link.place.parent_id
    return {key: value for key, value in found.items() if value}
