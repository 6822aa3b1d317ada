"""An adapter that raises in each of its hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice.adapter import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence


@hookimpl
def tracesplice_handles() -> str:
    return "nothing"


@hookimpl
def tracesplice_packages() -> Sequence[str]:
    return ["openai", "anthropic", "langchain_openai", "llama_index", "litellm"]


@hookimpl
def tracesplice_prepare() -> None:
    raise RuntimeError("broken on purpose")


@hookimpl(tryfirst=True)
def tracesplice_splice(target: Any) -> bool | None:
    raise RuntimeError("broken on purpose")


@hookimpl(tryfirst=True)
def tracesplice_unsplice(target: Any) -> bool | None:
    raise RuntimeError("broken on purpose")


@hookimpl(tryfirst=True)
def tracesplice_instrument(gateways: Any) -> None:
    raise RuntimeError("broken on purpose")


@hookimpl(tryfirst=True)
def tracesplice_uninstrument() -> None:
    raise RuntimeError("broken on purpose")
