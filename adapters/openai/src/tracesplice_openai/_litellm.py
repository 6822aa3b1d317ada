"""Where LiteLLM's SDK sends the calls of an object that has no client: a model, or a ``Router``."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from tracesplice.adapter import Gateway, TracespliceError
from tracesplice_openai._search import address_in

__all__ = ["address_by_litellm", "address_of_router"]

# LiteLLM's own prefix for models of a proxy, and its variable for the proxy's address
# (https://docs.litellm.ai/docs/providers/litellm_proxy).
_PROXY = "litellm_proxy"
_VARIABLE = "LITELLM_PROXY_API_BASE"


def address_by_litellm(model: Any) -> str | None:
    """Return the address that LiteLLM calls for ``model``; None where it cannot be seen."""
    router = getattr(model, "router", None)
    if router is not None:
        return address_of_router(router)
    named = getattr(model, "model", None), getattr(model, "custom_llm_provider", None)
    return address_in(model) or (_default() if _is_proxy(*named) else None)


def address_of_router(router: Any) -> str | None:
    """Return the address of the gateway among a Router's deployments.

    Those that are named ``litellm_proxy/...`` are the gateway's. Where none is, and all that are
    not at a provider's have one address, that is it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer releases would have another name asked
        deployments = router.model_list or ()
    params = [dict(each.get("litellm_params") or {}) for each in deployments]
    named = [(each.get("model"), each.get("custom_llm_provider")) for each in params]
    given = [each.get("api_base") or each.get("base_url") for each in params]
    found = {
        address or _default()
        for name, address in zip(named, given, strict=True)
        if _is_proxy(*name)
    }
    found = found or {each for each in given if each and not _is_provider(each)}
    return found.pop() if len(found) == 1 else None


def _is_proxy(model: object, provider: object) -> bool:
    if provider == _PROXY or str(model).startswith(f"{_PROXY}/"):
        return True
    litellm: Any = sys.modules.get("litellm")
    return getattr(litellm, "use_litellm_proxy", False) is True


def _default() -> str | None:
    return os.environ.get(_VARIABLE)


def _is_provider(address: str) -> bool:
    try:
        Gateway.declare(address)
    except TracespliceError:
        return True
    return False
