"""The callback that LiteLLM calls: https://docs.litellm.ai/docs/proxy/call_hooks."""

from __future__ import annotations

from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from tracesplice_litellm._call import begin
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._read import read_link
from tracesplice_litellm._setup import prepare
from tracesplice_litellm._write import write_link

__all__ = ["adapter"]


class _Adapter(CustomLogger):
    # LiteLLM looks for its hooks in the class itself, not in what it inherits from.

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> None:
        _prepare()
        _splice(data)


@guarded("the links of this gateway")
def _prepare() -> None:
    prepare()


@guarded("the link of a call")
def _splice(data: dict[str, Any]) -> None:
    link = read_link(data)
    write_link(data, link)
    begin(link)


adapter = _Adapter()
