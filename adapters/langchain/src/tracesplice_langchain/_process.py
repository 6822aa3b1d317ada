"""Repairs LangChain's context in the whole process, for ``tracesplice.instrument``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["instrument", "is_instrumented", "uninstrument"]

# Base classes first: what inherits a wrapped method is not wrapped again.
_MODELS = {
    "langchain_openai.chat_models.base": ("BaseChatOpenAI", "ChatOpenAI"),
    "langchain_openai.chat_models.azure": ("AzureChatOpenAI",),
    "langchain_openai.embeddings.base": ("OpenAIEmbeddings",),
}
_instrumented = False
_awaiting_import = False


def instrument() -> None:
    """Repair every model's context, now or once LangChain is imported."""
    global _instrumented, _awaiting_import
    _instrumented = True
    if not _awaiting_import:
        _awaiting_import = True
        for module, names in _MODELS.items():
            wrapt.register_post_import_hook(_installer(names), module)


def uninstrument() -> None:
    """Undo ``instrument``: what it wrapped does nothing from now on."""
    global _instrumented
    _instrumented = False


def is_instrumented() -> bool:
    """Return whether ``instrument`` is in force."""
    return _instrumented


def _installer(names: Iterable[str]) -> Callable[[Any], None]:
    def install(module: Any) -> None:
        from tracesplice_langchain import _repair

        for name in names:
            _repair.install(getattr(module, name))

    return install
