"""Writes the checked link back into the request, as each of LiteLLM's Langfuse modes reads it.

Source of the names: https://docs.litellm.ai/docs/observability/langfuse_integration and
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py. ``tags`` and
``session_id`` are left as they came: the first take part in LiteLLM's routing, the second becomes
the trace's id where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm._clean import clean, take_named_headers
from tracesplice_litellm._defaults import END_USER
from tracesplice_litellm._link import Link, Place
from tracesplice_litellm._place import unknown_parent
from tracesplice_litellm._read import logged, request_headers

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

__all__ = ["formatted", "joined_place", "write_link"]

_OUR_KEYS = ("trace_user_id", "trace_session_id", "trace_tags")


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
    clean(data[name], checked=ours)
    if name == "metadata" and isinstance(data.get("litellm_metadata"), dict):
        clean(data["litellm_metadata"])  # before LiteLLM 1.99 it is reported, too
    if isinstance(headers, dict):
        take_named_headers(headers, data[name])
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
    """Return the place of a call where the OpenTelemetry modes do not find it by themselves."""
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


def _forget_place(
    data: MutableMapping[str, Any], metadata: MutableMapping[str, Any], headers: Mapping[str, Any]
) -> None:
    # LiteLLM goes by each of them.
    data.pop("litellm_trace_id", None)
    for key in ("existing_trace_id", "trace_id", "parent_observation_id"):
        metadata.pop(key, None)
    if isinstance(headers, dict):
        headers.pop("traceparent", None)


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
