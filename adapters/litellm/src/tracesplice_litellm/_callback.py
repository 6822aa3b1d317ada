"""The callback that LiteLLM calls: https://docs.litellm.ai/docs/proxy/call_hooks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import litellm
from litellm.integrations.custom_logger import CustomLogger

from tracesplice_litellm import _langfuse
from tracesplice_litellm._call import begin, call_of, read_headers
from tracesplice_litellm._loggers import carried_by_own, loggers
from tracesplice_litellm._reports import reports
from tracesplice_litellm._rewrite import report_own_metadata, splice_request
from tracesplice_wire import REPORTS, fault, guarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracesplice_litellm._loggers import Mode

__all__ = ["adapter"]


class _Adapter(CustomLogger):
    # LiteLLM looks for its hooks in the class itself, not in what it inherits from. A guard is one
    # call more for each request, so that only the rarer ones are functions.

    def __init__(self) -> None:
        super().__init__()
        _filter_exports()

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> None:
        found: Iterable[tuple[Mode, Any]] = ()
        try:
            found = (*loggers.prepared(), *carried_by_own(data.get("litellm_logging_obj")))
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}.prepare", "the links of this gateway")
        try:
            # Before anything can fail: what waits of another call must not be found for this one.
            call = begin(data)
            call.request = splice_request(
                data,
                # https://docs.litellm.ai/docs/observability/langfuse_integration; those of the
                # answer, such as `cache_hit`, are not known yet.
                tag_keys=litellm.langfuse_default_tags or (),
                # https://docs.litellm.ai/docs/proxy/cost_tracking; not in every release.
                tag_headers=getattr(litellm, "extra_spend_tag_headers", None) or (),
                only_our_keys=_langfuse.only_our_keys(),
            )
            for mode in {mode for mode, _ in found}:
                mode.join(call.request)
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}.splice", "the link of a call")

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: dict[str, Any]) -> None:
        try:
            report_own_metadata(kwargs)
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}.log_pre_api_call", "the link of a call")

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: Any,
        response: Any,
        request_headers: dict[str, str] | None = None,
        **_: Any,
    ) -> dict[str, str] | None:
        try:
            # It is asked for failed calls, too, which have nothing to count.
            call = None if response is None else call_of(data)
            if call is None:
                return None
            if call.is_relayed:
                read_headers(call, data, request_headers or {})
            return {REPORTS: str(reports(data, response, call)).lower()}
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}.report", "the header that says who counts a call")
            return None


@guarded("the choice of spans for Langfuse")
def _filter_exports() -> None:
    # Before the first request: probes of the gateway's health come first.
    if _is_otel_v2():
        from tracesplice_litellm._export import filter_exports

        filter_exports()


def _is_otel_v2() -> bool:
    try:
        from litellm.integrations.otel.model.config import is_otel_v2_enabled
    except ImportError:  # another LiteLLM, where it is elsewhere, or without the mode
        said = os.environ.get("LITELLM_OTEL_V2", "").strip().lower()
        return said in ("true", "1", "yes", "y", "on", "t")
    return bool(is_otel_v2_enabled())


adapter = _Adapter()
