"""The callback that LiteLLM calls: https://docs.litellm.ai/docs/proxy/call_hooks."""

from __future__ import annotations

from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from tracesplice_litellm._call import begin, call_in
from tracesplice_litellm._configured import configured_tags
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._modes import Mode
from tracesplice_litellm._own_metadata import log_own_metadata
from tracesplice_litellm._read import read_link
from tracesplice_litellm._reports import HEADER, reports
from tracesplice_litellm._setup import at_start, only_our_keys, prepare
from tracesplice_litellm._write import write_link

__all__ = ["adapter"]


class _Adapter(CustomLogger):
    # LiteLLM looks for its hooks in the class itself, not in what it inherits from.

    def __init__(self) -> None:
        super().__init__()
        _at_start()

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> None:
        modes = _prepare()
        _splice(data, modes or frozenset())

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: dict[str, Any]) -> None:
        _own_metadata(kwargs)

    async def async_post_call_response_headers_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any, **_: Any
    ) -> dict[str, str] | None:
        # It is asked for failed calls, too, which have nothing to count.
        return None if response is None else _report(data, response)


@guarded("the choice of spans for Langfuse")
def _at_start() -> None:
    at_start()


@guarded("the links of this gateway")
def _prepare() -> frozenset[Mode]:
    return prepare()


@guarded("the link of a call")
def _splice(data: dict[str, Any], modes: frozenset[Mode]) -> None:
    # Before anything can fail: what waits of another call must not be found for this one.
    call = begin(data)
    call.link = link = read_link(data, configured_tags(data))
    write_link(data, link, only_our_keys=only_our_keys())
    if Mode.OTEL_V2 in modes:
        from tracesplice_litellm._anchor import anchor

        anchor(link)


@guarded("the link of a call")
def _own_metadata(kwargs: dict[str, Any]) -> None:
    log_own_metadata(kwargs)


@guarded("the header that says who counts a call")
def _report(data: dict[str, Any], response: Any) -> dict[str, str] | None:
    call = call_in(data)
    return None if call is None else {HEADER: str(reports(data, response, call)).lower()}


adapter = _Adapter()
