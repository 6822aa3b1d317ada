"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice.adapter import hookimpl
from tracesplice_litellm_sdk import _install

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracesplice.adapter import Gateway

__all__ = ["tracesplice_instrument", "tracesplice_packages", "tracesplice_uninstrument"]


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["litellm"]


@hookimpl
def tracesplice_instrument(gateways: Sequence[Gateway]) -> None:
    # The OpenAI adapter keeps them.
    _install.install()


@hookimpl
def tracesplice_uninstrument() -> None:
    _install.uninstall()
