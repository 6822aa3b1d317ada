"""An application on the Anthropic SDK, with one of its tracers or without."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anthropic
from openinference.instrumentation.anthropic import AnthropicInstrumentor as OpenInference
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as OpenLLMetry

from shapes.either import TLS, entered

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Cell, Stage
    from shapes.shape import Shape

__all__ = ["OPENINFERENCE", "OPENLLMETRY", "SDK_SPANS", "AnthropicApplication"]

SDK_SPANS = "the SDK's spans"
OPENINFERENCE, OPENLLMETRY = "OpenInference", "OpenLLMetry"
_INSTRUMENTORS: dict[str, Any] = {OPENINFERENCE: OpenInference, OPENLLMETRY: OpenLLMetry}
_WRITTEN = {
    "metadata": {"user_id": "account-1"},  # Anthropic's own, for the provider
    "extra_body": {"service_tier": "auto"},
    "extra_headers": {"x-team": "blue"},
}


class AnthropicApplication:
    """What a shape makes its calls with.

    Attributes:
        client: The client, spliced.
        extra: Keyword arguments of every call: what the caller writes for the provider.
    """

    name = "Anthropic SDK"
    enclosing: str | None = None

    def __init__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> None:
        self.extra: Any = copy.deepcopy(_WRITTEN)
        self._stage, self._tracer = stage, cell.tracer
        gateway = stage.address(cell.mode)
        kind: Any = anthropic.AsyncAnthropic if cell.is_async else anthropic.Anthropic
        http: Any = (
            anthropic.DefaultAsyncHttpxClient if cell.is_async else anthropic.DefaultHttpxClient
        )
        traces = {"tracer_provider": stage.provider, "traces": {"content_mode": "content"}}
        # They are on by default, and go where OpenTelemetry's global provider sends them.
        spans = {"open_telemetry": traces} if cell.tracer == SDK_SPANS else {}
        self.client = splice(
            kind(
                base_url=gateway.url,
                api_key=gateway.key,
                max_retries=0,  # a call made twice is reported twice
                timeout=60.0,
                http_client=http(verify=TLS),
                **spans,
            )
        )

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        with ExitStack() as around:
            if self._tracer in _INSTRUMENTORS:
                instrumentor = _INSTRUMENTORS[self._tracer]()
                instrumentor.instrument(tracer_provider=self._stage.provider)
                around.callback(instrumentor.uninstrument)
            async with entered(self.client):
                return await shape.run(self)

    def changed(self) -> str | None:
        """Return what became of the caller's objects, or None if they are what they were."""
        return None if self.extra == _WRITTEN else f"{self.extra!r} was {_WRITTEN!r}"
