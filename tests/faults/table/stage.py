"""Makes a row's call unspliced and spliced, and says in what the two differ."""

from __future__ import annotations

import asyncio
import re
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faults.compare import _comparable
from faults.scripted import OK, Reply
from faults.table.acts import WHOLE, Act, Call
from faults.table.described import described
from faults.table.left import Before
from faults.table.libraries import WAYS, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from faults.scripted import Scripted, Seen
    from faults.table.langfuses import Langfuses
    from faults.table.libraries import Library

__all__ = ["Fault", "Outcome", "Stage", "is_linked", "observed"]

_TRACE = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Outcome:
    """How a call ended, what it sent to whom, and what it left behind."""

    ended: object
    requests: tuple[object, ...]
    linked: tuple[bool, ...]
    elsewhere: tuple[object, ...]
    left: tuple[str, ...]


class Stage:
    """Two servers, an event loop, the HTTP clients, and Langfuse clients in all conditions."""

    def __init__(self, gateway: Scripted, other: Scripted, langfuses: Langfuses) -> None:
        self.gateway, self.other, self.langfuses = gateway, other, langfuses
        self.http: dict[tuple[str, bool], Any] = {}
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(1))  # its thread is there from now on
        self._loop.run_until_complete(self._loop.run_in_executor(None, int))

    def close(self) -> None:
        for (_, is_async), client in self.http.items():
            self._loop.run_until_complete(client.aclose()) if is_async else client.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def idle(self) -> None:
        """Give the event loop a chance to clear up."""
        self._loop.run_until_complete(_idle())

    @contextmanager
    def traced(self) -> Iterator[Any]:
        """With a Langfuse client that works."""
        yield self.langfuses.working
        self.langfuses.working.flush()

    def check(self, fault: Fault, library: Library, way: str) -> tuple[Outcome, list[str]]:
        """Make the call unspliced and spliced; return the second's outcome, and what is wrong."""
        plain = self._outcome(fault, library, way)
        spliced = self._outcome(fault, library, way, plain.left)
        wrong = [
            f"{name}: {theirs} became {ours}"
            for name, theirs, ours in (
                ("ended", plain.ended, spliced.ended),
                *([("requests", plain.requests, spliced.requests)] if fault.counted else []),
                ("elsewhere", plain.elsewhere, spliced.elsewhere),
            )
            if theirs != ours
        ]
        left = Counter(spliced.left) - Counter(plain.left)
        ours = [each for each in spliced.left if "tracesplice" in each]
        wrong += [f"left: {each}" for each in {*left, *ours}]
        if fault.linked is not None and set(spliced.linked) - {fault.linked}:
            wrong.append(f"linked: {spliced.linked}")
        return spliced, wrong

    def _outcome(
        self, fault: Fault, library: Library, way: str, known: Sequence[str] | None = None
    ) -> Outcome:
        """What becomes of the call; spliced if it is known what it leaves behind unspliced."""
        self.gateway.script(fault.replies(self))
        self.other.script([OK])
        setting = Setting(fault.url(self), fault.retries, fault.timeout, self.http)
        references: list[tuple[str, weakref.ref[Any]]] = []
        before = Before(pools=library.pools)
        spliced = known is not None
        ended = self._ended(fault, library, way, setting, references, spliced=spliced)
        left = before.left(references, self.idle, known)
        seen, elsewhere = self.gateway.seen, self.other.seen
        return Outcome(
            ended,
            tuple(map(_sent, seen)),
            tuple(map(is_linked, seen)),
            tuple(map(_sent, elsewhere)),
            tuple(left),
        )

    def _ended(
        self,
        fault: Fault,
        library: Library,
        way: str,
        setting: Setting,
        references: list[tuple[str, weakref.ref[Any]]],
        *,
        spliced: bool,
    ) -> object:
        with fault.around(self) as langfuse:
            client = library.make(setting, way.startswith("async"))
            references.append(("client", weakref.ref(client)))
            if spliced:
                library.splice(client, setting)
            try:
                with observed(langfuse, references):
                    call = Call(library, client, way)
                    with fault.meanwhile(call, setting) if spliced else nullcontext():
                        return self.made(call, fault.act)
            except BaseException as error:  # noqa: BLE001  (whatever it is, it must be the same)
                return described(error)
            finally:
                if spliced and library.pools:  # of no client of its own, so that it ends with none
                    library.unsplice(client)

    def made(self, call: Call, act: Act) -> object:
        """What becomes of a call that is made: here, or in the event loop."""
        if not call.is_async:
            return act.sync(call)
        task = self._loop.create_task(act.asynchronous(call))
        try:
            return self._loop.run_until_complete(task)
        except KeyboardInterrupt:  # as `asyncio.run` does
            task.cancel()
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(asyncio.wait([task], timeout=5))
            raise


@dataclass(frozen=True)
class Fault:
    """A row of the table: what is wrong, and what the caller does.

    Attributes:
        says: What it is, as a sentence.
        replies: What the gateway answers, of the stage.
        url: Where the client is told the gateway is, of the stage; by default, where it is.
        retries: How often the client repeats a request.
        timeout: Of a request, in seconds.
        around: A block around all of it, spliced or not; gives the Langfuse client, or None.
        meanwhile: A block around the spliced call alone.
        act: What the caller does.
        ways: Of the calls.
        linked: Whether every request to the gateway carries a link, or none; None if either may.
        counted: Whether equally many requests are sent.
        libraries: The names of those it concerns, where it does not concern all.
    """

    says: str
    replies: Callable[[Stage], Sequence[Reply]] = lambda _: [OK]
    url: Callable[[Stage], str] = lambda stage: stage.gateway.url
    retries: int = 0
    timeout: float = 20
    around: Callable[[Stage], AbstractContextManager[Any]] = lambda stage: stage.traced()
    meanwhile: Callable[[Call, Setting], AbstractContextManager[Any]] = lambda *_: nullcontext()
    act: Act = WHOLE
    ways: tuple[str, ...] = WAYS
    linked: bool | None = True
    counted: bool = True
    libraries: tuple[str, ...] | None = None


def _sent(seen: Seen) -> str:
    # The SDK of Anthropic names the trace in a header of its own.
    return _TRACE.sub("TRACE", str(_comparable(seen)))


def is_linked(seen: Seen) -> bool:
    """Whether a request carries a link."""
    # Not by `traceparent` alone, for the same reason.
    return seen.header("x-tracesplice-project") is not None or b"litellm_metadata" in seen.body


async def _idle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@contextmanager
def observed(langfuse: Any, references: list[tuple[str, weakref.ref[Any]]]) -> Iterator[None]:
    """A block in an observation, if there is a Langfuse client; its span is noted."""
    if langfuse is None:
        yield
        return
    with langfuse.start_as_current_observation(name="s", as_type="generation", model="m") as made:
        references.append(("span", weakref.ref(made._otel_span)))
        yield
