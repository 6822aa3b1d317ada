"""The callback that LiteLLM calls: https://docs.litellm.ai/docs/proxy/call_hooks."""

from __future__ import annotations

from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from tracesplice_litellm._call import begin, current
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._modes import Mode
from tracesplice_litellm._read import read_link
from tracesplice_litellm._reports import HEADER, reports
from tracesplice_litellm._setup import counts_tokens, only_our_keys, prepare
from tracesplice_litellm._usage import remember_usage
from tracesplice_litellm._write import write_link

__all__ = ["adapter"]


class _Adapter(CustomLogger):
    # LiteLLM looks for its hooks in the class itself, not in what it inherits from.

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> None:
        modes = _prepare()
        _splice(data, modes or frozenset())

    async def async_logging_hook(
        self, kwargs: dict[str, Any], result: Any, call_type: str
    ) -> tuple[dict[str, Any], Any]:
        if counts_tokens():
            remember_usage(kwargs)
        return kwargs, result

    async def async_post_call_response_headers_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any, **_: Any
    ) -> dict[str, str] | None:
        # It is asked for failed calls, too, which have nothing to count.
        return None if response is None else _report(data)


@guarded("the links of this gateway")
def _prepare() -> frozenset[Mode]:
    return prepare()


@guarded("the link of a call")
def _splice(data: dict[str, Any], modes: frozenset[Mode]) -> None:
    link = read_link(data)
    write_link(data, link, only_our_keys=only_our_keys())
    begin(link, data.get("litellm_call_id"))
    if Mode.OTEL_V2 in modes:
        from tracesplice_litellm._otel_v2 import anchor

        anchor(link)


@guarded("the header that says who counts a call")
def _report(data: dict[str, Any]) -> dict[str, str] | None:
    call = current()
    return None if call is None else {HEADER: str(reports(data, call)).lower()}


adapter = _Adapter()
