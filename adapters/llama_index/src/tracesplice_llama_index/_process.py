"""Repairs LlamaIndex's context in the whole process, for ``tracesplice.instrument``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import wrapt

from tracesplice.adapter import guarded

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["instrument"]

_MODELS = {
    "llama_index.llms.openai": ("OpenAI", "OpenAIResponses"),
    "llama_index.embeddings.openai": ("OpenAIEmbedding",),
}
_awaiting_import = False


def instrument() -> None:
    """Repair every model's context, now or once LlamaIndex is imported."""
    global _awaiting_import
    if not _awaiting_import:
        _awaiting_import = True
        for module in _MODELS:
            wrapt.register_post_import_hook(_install, module)


@guarded("the links of LlamaIndex's models")
def _install(module: ModuleType) -> None:
    from tracesplice_llama_index import _repair

    for name in _MODELS[module.__name__]:
        _repair.install(getattr(module, name))
