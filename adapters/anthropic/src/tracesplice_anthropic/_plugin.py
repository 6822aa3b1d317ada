"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tracesplice.adapter import TracespliceError, hookimpl

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

_CLOUDS = "anthropic.lib."


@hookimpl
def tracesplice_handles() -> str:
    return "anthropic.Anthropic, AsyncAnthropic"


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["anthropic"]


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    cloud = _cloud_of(target)
    if cloud is not None:
        raise TracespliceError(
            f"{cloud} calls its cloud in that cloud's own way, which a LiteLLM gateway does not "
            "report as one of its models. Have the gateway call the cloud, and splice "
            'anthropic.Anthropic(base_url="http://localhost:4000", api_key=...), with your '
            "gateway's address and key."
        )
    import anthropic  # not at the top: this module is loaded for other packages' objects, too

    from tracesplice_anthropic._sdk import sdk

    if not isinstance(target, (anthropic.Anthropic, anthropic.AsyncAnthropic)):
        return None
    sdk.splice(target)
    return True


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    import anthropic

    from tracesplice_anthropic._sdk import sdk

    if not isinstance(target, (anthropic.Anthropic, anthropic.AsyncAnthropic)):
        return None if _cloud_of(target) is None else True
    sdk.unsplice(target)
    return True


@hookimpl
def tracesplice_instrument(gateways: Sequence[Gateway]) -> None:
    from tracesplice_anthropic._sdk import sdk

    sdk.instrument(gateways)


@hookimpl
def tracesplice_uninstrument() -> None:
    if f"{__package__}._sdk" in sys.modules:  # else it was never done
        from tracesplice_anthropic._sdk import sdk

        sdk.uninstrument()


def _cloud_of(target: object) -> str | None:
    """Return the name of the SDK's client for Bedrock, Vertex, Foundry … that ``target`` is."""
    names = (kind.__name__ for kind in type(target).__mro__ if kind.__module__.startswith(_CLOUDS))
    return next(
        (name for name in names if name.removeprefix("Async").startswith("Anthropic")), None
    )
