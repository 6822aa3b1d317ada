"""Where LiteLLM hands a provider's own ``metadata`` to its loggers in place of its own.

On ``/responses`` and its siblings ``metadata`` is OpenAI's. Where a client sent some, LiteLLM takes
the session from it, and on ``/responses/compact`` everything: mode ``langfuse`` then reads a
trace's id, a prompt and tags in what was meant for the provider, and finds no link.
https://github.com/BerriAI/litellm/blob/main/litellm/litellm_core_utils/litellm_logging.py
(``update_from_kwargs``) and ``get_litellm_params.py`` beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_litellm import _values

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["log_own_metadata"]

_OWN = "user_api_key_auth"
_SESSION = "litellm_session_id"


def log_own_metadata(kwargs: Mapping[str, Any]) -> None:
    """Have a call reported from LiteLLM's metadata.

    Args:
        kwargs: What LiteLLM hands to its loggers before the call; their own copy is changed, not
            what goes to the provider.
    """
    params = kwargs.get("litellm_params")
    if not isinstance(params, dict):
        return
    own, logged = params.get("litellm_metadata"), params.get("metadata")
    if _is_own(own) and not _is_own(logged):
        params["metadata"] = dict(own or {})
    if params.get(_SESSION) is not None and _values.text(params[_SESSION]) is None:
        params[_SESSION] = None


def _is_own(metadata: Mapping[str, Any] | None) -> bool:
    return isinstance(metadata, dict) and _OWN in metadata
