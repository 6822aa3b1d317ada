"""Tags that the gateway's configuration asks for.

On a trace that exists already, LiteLLM in mode ``langfuse`` reports none of them.
https://docs.litellm.ai/docs/observability/langfuse_integration (``langfuse_default_tags``) and
https://docs.litellm.ai/docs/proxy/cost_tracking (``extra_spend_tag_headers``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm

from tracesplice_litellm._read import logged, request_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["configured_tags"]


def configured_tags(data: Mapping[str, Any]) -> list[str]:
    """Return these tags of a request; not checked.

    Those of the answer, such as ``cache_hit``, are not known yet.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``.
    """
    names = litellm.langfuse_default_tags or ()
    spent = getattr(litellm, "extra_spend_tag_headers", None) or ()  # not in every release
    metadata, headers = data.get(logged(data)) or {}, request_headers(data)
    found = [f"{name}:{metadata[name]}" for name in names if name in metadata]
    return found + [f"{name}: {headers[name]}" for name in spent if headers.get(name)]
