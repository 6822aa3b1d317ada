"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

The modules behind them import LangChain, which takes a second. An application that does not use it
should not wait for that: the hooks are asked about objects of these packages only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice.adapter import hookimpl
from tracesplice_langchain import _process

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
        "LangChain's models and embeddings with OpenAI clients in them, such as "
        "langchain_openai.ChatOpenAI; chains and LangGraph graphs that hold them"
    )


@hookimpl
def tracesplice_prepare() -> None:
    _process.prepare()


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["langchain_core"]


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    from tracesplice_langchain import _target

    return _target.splice(target)


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    from tracesplice_langchain import _target

    return _target.unsplice(target)
