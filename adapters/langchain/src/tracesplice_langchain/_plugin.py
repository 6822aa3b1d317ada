"""The adapter's hooks; see ``tracesplice.hookspecs`` for what each one promises.

The modules behind them import LangChain, which takes a second. An application that does not use it
should not wait for that: they are imported once LangChain is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice.adapter import ambient_source, hookimpl, observation_source, when_imported

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

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
def tracesplice_packages() -> Sequence[str]:
    return ["langchain_core"]


@hookimpl
def tracesplice_prepare() -> None:
    # Before any model there is, and for whatever client is called inside a run.
    when_imported("langchain_core.runnables.config", _tell_of_runs)
    when_imported("langchain_core.language_models.chat_models", _wrap_chat_models)
    when_imported("langchain_core.language_models.llms", _wrap_completion_models)


@hookimpl
def tracesplice_splice(target: object) -> bool | None:
    from tracesplice_langchain import _target

    return _target.splice(target)


@hookimpl
def tracesplice_unsplice(target: object) -> bool | None:
    from tracesplice_langchain import _target

    return _target.unsplice(target)


def _tell_of_runs(_module: ModuleType) -> None:
    from tracesplice_langchain import _runs

    observation_source(_runs.observation_at_work)
    ambient_source(_runs.values_at_work)


def _wrap_chat_models(module: ModuleType) -> None:
    from tracesplice_langchain import _methods

    _methods.wrap_chat_models(module.BaseChatModel)


def _wrap_completion_models(module: ModuleType) -> None:
    from tracesplice_langchain import _methods

    _methods.wrap_completion_models(module.BaseLLM)
