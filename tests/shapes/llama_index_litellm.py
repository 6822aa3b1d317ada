"""What LlamaIndex's model on LiteLLM's SDK is asked for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage

from shapes.either import each
from shapes.llama_index_shape import App, registry, template
from shapes.shape import OWN, QUESTION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["SHAPES"]

SHAPES, shape = registry()


def _model(app: App, model: str = "litellm_proxy/chat") -> Any:
    """A spliced model."""
    from llama_index.llms.litellm import LiteLLM

    extra = {"extra_headers": {"x-team": "blue"}}  # it writes into that itself
    access = {"api_base": app.gateway.url, "api_key": app.gateway.key}
    # `max_retries` is how often it asks at most.
    made = LiteLLM(model=model, max_retries=1, additional_kwargs=extra, **access)
    return app.splice(made)


def _asks(method: str, *given: Any, model: str = "litellm_proxy/chat", **options: Any) -> Any:
    return _closing(lambda app: app.ask(_model(app, model), method, *given, **options))


def _closing(run: Callable[[App], Awaitable[Any]]) -> Callable[[App], Awaitable[Any]]:
    """A shape after which the clients are closed that LiteLLM keeps."""

    async def run_and_close(app: App) -> Any:
        from shapes.litellm_clients import close_clients

        try:
            return await run(app)
        finally:
            await close_clients(is_async=app.is_async)

    return run_and_close


async def _predicts(app: App) -> Any:
    return await app.ask(_model(app), "predict", template(app), what=QUESTION)


async def _streams(app: App) -> Any:
    return await app.ask(_model(app), "stream", template(app), what=QUESTION)


async def _read_elsewhere(app: App) -> Any:
    model = _model(app)
    with app.span("asked here"):
        parts = await app.call(model, "stream_complete", QUESTION)
    return [part async for part in each(parts)]


MESSAGES = [ChatMessage(QUESTION)]

if find_spec("llama_index.llms.litellm") is not None:
    shape("LiteLLM.complete", _asks("complete", QUESTION))
    shape("LiteLLM.chat", _asks("chat", MESSAGES))
    shape("LiteLLM.stream_complete", _asks("stream_complete", QUESTION))
    shape("LiteLLM.stream_chat", _asks("stream_chat", MESSAGES))
    shape("LiteLLM.predict", _closing(_predicts), prompts=(OWN,))
    shape("LiteLLM.stream", _closing(_streams), prompts=(OWN,))
    shape("LiteLLM.stream_complete, read elsewhere", _closing(_read_elsewhere), opens_span=True)
