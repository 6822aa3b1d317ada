"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

The modules behind them import LlamaIndex, which takes seconds. An application that does not use it
should not wait for that: the hooks are asked about objects of these packages only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice.adapter import hookimpl
from tracesplice_llama_index import _process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracesplice.adapter import Gateway

__all__ = [
    "tracesplice_handles",
    "tracesplice_instrument",
    "tracesplice_packages",
    "tracesplice_splice",
    "tracesplice_unsplice",
]


@hookimpl
def tracesplice_handles() -> str:
    return (
        "llama_index OpenAILike, OpenAI, OpenAIResponses, OpenAILikeResponses, OpenAIEmbedding, "
        "OpenAILikeEmbedding, Settings"
    )


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["llama_index"]


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    from tracesplice_llama_index import _target

    return _target.splice(target)


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    from tracesplice_llama_index import _target

    return _target.unsplice(target)


@hookimpl
def tracesplice_instrument(gateways: Sequence[Gateway]) -> None:
    _process.instrument()
