"""What the applications on the frameworks share."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import openai

from shapes.either import TLS, each, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.harness import Cell, Stage

__all__ = ["FrameworkApplication"]


class FrameworkApplication:
    """What a shape makes its models and calls with.

    Attributes:
        prompts: Langfuse's prompts, by name.
        is_async: Whether calls are made with the asynchronous methods.
        splice: What makes an object's calls carry a link.
        gateway: Where the gateway is.
        enclosing: The application's own span around its calls, once there is one.
    """

    def __init__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> None:
        self.prompts = stage.prompts
        self.is_async = cell.is_async
        self.splice = splice
        self.enclosing: str | None = None
        self._stage = stage
        self._tracer = cell.tracer
        self.gateway = stage.address(cell.mode)
        self._given: list[tuple[Any, str]] = []
        self._clients = AsyncExitStack()

    def changed(self) -> str | None:
        """Return what became of the caller's objects, or None if they are what they were."""
        altered = [(given, before) for given, before in self._given if _frozen(given) != before]
        return str(altered) if altered else None

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """A span of the application's own, in which the calls are made or streams asked for."""
        with self._stage.langfuse.start_as_current_observation(name=name) as span:
            self.enclosing = span.id
            yield

    def given(self, value: Any) -> Any:
        """Note an object of the caller's, to see later whether it was altered."""
        self._given.append((value, _frozen(value)))
        return value

    async def call(self, owner: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method, or its asynchronous twin."""
        name = f"a{method}" if self.is_async else method
        return await settle(getattr(owner, name)(*args, **kwargs))

    async def ask(self, owner: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """The same, and read what it streams."""
        answer = await self.call(owner, method, *args, **kwargs)
        return [part async for part in each(answer)] if method.startswith("stream") else answer

    def _http_clients(self) -> tuple[Any, Any]:
        # The frameworks share their own between models and, in vain, between event loops.
        sync, asynchronous = (
            openai.DefaultHttpxClient(verify=TLS),
            openai.DefaultAsyncHttpxClient(verify=TLS),
        )
        self._clients.callback(sync.close)
        if self.is_async:
            self._clients.push_async_callback(asynchronous.aclose)
        return sync, asynchronous


def _frozen(value: Any) -> str:
    return json.dumps(value, default=id)
