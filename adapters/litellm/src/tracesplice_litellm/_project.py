"""Which Langfuse project a call is reported to, and whether the client's trace is in it.

A client says which project it means by a digest of its public key. A key or a team of the gateway
may report to a project of its own: https://docs.litellm.ai/docs/proxy/team_logging
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HEADER", "digest", "reports_to"]

HEADER = "x-tracesplice-project"
"""The first 16 hex digits of the SHA-256 of a Langfuse project's public key."""

_DIGEST = re.compile(r"[0-9a-f]{16}")


def reports_to(data: Mapping[str, Any], headers: Mapping[str, object]) -> bool | None:
    """Return whether this call is reported to the client's project, None if that is not known.

    Args:
        data: The request as LiteLLM hands it to its hooks.
        headers: Its headers.
    """
    sent = headers.get(HEADER)
    key = _public_key(data)
    if key is None or not isinstance(sent, str) or not _DIGEST.fullmatch(sent.strip()):
        return None
    return sent.strip() == digest(key)


@lru_cache(maxsize=64)
def digest(public_key: str) -> str:
    """Return what stands for the project of ``public_key`` in a header."""
    return sha256(public_key.encode()).hexdigest()[:16]


def _public_key(data: Mapping[str, Any]) -> str | None:
    logging = data.get("litellm_logging_obj")
    own = getattr(logging, "standard_callback_dynamic_params", None) or {}
    found = own.get("langfuse_public_key") or os.environ.get("LANGFUSE_PUBLIC_KEY")
    return found if isinstance(found, str) and found else None
