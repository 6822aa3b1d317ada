"""An application on the LiteLLM SDK: calls the gateway by the SDK's functions."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import litellm
from langfuse import get_client, observe
from openinference.instrumentation.litellm import LiteLLMInstrumentor

import tracesplice
from shapes.either import settle
from shapes.framework_application import FrameworkApplication
from shapes.litellm_clients import close_clients
from tracesplice.adapter import is_instrumented

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Cell, Stage
    from shapes.shape import Shape

__all__ = ["OBSERVE", "OPENINFERENCE", "LiteLLMApplication"]

OPENINFERENCE = "OpenInference"
OBSERVE = "@observe"


class LiteLLMApplication(FrameworkApplication):
    """Calls models by LiteLLM's functions, which hold no client to splice."""

    name = "LiteLLM SDK"

    def __init__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> None:
        super().__init__(stage, cell, splice)
        self.is_linked = splice is tracesplice.splice

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        with ExitStack() as around:
            # A Router is spliced.
            needed = self.is_linked and not shape.name.startswith("Router")
            if needed and not is_instrumented():
                tracesplice.instrument(gateway=self.gateway.url)
                around.callback(tracesplice.uninstrument)
            if self._tracer == OPENINFERENCE:
                instrumentor = LiteLLMInstrumentor()
                instrumentor.instrument(tracer_provider=self._stage.provider)
                around.callback(instrumentor.uninstrument)
            try:
                return await shape.run(self)
            finally:
                await close_clients(is_async=self.is_async)

    @property
    def access(self) -> dict[str, Any]:
        """Where the gateway is, as the functions take it, and what the caller writes himself."""
        headers = {"extra_headers": {"x-team": "blue"}}
        return {
            "api_base": self.gateway.url,
            "api_key": self.gateway.key,
            "max_retries": 0,
            **self.given(headers),
        }

    def router(self, *models: str) -> litellm.Router:
        """A Router whose deployments are at the gateway."""
        deployments = [
            {"model_name": "group", "litellm_params": {"model": model, **self.access}}
            for model in models
        ]
        return self.splice(litellm.Router(model_list=deployments, num_retries=0))

    async def ask(self, owner: Any, method: str, *args: Any, **given: Any) -> Any:
        """Call a function, or its asynchronous twin, and read what it streams."""
        arguments = given if isinstance(owner, litellm.Router) else {**self.access, **given}
        if self._tracer == OBSERVE:
            return await self._observed(owner, method, arguments)
        return await self._read(owner, method, arguments)

    async def _read(self, owner: Any, method: str, arguments: dict[str, Any]) -> Any:
        answer = await self.call(owner, method, **arguments)
        if not arguments.get("stream"):
            return getattr(answer, "content", answer)
        # LiteLLM's streams are of both kinds, whatever they were asked by.
        return [part async for part in answer] if self.is_async else list(answer)

    async def _observed(self, owner: Any, method: str, arguments: dict[str, Any]) -> Any:
        given = {key: arguments[key] for key in _ASKED if key in arguments}

        @observe(name=method, as_type="generation")
        async def generate(**asked: Any) -> Any:
            answer = await self._read(owner, method, arguments)
            usage = getattr(answer, "usage", None)
            get_client(public_key=self._stage.recorder.public_key).update_current_generation(
                model=arguments["model"],
                usage_details={"total": getattr(usage, "total_tokens", 0)},
            )
            return answer

        return await settle(generate(**given))


_ASKED = ("messages", "input", "prompt", "query")
