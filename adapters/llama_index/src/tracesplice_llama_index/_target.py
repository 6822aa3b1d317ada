"""Splices what the user holds: a model, or ``Settings`` with models in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.settings import Settings

from tracesplice.adapter import TracespliceError
from tracesplice_llama_index import _repair
from tracesplice_llama_index._mark import mark, unmark
from tracesplice_llama_index._models import client_makers, clients, is_model

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["splice", "unsplice"]


def splice(target: object) -> bool | None:
    """Splice ``target``, or the models in it that call a gateway.

    Raises:
        TracespliceError: There is no model in ``target``, or none that calls a gateway.
    """
    if target is Settings:
        _splice_settings()
        return True
    model = _model_of(target)
    if not is_model(model):
        return None
    _splice_model(model)
    return True


def unsplice(target: object) -> bool | None:
    """Put ``target``, or the models in it, back to what they were."""
    models = list(_assigned()) if target is Settings else [_model_of(target)]
    for model in filter(is_model, models):
        unmark(model)
    return True if target is Settings or any(map(is_model, models)) else None


def _splice_model(model: Any) -> None:
    makers = client_makers(model)
    if not makers and not clients(model):
        raise TracespliceError(_no_client(model))
    mark(model)
    _repair.install_clients(type(model), makers)


def _no_client(model: Any) -> str:
    said = getattr(model, "additional_kwargs", None) or {}
    gateway = getattr(model, "api_base", None) or said.get("api_base") or "http://localhost:4000"
    return (
        f"This {type(model).__name__} holds no OpenAI client that could be spliced. Where it makes "
        f'one for each call, as LiteLLM does: tracesplice.instrument(gateway="{gateway}"). Else '
        "give it one (OpenAIResponses takes openai_client= and async_openai_client=), or use "
        "OpenAILike(api_base=...)."
    )


def _splice_settings() -> None:
    models = list(_assigned())
    if not any(client_makers(model) or clients(model) for model in models):
        raise TracespliceError(
            "Settings has no model that can be spliced. Assign one first, or splice the model: "
            'Settings.llm = tracesplice.splice(OpenAILike(api_base="http://localhost:4000", ...)).'
        )
    refused = [error for model in models if (error := _refusal(model)) is not None]
    if len(refused) == len(models):
        raise refused[0]


def _refusal(model: Any) -> TracespliceError | None:
    try:
        _splice_model(model)
    except TracespliceError as error:
        # Embeddings, say, may well be asked of the provider itself.
        return error
    return None


def _model_of(target: Any) -> Any:
    return target.llm if isinstance(target, StructuredLLM) else target


def _assigned() -> Iterator[Any]:
    # Read through its properties, Settings makes what is not there: a model at OpenAI.
    for name in ("_llm", "_embed_model"):
        model = getattr(Settings, name, None)
        if model is not None:
            yield _model_of(model)
