"""Takes out of what LiteLLM reports what Langfuse, or LiteLLM itself, would stumble over.

Source of the names: https://docs.litellm.ai/docs/observability/langfuse_integration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm import _values

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping

__all__ = ["clean", "take_named_headers"]

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
_HEADER = "langfuse_"


def clean(metadata: MutableMapping[str, Any], checked: Collection[str] = ()) -> None:
    """Take out of a request's metadata each value that is none.

    Args:
        metadata: LiteLLM's own; changed in place.
        checked: Keys that are written anew.
    """
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


def take_named_headers(
    headers: MutableMapping[str, Any], metadata: MutableMapping[str, Any]
) -> None:
    """Move valid values of LiteLLM's own headers, ``langfuse_...``, into the metadata.

    LiteLLM lets them go before the body, unchecked.

    Args:
        headers: The request's; changed in place.
        metadata: LiteLLM's own; changed in place.
    """
    for name in [each for each in headers if each.startswith(_HEADER)]:
        key = name.removeprefix(_HEADER)
        check = _TEXTS.get(key)
        if check is not None and check(headers[name]) is not None:
            metadata[key] = headers[name]
        if key == "update_trace_keys":
            metadata[key] = list(_values.tags(str(headers[name]).split(",")))
        if check is not None or key in _LISTS or key == "prompt":
            del headers[name]
