"""Whether this gateway reports a call to Langfuse, with its usage.

The answer's header says so to the client, which then leaves the usage of the call to the gateway.
A wrong "no" counts the call twice, a wrong "yes" never: so in doubt it is no.
"""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._call import was_sent
from tracesplice_litellm._loggers import loggers, own_loggers
from tracesplice_litellm._place import own_public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice_litellm._call import Call

__all__ = ["reports"]


def reports(data: Mapping[str, Any], response: Any, call: Call) -> bool:
    """Return whether nothing of the usage of ``call`` is the client's to count.

    Args:
        data: The request as LiteLLM hands it to its hooks.
        response: Its answer.
        call: Its call.
    """
    logging = data.get("litellm_logging_obj")
    if _is_cached(response, logging):
        return True
    if not _is_in_clients_project(call, logging):
        return False
    if call.is_relayed and not _is_read(response):
        return False
    return any(
        mode.reports(logger, call, logging) and _is_on(logger, data, logging)
        for mode, logger in chain(loggers.prepared(), own_loggers(logging))
    )


def _is_cached(response: Any, logging: Any) -> bool:
    for found in (
        getattr(logging, "caching_details", None),
        getattr(response, "_hidden_params", None),
    ):
        if isinstance(found, dict) and found.get("cache_hit") is True:
            # Of a list of embeddings, the rest may have been asked for.
            return not was_sent(logging)
    return False


def _is_in_clients_project(call: Call, logging: Any) -> bool:
    if call.request.same_project is not None:
        return call.request.same_project
    # A key or a team may report to a project of its own, which this client says nothing about.
    ours = os.environ.get("LANGFUSE_PUBLIC_KEY")
    return bool(ours) and own_public_key(logging) in (None, ours)


def _is_read(response: Any) -> bool:
    # Of a pass-through endpoint, LiteLLM finds the figures in answers of providers it knows.
    # https://github.com/BerriAI/litellm/tree/main/litellm/proxy/pass_through_endpoints
    from litellm.proxy.pass_through_endpoints.pass_through_endpoints import (
        pass_through_endpoint_logging as known,
    )

    url = str(getattr(response, "url", ""))
    if known.is_openai_route(url):
        return bool(known._is_supported_openai_endpoint(url))
    return bool(known.is_vertex_route(url) or known.is_anthropic_route(url))


def _is_on(logger: Any, data: Mapping[str, Any], logging: Any) -> bool:
    # LiteLLM's own answer, for `no-log` and for callbacks that a key or a header switches off.
    asked = getattr(logging, "should_run_callback", None)
    if asked is None:
        return not data.get("no-log")
    names = ("no-log", "metadata", "litellm_metadata", "proxy_server_request")
    return bool(asked(logger, {name: data.get(name) for name in names}, "success"))
