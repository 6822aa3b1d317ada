"""Prepares LangChain for calls made inside it, whichever client makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import wrapt

from tracesplice.adapter import ambient_source, observation_source
from tracesplice_langchain._at_work import observation_at_work, values_at_work

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["prepare"]

_MODELS = "langchain_core.language_models"
_prepared = False


def prepare() -> None:
    """Tell of the run at work, and repair LangChain's models now or once they are imported."""
    global _prepared
    if _prepared:
        return
    _prepared = True
    observation_source(observation_at_work)
    ambient_source(values_at_work)
    wrapt.register_post_import_hook(_install_chat_models, f"{_MODELS}.chat_models")
    wrapt.register_post_import_hook(_install_completion_models, f"{_MODELS}.llms")


def _install_chat_models(module: ModuleType) -> None:
    from tracesplice_langchain import _repair

    _repair.install_chat_models(module)


def _install_completion_models(module: ModuleType) -> None:
    from tracesplice_langchain import _repair

    _repair.install_completion_models(module)
