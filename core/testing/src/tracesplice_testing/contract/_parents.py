"""Promise 3: each call belongs to its own observation, however it is made."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes

from tracesplice_testing.contract._promises import hold
from tracesplice_testing.contract._subject import QUESTION, Subject
from tracesplice_view import is_of_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tracesplice_testing.recorder import Observation

__all__ = ["Parents"]

_AT_ONCE = 8
_PROMPT = "contract"


class Parents(Subject):
    """Tests of promise 3."""

    def test_a_call_is_under_its_observation(self) -> None:
        """Parent, user, session, tags and prompt are those in force around the call."""
        version = self.recorder.add_prompt(_PROMPT, "Never used")
        prompt: Any = SimpleNamespace(name=_PROMPT, version=version, is_fallback=False)
        who: dict[str, Any] = {"user_id": "user-1", "session_id": "session-1", "tags": ["tag-1"]}
        target = self.spliced()
        with propagate_attributes(prompt=prompt, **who):
            self.ask(target)
        self.requests(1)
        self.judge(prompt=prompt)

    def test_a_call_in_no_observation(self) -> None:
        """Where no trace is open, the call is made all the same."""
        answer = self.call(self.spliced(), QUESTION)
        hold(5, answer == self.call(self.made(), QUESTION), f"it was answered {answer!r}")

    def test_a_stream_is_under_the_observation_it_was_asked_for_in(self) -> None:
        """Wherever a stream is read, it belongs where it was asked for."""
        self.needs("stream")
        expected = list(self.stream(self.made(), QUESTION))
        self.forget()
        target = self.spliced()
        with self.langfuse.start_as_current_observation(name="around"), self.own() as own:
            items = self.stream(target, QUESTION)
            with self.langfuse.start_as_current_observation(name="reader"):
                hold(5, len(list(items)) == len(expected), "the stream has other items")
        self._judge_stream(own.id)

    def test_an_asynchronous_call(self) -> None:
        """A coroutine's call belongs where it was made."""
        self.needs("acall")

        async def ask() -> Any:
            async with self.aspliced() as target:
                with self.own():
                    await self.acall(target, QUESTION)

        asyncio.run(ask())
        self.requests(1)
        self.judge()

    def test_an_asynchronous_stream(self) -> None:
        """Wherever an asynchronous stream is read, it belongs where it was asked for."""
        self.needs("astream")
        ids = []

        async def ask() -> None:
            async with self.aspliced() as target:
                with self.langfuse.start_as_current_observation(name="around"), self.own() as own:
                    ids.append(own.id)
                    items: AsyncIterator[Any] = await self.astream(target, QUESTION)
                    with self.langfuse.start_as_current_observation(name="reader"):
                        hold(5, [each async for each in items], "the stream has no items")

        asyncio.run(ask())
        self._judge_stream(ids[0])

    def test_calls_in_threads_do_not_cross(self) -> None:
        """Many threads share an object; each call is under its own thread's observation."""
        target, gate = self.spliced(), threading.Barrier(_AT_ONCE)

        def ask(number: int) -> None:
            gate.wait()
            self.ask(target, f"question-{number}")

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(ask, range(_AT_ONCE)))
        self.judge(traces=_AT_ONCE)
        self._judge_questions()

    def test_calls_in_tasks_do_not_cross(self) -> None:
        """Many tasks share an object; each call is under its own task's observation."""
        self.needs("acall")

        async def ask(target: Any, number: int) -> None:
            with self.own(f"question-{number}"):
                await self.acall(target, f"question-{number}")

        async def all_at_once() -> None:
            async with self.aspliced() as target:
                await asyncio.gather(*(ask(target, number) for number in range(_AT_ONCE)))

        asyncio.run(all_at_once())
        self.judge(traces=_AT_ONCE)
        self._judge_questions()

    def _judge_stream(self, own: str) -> None:
        self.requests(1)
        if self.observes:  # where its generation is, is the tracer's choice
            self.judge()
            return
        for _, above in self._under():
            name = above.name if above else "nothing"
            asked = above is not None and above.id == own
            hold(3, asked, f"the stream is under {name!r}, not where it was asked for")

    def _judge_questions(self) -> None:
        for generation, above in self._under():
            name = above.name if above else "nothing"
            hold(3, name in str(generation.input), f"{generation.input} is under {name!r}")

    def _under(self) -> list[tuple[Observation, Observation | None]]:
        """The gateway's generations, each with the caller's observation above it."""
        self.langfuse.flush()
        by_id = {each.id: each for each in self.recorder.observations()}
        found = []
        for each in filter(is_of_gateway, by_id.values()):
            above = by_id.get(each.parent_id or "")
            while self.observes and above is not None and above.type != "SPAN":
                above = by_id.get(above.parent_id or "")
            found.append((each, above))
        return found
