"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

The SDK is imported once it is needed: this module is loaded for other packages' objects, too.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tracesplice.adapter import TracespliceError, hookimpl, splice_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracesplice.adapter import Gateway

__all__ = [
    "tracesplice_handles",
    "tracesplice_instrument",
    "tracesplice_packages",
    "tracesplice_splice",
    "tracesplice_uninstrument",
    "tracesplice_unsplice",
]


@hookimpl
def tracesplice_handles() -> str:
    return (
        "anthropic.Anthropic, AsyncAnthropic; langchain_anthropic.ChatAnthropic and "
        "llama_index.llms.anthropic.Anthropic"
    )


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["anthropic", "langchain_anthropic", "llama_index"]


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    if "anthropic" not in sys.modules:
        return None
    from tracesplice_anthropic._clients import clients_of, cloud_of
    from tracesplice_anthropic._sdk import sdk

    cloud = cloud_of(target)
    if cloud is not None:
        raise TracespliceError(
            f"{cloud} calls its cloud in that cloud's own way, which a LiteLLM gateway does not "
            "report as one of its models. Have the gateway call the cloud, and splice "
            'anthropic.Anthropic(base_url="http://localhost:4000", api_key=...), with your '
            "gateway's address and key."
        )
    found = clients_of(target)
    splice_each(found, sdk.splice)
    return True if found else None


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    if "anthropic" not in sys.modules:
        return None
    from tracesplice_anthropic._clients import clients_of, cloud_of
    from tracesplice_anthropic._sdk import sdk

    found = clients_of(target)
    for client in found:
        sdk.unsplice(client)
    return True if found or cloud_of(target) is not None else None


@hookimpl
def tracesplice_instrument(gateways: Sequence[Gateway]) -> None:
    from tracesplice_anthropic._sdk import sdk

    sdk.instrument(gateways)


@hookimpl
def tracesplice_uninstrument() -> None:
    if f"{__package__}._sdk" in sys.modules:  # else it was never done
        from tracesplice_anthropic._sdk import sdk

        sdk.uninstrument()
