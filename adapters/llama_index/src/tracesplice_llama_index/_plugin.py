"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

The modules behind them import LlamaIndex, which takes seconds: an application that does not use it
does not wait for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice.adapter import hookimpl, observation_source, when_imported

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
    when_imported("llama_index.core", _wrap_llama_index)
    when_imported("openinference.instrumentation.llama_index", _ask_for_spans)


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    from tracesplice_llama_index import _splice

    return _splice.splice(target)


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    from tracesplice_llama_index import _splice

    return _splice.unsplice(target)


def _wrap_llama_index(_core: object) -> None:
    from tracesplice_llama_index import _install

    _install.install()


def _ask_for_spans(openinference: Any) -> None:
    # Public. OpenInference makes its span OpenTelemetry's current one from release 4.6.1 on;
    # before, only this finds it
    # (https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index).
    find = getattr(openinference, "get_current_span", None)  # the oldest have none
    if find is not None:
        observation_source(find)
