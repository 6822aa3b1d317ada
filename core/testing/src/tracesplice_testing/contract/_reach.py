"""Promises 2, 7 and 8: what is touched, and what is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import tracesplice
from tracesplice_testing.contract._promises import broken, hold
from tracesplice_testing.contract._subject import QUESTION, Subject, carries_link

__all__ = ["Reach"]

_PROVIDER = "https://api.openai.com"
_STRANGERS = """
import sys, tracesplice

class Stranger:
    pass

for act in (tracesplice.splice, tracesplice.unsplice):
    try:
        act(Stranger())
    except tracesplice.TracespliceError:
        pass
print(sys.argv[1] in sys.modules)
"""


class Reach(Subject):
    """Tests of promises 2, 7 and 8."""

    def test_a_providers_address_is_refused(self) -> None:
        """`splice` refuses an object that points at a model provider."""
        self.needs_splice()
        target = self.made(_PROVIDER)
        try:
            tracesplice.splice(target)
        except tracesplice.TracespliceError:
            return
        broken(2, f"splice took an object for {_PROVIDER}; Gateway.declare(url) refuses it")

    def test_a_call_to_another_host_is_not_touched(self) -> None:
        """A spliced object that was pointed elsewhere sends nothing of ours there."""
        self.needs("move")
        self.ask(self.move(self.spliced(), self.elsewhere.url))
        hold(2, self.elsewhere.calls, "the call did not go to where the object was moved")
        self.judge_untouched(2, self.elsewhere.calls, "the call went to another host")

    def test_instrument_reaches_its_gateway_only(self) -> None:
        """`instrument` links the calls to a declared gateway, and no others."""
        self._needs_instrument()
        tracesplice.instrument(gateway=self.gateway.url)
        self.ask(self.made())
        hold(2, carries_link(self.requests(1)[0]), "a call to the declared gateway has no link")
        self.judge()
        self.ask(self.made(self.elsewhere.url))
        self.judge_untouched(2, self.elsewhere.calls, "the call went to an undeclared host")

    def test_uninstrument_undoes_it(self) -> None:
        """After `uninstrument`, calls carry nothing."""
        self._needs_instrument()
        target = self.made()
        tracesplice.instrument(gateway=self.gateway.url)
        tracesplice.uninstrument()
        self.ask(target)
        self.judge_untouched(2, self.requests(1), "the process was uninstrumented")

    def test_instrument_and_splice_link_once(self) -> None:
        """An object that is spliced as well sends one link."""
        self._needs_instrument()
        self.needs_splice()
        tracesplice.instrument(gateway=self.gateway.url)
        self.ask(self.spliced())
        self.requests(1)
        self.judge()

    def test_a_generation_around_a_call_to_elsewhere_keeps_its_figures(self) -> None:
        """Of two calls in one generation, the gateway counts one."""
        self._needs_instrument()
        if self.observes:
            pytest.skip("each call has a generation of its own")
        tracesplice.instrument(gateway=self.gateway.url)
        other = self.made(self.elsewhere.url)
        with self.own():
            self.call(self.made(), QUESTION)
            self.call(other, QUESTION)
        hold(7, self.usage(), "the generation around it says that nothing was used")

    def test_nothing_is_imported_for_somebody_elses_object(self) -> None:
        """Another package's object does not make the adapter import its framework."""
        if self.package is None:
            pytest.skip(f"{type(self).__name__}.package is not filled in")
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", _STRANGERS, self.package]
        found = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        hold(8, found.returncode == 0, found.stderr)
        hold(8, found.stdout.strip() == "False", f"{self.package} was imported")

    def _needs_instrument(self) -> None:
        if not self.instruments:
            pytest.skip(f"{type(self).__name__}.instruments is False")
