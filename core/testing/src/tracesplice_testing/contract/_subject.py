"""What an adapter's author fills in, and the stage that the contract's tests run on."""

from __future__ import annotations

import copy
import inspect
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

import tracesplice
from tracesplice_testing._stand_in import link_of
from tracesplice_testing.contract._promises import broken, hold
from tracesplice_view import Judged, is_of_gateway
from tracesplice_wire import CONTAINER, PROJECT, STRICT_VARIABLE, TRACEPARENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from langfuse import Langfuse

    from tracesplice_testing._stand_in import GatewayStandIn
    from tracesplice_testing.model import ModelServer, ReceivedRequest
    from tracesplice_testing.recorder import Recorder

__all__ = ["QUESTION", "Subject", "carries_link"]

_T = TypeVar("_T")
QUESTION = "question-1"
_PROMISE_OF = {"a": 3, "b": 3, "c": 3, "d": 3, "g": 6, "h": 6, "i": 3, "j": 2}


class Subject:
    """What an adapter's author fills in.

    Attributes:
        package: The framework's top-level package, to see when it is imported.
        observes: Whether `call` and the others have a tracer of the framework's make a generation
            for each call. If not, the caller makes one around it.
        splices: Whether there are objects to splice; if not, `instrument` alone reaches the calls.
        instruments: Whether `tracesplice.instrument` reaches the framework's calls.
    """

    package: str | None = None
    observes = False
    splices = True
    instruments = True

    recorder: Recorder
    gateway: GatewayStandIn
    elsewhere: ModelServer
    langfuse: Langfuse
    _made: list[Any]
    _written: list[tuple[Any, Any]]

    def make(self, url: str, key: str) -> Any:
        """Make an object whose calls go to the gateway at `url`, an address without `/v1`."""
        raise NotImplementedError

    def call(self, target: Any, question: str) -> Any:
        """Ask a model the question, with one request, and return its answer's text."""
        raise NotImplementedError

    def stream(self, target: Any, question: str) -> Iterable[Any]:
        """Ask for a streamed answer, and return what the framework returns, not yet read."""
        raise NotImplementedError

    def make_async(self, url: str, key: str) -> Any:
        """Make an object for the asynchronous calls, where that is another one."""
        return self.make(url, key)

    async def acall(self, target: Any, question: str) -> Any:
        """Do as `call` does."""
        raise NotImplementedError

    async def astream(self, target: Any, question: str) -> AsyncIterator[Any]:
        """Do as `stream` does; what is returned is iterated with `async for`."""
        raise NotImplementedError

    def call_with(
        self, target: Any, question: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Any:
        """Do as `call` does, with fields and headers of the caller's, passed on as they are."""
        raise NotImplementedError

    def move(self, target: Any, url: str) -> Any:
        """Have the calls of an object go to another address; return it, or its copy."""
        raise NotImplementedError

    def derive(self, target: Any) -> Iterable[Any]:
        """Return objects that `target` makes of itself, such as bindings; none by default."""
        return ()

    @pytest.fixture(autouse=True)
    def _stage(
        self,
        langfuse_recorder: Recorder,
        gateway_stand_in: GatewayStandIn,
        _elsewhere: ModelServer,
        _contract_langfuse: Langfuse,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[None]:
        monkeypatch.setenv(STRICT_VARIABLE, "1")
        self._made, self._written = [], []
        self.recorder, self.gateway = langfuse_recorder, gateway_stand_in
        self.elsewhere, self.langfuse = _elsewhere, _contract_langfuse
        yield
        tracesplice.uninstrument()
        for each in self._made:
            self.close(each)
        self.langfuse.flush()  # so that nothing of it comes into the next test

    def close(self, target: Any) -> None:
        """Close what `make` made; by default by its own `close`, if that is no coroutine."""
        close = getattr(target, "close", None)
        if callable(close) and not inspect.iscoroutinefunction(close):
            close()

    async def aclose(self, target: Any) -> None:
        """Close what `make_async` made, in its event loop; by default by its own `close`."""
        close = getattr(target, "close", None)
        if inspect.iscoroutinefunction(close):
            await close()

    def written(self, value: _T) -> _T:
        """Return what a caller writes; it fails the test that somebody changes it in a call."""
        self._written.append((value, copy.deepcopy(value)))
        return value

    def needs(self, *names: str) -> None:
        """Skip a test for which an optional method is not filled in."""
        for name in names:
            if getattr(type(self), name) is getattr(Subject, name):
                pytest.skip(f"{type(self).__name__}.{name} is not filled in")

    def made(self, url: str | None = None) -> Any:
        """Return a new object for the gateway, or another address, that is not spliced."""
        return self.kept(self.make(url or self.gateway.url, self.gateway.key))

    def _splice(self, target: Any) -> Any:
        if self.splices:
            return tracesplice.splice(target)
        tracesplice.instrument(gateway=self.gateway.url)
        return target

    def needs_splice(self) -> None:
        """Skip a test of `splice` where nothing is spliced."""
        if not self.splices:
            pytest.skip(f"{type(self).__name__}.splices is False")

    def kept(self, target: Any) -> Any:
        """Have an object closed after the test, and return it."""
        self._made.append(target)
        return target

    def spliced(self) -> Any:
        """Return a new object for the gateway, spliced."""
        return self._splice(self.made())

    @asynccontextmanager
    async def aspliced(self) -> AsyncIterator[Any]:
        """Make a spliced object for the asynchronous calls of a block."""
        target = self._splice(self.make_async(self.gateway.url, self.gateway.key))
        yield target
        await self.aclose(target)

    @contextmanager
    def own(self, question: str = QUESTION, **fields: Any) -> Iterator[Any]:
        """Make the caller's observation around a call: its generation, if nobody else makes one."""
        kind: Any = "span" if self.observes else "generation"
        with self.langfuse.start_as_current_observation(name=question, as_type=kind) as own:
            yield own
            if not self.observes:
                used = {"usage_details": {"input": 2, "output": 1}}
                own.update(**{"model": "gpt-4o-mini", **used, **fields})
        for value, before in self._written:
            hold(4, value == before, f"what the caller wrote, {before}, became {value}")

    def ask(self, target: Any, question: str = QUESTION) -> Any:
        """Ask in an observation of the caller's, and return the answer."""
        with self.own(question):
            return self.call(target, question)

    def forget(self) -> None:
        """Forget the calls so far."""
        self.langfuse.flush()
        self.gateway.clear()
        self.recorder.clear(for_good=True)

    def requests(self, count: int) -> list[ReceivedRequest]:
        """Return the requests that arrived at the gateway; each call has to make one."""
        found = self.gateway.calls
        if len(found) != count:
            broken(5, f"{len(found)} requests arrived, not {count}")
        return found

    def judge(self, traces: int = 1, prompt: Any = None) -> None:
        """Judge what the calls came to in Langfuse, and that header and body say the same."""
        __tracebackhide__ = True
        self.langfuse.flush()
        judged = Judged(self.recorder.traces(), traces, prompt)
        for letter in judged.wrong:
            broken(_PROMISE_OF[letter], judged.text())
        for request in self.gateway.calls:
            self._judge_wire(request)

    def _judge_wire(self, request: ReceivedRequest) -> None:
        link, header = link_of(request), request.headers.get(TRACEPARENT, "")
        ids = f"-{link.trace_id}-{link.parent_id}-"
        hold(3, ids in header, f"the header traceparent is {header!r}, beside {ids!r} in the body")
        if not self.observes:  # a tracer's span need not say which project it is in
            hold(3, link.project, "the header x-tracesplice-project is missing")

    def judge_untouched(self, number: int, requests: Iterable[ReceivedRequest], why: str) -> None:
        """Judge that requests carry nothing of ours."""
        __tracebackhide__ = True
        touched = [each for each in requests if carries_link(each)]
        hold(number, not touched, f"{why}, but it carries a link")

    def usage(self) -> int:
        """Return the tokens that the caller's generation claims once it is exported."""
        self.langfuse.flush()
        own = [each for each in self.recorder.observations() if not is_of_gateway(each)]
        return sum(each.usage.get("total", 0) for each in own)


def carries_link(request: ReceivedRequest) -> bool:
    """Whether a request has a field or a header that nobody else writes."""
    return CONTAINER in request.text or PROJECT in request.headers
