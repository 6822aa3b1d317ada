"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

LiteLLM's handlers are wrapped together with the OpenAI SDK, which LiteLLM makes the other calls by,
and look up the gateways that are in force at a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice.adapter import hookimpl, when_imported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracesplice.adapter import Gateway

__all__ = [
    "tracesplice_handles",
    "tracesplice_instrument",
    "tracesplice_packages",
    "tracesplice_prepare",
    "tracesplice_splice",
    "tracesplice_unsplice",
]


@hookimpl
def tracesplice_handles() -> str:
    return "litellm.Router; LiteLLM's functions by instrument()"


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["litellm"]


@hookimpl
def tracesplice_prepare() -> None:
    when_imported("openai", _wrap_handlers)


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    from tracesplice_litellm_sdk import _router

    return _router.splice(target)


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    from tracesplice_litellm_sdk import _router

    return _router.unsplice(target)


@hookimpl
def tracesplice_instrument(gateways: Sequence[Gateway]) -> None:
    from tracesplice_litellm_sdk import _callbacks

    _callbacks.warn_of_callbacks()


def _wrap_handlers(_module: object) -> None:
    from tracesplice_litellm_sdk import _install
    from tracesplice_openai import sdk

    sdk.wrap_too(_install.install, _install.uninstall)
