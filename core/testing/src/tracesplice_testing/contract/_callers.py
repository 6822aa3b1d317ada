"""Promises 4 and 5: the caller's request, objects, answer and errors stay as they are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tracesplice import _request
from tracesplice_testing.contract._promises import broken, hold
from tracesplice_testing.contract._subject import QUESTION, Subject, carries_link
from tracesplice_wire import CONTAINER, PROJECT, STRICT_VARIABLE, TRACEPARENT

if TYPE_CHECKING:
    from tracesplice_testing.model import ReceivedRequest

__all__ = ["Callers"]

# Refused, and cut off in the middle of the answer.
_FAILURES = ("[[fail:400]] question-1", "[[drop]] question-1")
_OURS = (TRACEPARENT, PROJECT)
# What no two requests have in common; an SDK may pass on the trace it is called in.
_VARYING = (
    "baggage",
    "content-length",
    "content-type",
    "x-stainless-retry-count",
    "idempotency-key",
)


class Callers(Subject):
    """Tests of promises 4 and 5."""

    def test_answer_and_request_are_what_they_would_be(self) -> None:
        """A spliced call returns the same, and sends the same beside the link."""
        unspliced = self.ask(self.made())
        answer = self.ask(self.spliced())
        hold(5, answer == unspliced, f"the answer is {answer!r}; without it, {unspliced!r}")
        first, second = map(_plain, self.requests(2))
        hold(4, second == first, f"sent is {second}; without it, {first}")

    def test_what_the_caller_wrote_takes_precedence(self) -> None:
        """The caller's entries win, key by key, and his objects stay as they were."""
        self.needs("call_with")
        body = {CONTAINER: {"trace_user_id": "theirs", "mine": {"kept": 1}}}
        headers = {"x-mine": "kept"}
        self.written((body, headers))
        target = self.spliced()
        with self.own():
            self.call_with(target, QUESTION, body, headers)
        [request] = self.requests(1)
        sent: Any = request.json.get(CONTAINER) or {}
        kept = {key: sent.get(key) for key in body[CONTAINER]}
        hold(4, kept == body[CONTAINER], f"of {body}, what arrived is {sent}")
        hold(4, request.headers.get("x-mine") == "kept", "the caller's header did not arrive")
        hold(4, carries_link(request) and len(sent) > len(kept), "the rest of the link is missing")

    def test_a_place_that_the_caller_wrote_takes_precedence(self) -> None:
        """A `traceparent` of the caller's goes out as it is."""
        self.needs("call_with")
        theirs = f"00-{'a' * 32}-{'b' * 16}-01"
        for target in (self.made(), self.spliced()):
            with self.own():
                self.call_with(target, QUESTION, {}, {TRACEPARENT: theirs})
        unspliced, found = (each.headers.get(TRACEPARENT) for each in self.requests(2))
        if unspliced != theirs:
            pytest.skip("without tracesplice, somebody else replaces it")
        hold(4, found == theirs, f"of the caller's traceparent {theirs}, what arrived is {found}")

    @pytest.mark.parametrize("question", _FAILURES)
    def test_an_error_is_what_it_would_be(self, question: str) -> None:
        """A call that fails raises what it would, after as many requests."""
        unspliced = self._error(self.made(), question)
        count = len(self.gateway.calls)
        error = self._error(self.spliced(), question)
        hold(5, type(error) is type(unspliced), f"it raises {error!r}; without it, {unspliced!r}")
        hold(5, str(error) == str(unspliced), f"it raises {error!r}; without it, {unspliced!r}")
        self.requests(2 * count)

    def test_a_fault_of_ours_costs_no_call(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """If the link cannot be worked out, the call is made without, and that is logged once."""
        target = self.spliced()
        monkeypatch.setattr(_request, "here", _raise)
        self._ask_with_a_fault(target, monkeypatch, caplog)
        self.judge_untouched(5, self.requests(2), "the link could not be worked out")

    def test_a_fault_of_ours_costs_no_answer(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """If an answer cannot be noted, it is returned, and that is logged once."""
        target = self.spliced()
        monkeypatch.setattr(_request.LinkedRequest, "answered", _raise)
        self._ask_with_a_fault(target, monkeypatch, caplog)

    def _ask_with_a_fault(
        self, target: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.delenv(STRICT_VARIABLE)
        caplog.set_level(logging.WARNING, logger="tracesplice")
        for _ in range(2):
            try:
                answer = self.ask(target)
            except _FaultError:
                broken(5, "a fault of ours reached the caller; put what you add into @guarded(...)")
            hold(5, answer is not None, "the call returned nothing")
        said = [each for each in caplog.records if each.name.startswith("tracesplice")]
        hold(5, len(said) == 1, f"a fault of ours was logged {len(said)} times, not once")

    def _error(self, target: Any, question: str) -> Exception:
        raised: Exception | None = None
        try:
            self.ask(target, question)
        except Exception as error:  # noqa: BLE001  (whatever the framework raises)
            raised = error
        return raised or broken(5, "a call that failed raised nothing")


class _FaultError(Exception):
    """A fault of ours."""


def _raise(*_: object, **__: object) -> None:
    raise _FaultError


def _plain(request: ReceivedRequest) -> str:
    """What was sent, without what we add."""
    fields = {**request.json, **request.form}
    fields.pop(CONTAINER, None)
    kept = {k: v for k, v in request.headers.items() if k not in (*_OURS, *_VARYING)}
    return f"{request.path} {sorted(kept.items())} {sorted(fields.items())}"
