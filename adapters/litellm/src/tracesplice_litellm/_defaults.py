"""What the OpenTelemetry modes report of a call in place of what a client said, or left open.

``langfuse_otel`` takes the key's owner for the user (``default_user_id`` for the master key), and
the end user for the session: https://github.com/BerriAI/litellm/blob/main/litellm/integrations/arize/_utils.py
``LITELLM_OTEL_V2`` takes tags for routing for all of them:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/model/trace_controls.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm import _values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["END_USER", "with_tags", "without_defaults"]

END_USER = "user_api_key_end_user_id"
"""LiteLLM's name for who ``user`` or a header of the request is."""

_OWNER = "user_api_key_user_id"


def without_defaults(kwargs: Mapping[str, Any], *, joined: bool) -> Mapping[str, Any]:
    """Return ``kwargs`` without what Langfuse is not to get of a user and a session.

    Args:
        kwargs: What LiteLLM hands to its loggers; left as it is.
        joined: Whether the call is in a client's trace, for which nothing is made up.
    """
    payload = kwargs.get("standard_logging_object")
    metadata = payload.get("metadata") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(metadata, dict):
        return kwargs
    owner, user = (
        None if joined else _values.text(metadata.get(key)) for key in (_OWNER, END_USER)
    )
    refused = metadata.get(_OWNER) if joined else None
    return {
        **kwargs,
        "optional_params": _without_user(kwargs.get("optional_params"), refused),
        "standard_logging_object": {
            **payload,
            "metadata": {**metadata, END_USER: user, _OWNER: owner},
            "model_parameters": _without_user(payload.get("model_parameters"), refused),
        },
    }


def with_tags(kwargs: Mapping[str, Any], tags: Sequence[str]) -> Mapping[str, Any]:
    """Return ``kwargs`` with these tags for those of the request; as it is where there are none."""
    params = kwargs.get("litellm_params")
    if not tags or not isinstance(params, dict):
        return kwargs
    metadata = {**(params.get("metadata") or {}), "tags": list(tags)}
    return {**kwargs, "litellm_params": {**params, "metadata": metadata}}


def _without_user(parameters: object, refused: object) -> object:
    # On some routes LiteLLM sends the key's owner as the request's user.
    if not isinstance(parameters, dict) or "user" not in parameters:
        return parameters
    user = _values.text(parameters["user"])
    return {**parameters, "user": None if user == refused else user}
