"""Repairs LangChain's context in the whole process, for ``tracesplice.instrument``."""

from __future__ import annotations

from typing import Any

import wrapt

from tracesplice.adapter import guarded

__all__ = ["instrument"]

_awaiting_import = False


def instrument() -> None:
    """Repair every model's context, now or once LangChain is imported."""
    global _awaiting_import
    if not _awaiting_import:
        _awaiting_import = True
        wrapt.register_post_import_hook(_install, "langchain_openai")


@guarded("the links of LangChain's models")
def _install(module: Any) -> None:
    from tracesplice_langchain import _repair
    from tracesplice_langchain._models import ChatModel

    # Base classes first: what inherits a wrapped method is not wrapped again.
    for model in (ChatModel, module.ChatOpenAI, module.AzureChatOpenAI, module.OpenAIEmbeddings):
        _repair.install(model)
