"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tracesplice.adapter import hookimpl
from tracesplice_openai._libraries import PACKAGES

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
        "openai.OpenAI, AsyncOpenAI, AzureOpenAI, AsyncAzureOpenAI; models, agents and others that "
        f"hold such a client, of the packages {', '.join(sorted(PACKAGES))}"
    )


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["openai", *{each.partition(".")[0] for each in PACKAGES}]


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    import openai  # not at the top: this module is loaded for other packages' objects, too

    from tracesplice_openai import _held, _splice

    if not isinstance(target, (openai.OpenAI, openai.AsyncOpenAI)):
        return _held.splice(target)
    _splice.splice(target)
    return True


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    import openai

    from tracesplice_openai import _held, _splice

    if not isinstance(target, (openai.OpenAI, openai.AsyncOpenAI)):
        return _held.unsplice(target)
    _splice.unsplice(target)
    return True


@hookimpl
def tracesplice_instrument(gateways: Sequence[Gateway]) -> None:
    from tracesplice_openai import _splice

    _splice.instrument(gateways)


@hookimpl
def tracesplice_uninstrument() -> None:
    if f"{__package__}._splice" in sys.modules:  # else it was never done
        from tracesplice_openai import _splice

        _splice.uninstrument()
