"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

The modules behind them import LlamaIndex, which takes seconds. An application that does not use it
should not wait for that: the hooks are asked about objects of these packages only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import wrapt

from tracesplice.adapter import guarded, hookimpl, observation_source
from tracesplice_llama_index._observation import openinference_span

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "tracesplice_handles",
    "tracesplice_packages",
    "tracesplice_prepare",
    "tracesplice_splice",
    "tracesplice_unsplice",
]

_awaiting_import = False


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
    global _awaiting_import
    observation_source(openinference_span)
    if not _awaiting_import:
        _awaiting_import = True
        wrapt.register_post_import_hook(_install_repairs, "llama_index.core")


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    from tracesplice_llama_index import _target

    return _target.splice(target)


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    from tracesplice_llama_index import _target

    return _target.unsplice(target)


@guarded("the places and prompts of LlamaIndex's calls")
def _install_repairs(_module: object) -> None:
    from tracesplice_llama_index import _repair

    _repair.install()
