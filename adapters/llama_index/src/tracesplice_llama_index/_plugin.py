"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

The modules behind them import LlamaIndex, which takes seconds: an application that does not use it
does not wait for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice.adapter import hookimpl
from tracesplice_llama_index._prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "tracesplice_handles",
    "tracesplice_packages",
    "tracesplice_prepare",
    "tracesplice_splice",
    "tracesplice_unsplice",
]


@hookimpl
def tracesplice_handles() -> str:
    return (
        "llama_index OpenAILike, OpenAI, OpenAIResponses, OpenAILikeResponses, OpenAIEmbedding, "
        "OpenAILikeEmbedding, Settings, and models of your own that hold an OpenAI client"
    )


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["llama_index"]


@hookimpl
def tracesplice_prepare() -> None:
    prepare()


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    from tracesplice_llama_index import _splice

    return _splice.splice(target)


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    from tracesplice_llama_index import _splice

    return _splice.unsplice(target)
