"""Whether this gateway reports a call to Langfuse, with its usage.

The answer's header says so to the client, which then leaves the usage of the call to the gateway.
A wrong "no" counts the call twice, a wrong "yes" never: so in doubt it is no.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._modes import Mode, langfuses, loggers
from tracesplice_litellm._write import joined_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracesplice_litellm._call import Call
    from tracesplice_litellm._link import Place

__all__ = ["HEADER", "reports"]

HEADER = "x-tracesplice-reports"
"""The header of an answer, ``true`` or ``false``."""

_SAMPLES_ALL = ("", "always_on", "parentbased_always_on")


def reports(data: Mapping[str, Any], response: Any, call: Call) -> bool:
    """Return whether nothing of the usage of ``call`` is the client's to count.

    Args:
        data: The request as LiteLLM hands it to its hooks.
        response: Its answer.
        call: Its call.
    """
    logging = data.get("litellm_logging_obj")
    if _from_cache(response, logging):
        return True
    same = call.link.same_project
    if not (_one_project(logging) if same is None else same):
        return False
    if call.relayed and not _is_read(response):
        return False
    return any(
        _reports(mode, logger, call, logging) and _is_on(logger, data, logging)
        for mode, logger in (*loggers(), *langfuses(_own(logging)))
    )


def _reports(mode: Mode, logger: Any, call: Call, logging: Any) -> bool:
    place = call.link.place
    if mode is not Mode.LANGFUSE:
        # Of the ids in a body, these two know what the adapter put into their own header.
        place = joined_place(call.link) or call.link.header
    if mode is Mode.OTEL_V2:
        return call.observed or (_was_sent(logging) and _samples(place))
    if mode is Mode.OTEL:
        return _samples(place)
    tracing = getattr(logger, "tracing", None)
    if tracing is None or place is None:
        return "LANGFUSE_SAMPLE_RATE" not in os.environ
    # This and LiteLLM's own sampler go by the call and the trace's id alone.
    decided = tracing.tracer.sampler.should_sample(None, int(place.trace_id, 16), "")
    return bool(decided.decision.is_sampled())


def _from_cache(response: Any, logging: Any) -> bool:
    found = (getattr(logging, "caching_details", None), getattr(response, "_hidden_params", None))
    hit = any(isinstance(each, dict) and each.get("cache_hit") is True for each in found)
    # Of a list of embeddings, the rest may have been asked for.
    return hit and not _was_sent(logging)


def _was_sent(logging: Any) -> bool:
    # LITELLM_OTEL_V2 makes no span for an answer that came from no provider, and for some
    # embeddings. Where it cannot start one before the call, it makes it afterwards.
    # https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/logger.py
    details = getattr(logging, "model_call_details", None) or {}
    return details.get("api_call_start_time") is not None


def _samples(place: Place | None) -> bool:
    # https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    sampler = os.environ.get("OTEL_TRACES_SAMPLER", "")
    return sampler in _SAMPLES_ALL and (place is None or place.sampled)


def _one_project(logging: Any) -> bool:
    # A key or a team may report to a project of its own, which this client says nothing about.
    own = getattr(logging, "standard_callback_dynamic_params", None) or {}
    ours = os.environ.get("LANGFUSE_PUBLIC_KEY")
    return bool(ours) and own.get("langfuse_public_key") in (None, ours)


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


def _own(logging: Any) -> Iterator[Any]:
    for name in ("dynamic_success_callbacks", "dynamic_async_success_callbacks"):
        yield from getattr(logging, name, None) or ()


def _is_on(logger: Any, data: Mapping[str, Any], logging: Any) -> bool:
    # LiteLLM's own answer, for `no-log` and for callbacks that a key or a header switches off.
    asked = getattr(logging, "should_run_callback", None)
    if asked is None:
        return not data.get("no-log")
    names = ("no-log", "metadata", "litellm_metadata", "proxy_server_request")
    return bool(asked(logger, {name: data.get(name) for name in names}, "success"))
