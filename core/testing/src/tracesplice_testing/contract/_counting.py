"""Promise 6: each call is counted once, by whoever the answer says."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tracesplice_testing.contract._promises import hold
from tracesplice_testing.contract._subject import QUESTION, Subject
from tracesplice_wire import REPORTS

__all__ = ["Counting"]

_FAILS = "[[fail:400]] question-1"


class Counting(Subject):
    """Tests of promise 6."""

    def test_what_the_gateway_reports_it_counts(self) -> None:
        """The generation of a call that the gateway reports says zero."""
        self.ask(self.spliced())
        hold(6, self.usage() == 0, self._claims("but the gateway reports the call"))
        self.judge()

    def test_what_the_gateway_does_not_report_the_client_counts(self) -> None:
        """The generation of a call that the gateway does not report keeps its figures."""
        self.gateway.reports = False
        self.ask(self.spliced())
        hold(6, self.usage(), "the call is counted nowhere: the gateway says it does not report it")

    def test_a_stream_is_counted_once(self) -> None:
        """The answer says who counts a stream before it is read."""
        self.needs("stream")
        target = self.spliced()
        with self.own():
            list(self.stream(target, QUESTION))
        hold(6, self.usage() == 0, self._claims("but the gateway reports the stream"))

    def test_a_stream_that_is_not_read_to_its_end(self) -> None:
        """A stream that is left after its first item is counted once, too."""
        self.needs("stream")
        target = self.spliced()
        with self.own():
            items = iter(self.stream(target, QUESTION))
            next(items)
            with suppress(AttributeError):
                items.close()  # type: ignore[attr-defined]
        hold(6, self.usage() == 0, self._claims("but the gateway reports the stream"))

    def test_an_asynchronous_call_is_counted_once(self) -> None:
        """The same for a coroutine's call."""
        self.needs("acall")

        async def ask() -> None:
            async with self.aspliced() as target:
                with self.own():
                    await self.acall(target, QUESTION)

        asyncio.run(ask())
        hold(6, self.usage() == 0, self._claims("but the gateway reports the call"))

    def test_a_failed_call_counts_nothing(self) -> None:
        """A call that failed is neither counted nor priced by Langfuse."""
        target = self.spliced()
        with suppress(Exception), self.own():
            self.call(target, _FAILS)
        self.langfuse.flush()
        found = [each.line() for each in self.recorder.observations() if each.cost]
        hold(6, not found, f"the call failed, and Langfuse prices it: {found}")

    def test_a_failed_call_is_not_taken_for_an_answered_one(self) -> None:
        """Of two calls in one generation, the one that failed says nothing of who counts."""
        if self.observes:
            pytest.skip("each call has a generation of its own")
        self.gateway.reports = False
        target = self.spliced()
        with self.own():
            self.call(target, QUESTION)
            with suppress(Exception):
                self.call(target, _FAILS)
        hold(6, self.usage(), "the answered call is counted nowhere")

    def test_a_redirected_answer_is_not_believed(self) -> None:
        """Who answers from elsewhere does not know who counts the call."""
        self.elsewhere.answer_headers[REPORTS] = "true"
        self.gateway.moved_to = self.elsewhere.url
        target = self.spliced()
        try:
            self.ask(target)
        except Exception as error:  # noqa: BLE001  (whatever the framework raises)
            pytest.skip(f"it does not follow redirects: {type(error).__name__}")
        if not self.elsewhere.calls:
            pytest.skip("it does not follow redirects")
        hold(6, self.usage(), "the call is counted nowhere: another host's answer was believed")

    def _claims(self, why: str) -> str:
        return f"the client's side claims {self.usage()} tokens, {why}"
