"""Writes a checked link into a request as each of LiteLLM's Langfuse modes reads it.

And takes out what Langfuse, or LiteLLM itself, would stumble over. Source of the names:
https://docs.litellm.ai/docs/observability/langfuse_integration and
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py. ``tags`` and
``session_id`` are left as they came, if valid: the first take part in LiteLLM's routing, the second
becomes the trace's id where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm._request import AUTH, END_USER, NAMED, read_request
from tracesplice_wire import TEXTS, TRACEPARENT, TRACEPARENT_FORMAT, decode_metadata, tags, text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping

    from tracesplice_litellm._request import Parts, Request

__all__ = ["report_own_metadata", "restored", "splice_request"]

_OUR_KEYS = ("trace_user_id", "trace_session_id", "trace_tags")
_LISTS = frozenset({"tags", "trace_tags", "update_trace_keys"})
_NOT_READ = ("prompt", "trace_environment")  # the first as a client may write it
_MORE_TEXTS = ("trace_id", "generation_id", "generation_name", "trace_version", "trace_release")
_CHECKS: Mapping[str, Callable[[object], str | None]] = {
    **{key: check for _, key, check in TEXTS if key not in _NOT_READ},
    **dict.fromkeys(_MORE_TEXTS, text),
    "existing_trace_id": text,  # LiteLLM makes an id of any text
}


def splice_request(
    data: MutableMapping[str, Any],
    *,
    tag_keys: Iterable[str] = (),
    tag_headers: Iterable[str] = (),
    only_our_keys: bool = False,
) -> Request:
    """Read the link of a request, write it back as LiteLLM reads it, and drop what is not valid.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``; changed in place, as it is
            LiteLLM's own copy.
        tag_keys: Keys of the metadata that the gateway reports as tags.
        tag_headers: Headers that it reports as tags.
        only_our_keys: Whether the client may not choose what else of a trace to overwrite.
    """
    parts, request = read_request(data, tag_keys, tag_headers)
    ours = _for_langfuse(request)
    _rewrite(data, parts, request, ours, only_our_keys=only_our_keys)
    return request._replace(written=ours)


def _rewrite(
    data: MutableMapping[str, Any],
    parts: Parts,
    request: Request,
    ours: Mapping[str, Any],
    *,
    only_our_keys: bool,
) -> None:
    reported, headers, link = parts.reported, parts.headers, request.link
    _clean(reported, written=ours)
    other = data.get("litellm_metadata")
    if isinstance(other, dict) and other is not reported:
        _clean(other)  # before LiteLLM 1.99 it is reported, too
    if parts.named:
        _take_named(parts)
    if request.same_project is False:
        _forget_place(data, parts)
    reported.update(ours)
    if reported.get(END_USER) is not None:
        # Where this key is missing, LiteLLM takes whom the request names, at any length.
        reported["trace_user_id"] = link.user_id
    if only_our_keys:
        reported["update_trace_keys"] = [key for key in _OUR_KEYS if reported.get(key)]
    place = request.places.otel
    if place is not None and place != request.places.header:
        headers[TRACEPARENT] = TRACEPARENT_FORMAT % place


def report_own_metadata(kwargs: Mapping[str, Any]) -> None:
    """Have a call reported from LiteLLM's metadata where a client sent the provider some.

    On ``/responses`` and its siblings ``metadata`` is OpenAI's. LiteLLM takes the session from it,
    and on ``/responses/compact`` everything: mode ``langfuse`` then reads a trace's id, a prompt
    and tags in what was meant for the provider, and finds no link.
    https://github.com/BerriAI/litellm/blob/main/litellm/litellm_core_utils/litellm_logging.py
    (``update_from_kwargs``) and ``get_litellm_params.py`` beside it.

    Args:
        kwargs: What LiteLLM hands to its loggers before the call; their own copy is changed, not
            what goes to the provider.
    """
    params = kwargs.get("litellm_params")
    if not isinstance(params, dict):
        return
    own, reported = params.get("litellm_metadata"), params.get("metadata")
    is_reported = isinstance(reported, dict) and AUTH in reported
    if not is_reported and isinstance(own, dict) and AUTH in own:
        params["metadata"] = dict(own)
    session = "litellm_session_id"
    if params.get(session) is not None and text(params[session]) is None:
        params[session] = None


def restored(metadata: object, request: Request) -> dict[str, Any]:
    """Return the metadata to report a call from, which another callback wrote anew.

    Where LiteLLM cannot read it, a call is not reported at all, after its answer has said that it
    is.

    Args:
        metadata: What LiteLLM reports from; left as it is.
        request: What the client sent.
    """
    found = metadata.copy() if isinstance(metadata, dict) else {}
    prompt = decode_metadata([{"prompt": found.get("prompt")}]).prompt
    _clean(found, written=request.written)
    if prompt is not None:
        found["prompt"] = prompt.metadata  # a callback may link one itself
    return {**found, **request.written}


def _for_langfuse(request: Request) -> dict[str, Any]:
    link = request.link
    found: dict[str, Any] = {
        "trace_name": link.trace_name,
        "trace_user_id": link.user_id,
        "trace_session_id": link.session_id,
        "trace_tags": list(link.tags),
    }
    if link.prompt is not None:
        found["prompt"] = link.prompt.metadata
    if not request.places.starts_trace:
        found["existing_trace_id"] = link.trace_id
        found["parent_observation_id"] = link.parent_id
    return {key: value for key, value in found.items() if value}


def _clean(metadata: MutableMapping[str, Any], written: Collection[str] = ()) -> None:
    # All but what is written anew.
    for key in (_CHECKS.keys() & metadata.keys()).difference(written):
        if metadata[key] is not None and _CHECKS[key](metadata[key]) is None:
            del metadata[key]
    for key in (_LISTS & metadata.keys()).difference(written):
        value = metadata[key]
        if value is not None:
            metadata[key] = list(tags(value)) if isinstance(value, (list, tuple)) else []
    # LiteLLM in mode `langfuse` reports nothing of a call whose prompt it cannot read; it has no
    # use for the environment.
    for key in _NOT_READ:
        metadata.pop(key, None)
    if not isinstance(metadata.get("trace_metadata"), dict):
        metadata.pop("trace_metadata", None)


def _take_named(parts: Parts) -> None:
    # LiteLLM lets them go before the body, unchecked.
    for name in parts.named:
        key, value = name.removeprefix(NAMED), parts.headers[name]
        check = _CHECKS.get(key)
        if check is not None and check(value) is not None:
            parts.reported[key] = value
        if key == "update_trace_keys":
            parts.reported[key] = list(tags(str(value).split(",")))
        if check is not None or key in _LISTS or key == "prompt":
            del parts.headers[name]


def _forget_place(data: MutableMapping[str, Any], parts: Parts) -> None:
    # LiteLLM goes by each of them.
    data.pop("litellm_trace_id", None)
    for key in ("existing_trace_id", "trace_id", "parent_observation_id"):
        parts.reported.pop(key, None)
    parts.headers.pop(TRACEPARENT, None)
