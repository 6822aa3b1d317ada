"""What LangChain's models on LiteLLM's SDK are asked for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from langchain_core.messages import HumanMessage

from shapes.either import each
from shapes.langchain_application import HANDLER
from shapes.langchain_shape import App, events, registry, template
from shapes.shape import OWN, QUESTION, QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["SHAPES"]

SHAPES, shape = registry()
CHAT = "litellm_proxy/chat"


def _access(app: App) -> dict[str, Any]:
    return {"api_base": app.gateway.url, "api_key": app.gateway.key}


def _chat(app: App, model: str = CHAT, **options: Any) -> Any:
    """A spliced chat model."""
    from langchain_litellm import ChatLiteLLM

    given = app.given({"extra_headers": {"x-team": "blue"}})
    return app.splice(ChatLiteLLM(model=model, max_retries=0, **_access(app), **given, **options))


def _routed(app: App) -> Any:
    from langchain_litellm import ChatLiteLLMRouter
    from litellm import Router

    params = {"model": CHAT, "max_retries": 0, **_access(app)}
    router = Router(model_list=[{"model_name": "group", "litellm_params": params}], num_retries=0)
    return app.splice(ChatLiteLLMRouter(router=router, max_retries=0))


def _asks(made: Callable[[App], Any], method: str = "invoke", given: Any = QUESTION) -> Any:
    return _closing(lambda app: app.ask(made(app), method, given, app.config()))


def _closing(run: Callable[[App], Awaitable[Any]]) -> Callable[[App], Awaitable[Any]]:
    """A shape after which the clients are closed that LiteLLM keeps."""

    async def run_and_close(app: App) -> Any:
        from shapes.litellm_clients import close_clients

        try:
            return await run(app)
        finally:
            await close_clients(is_async=app.is_async)

    return run_and_close


def _streaming(app: App) -> Any:
    return _chat(app, streaming=True)


def _responses(app: App) -> Any:
    return _chat(app, "litellm_proxy/responses/openai-chat")


async def _chains(app: App) -> Any:
    return await app.ask(template(app) | _chat(app), "invoke", {"what": QUESTION}, app.config())


async def _generates(app: App) -> Any:
    inputs = [[HumanMessage(question)] for question in QUESTIONS]
    result = await app.call(_chat(app), "generate", inputs, callbacks=app.callbacks)
    return [answers[0].text for answers in result.generations]


async def _read_elsewhere(app: App) -> Any:
    model = _chat(app)
    with app.span("asked here"):
        chunks = await app.call(model, "stream", QUESTION, app.config())
    return [chunk async for chunk in each(chunks)]


async def _copied(app: App) -> Any:
    copy = _chat(app).model_copy(update={"temperature": 0.0})
    return await app.call(copy, "invoke", QUESTION, app.config())


async def _embeds(app: App) -> Any:
    from langchain_litellm import LiteLLMEmbeddings

    model = LiteLLMEmbeddings(model="litellm_proxy/openai-embed", max_retries=0, **_access(app))
    return await app.call(app.splice(model), "embed_documents", [QUESTION])


async def _events(app: App) -> Any:
    return await events(_chat)(app)


if find_spec("langchain_litellm") is not None:
    shape("ChatLiteLLM.invoke", _asks(_chat))
    shape("ChatLiteLLM.stream", _asks(_chat, "stream"))
    shape("ChatLiteLLM(streaming=True).invoke", _asks(_streaming))
    shape("ChatLiteLLM.batch", _asks(_chat, "batch", QUESTIONS), calls=2)
    shape("ChatLiteLLM.generate, two inputs", _closing(_generates), calls=2)
    shape("ChatLiteLLM, Responses", _asks(_responses))
    shape("ChatLiteLLM, Responses, stream", _asks(_responses, "stream"))
    shape("ChatLiteLLM in a chain", _closing(_chains), prompts=(OWN,), told_to=HANDLER)
    shape("ChatLiteLLM.astream_events", _closing(_events), kinds=("async",))
    shape("ChatLiteLLM.stream, read elsewhere", _closing(_read_elsewhere), opens_span=True)
    shape("model_copy of a spliced ChatLiteLLM", _closing(_copied))
    shape("ChatLiteLLMRouter.invoke", _asks(_routed))
    shape("ChatLiteLLMRouter.stream", _asks(_routed, "stream"))
    shape("LiteLLMEmbeddings", _closing(_embeds), observations=0)
