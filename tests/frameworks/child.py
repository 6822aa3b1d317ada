"""Runs in a library's own environment: imports its program, and makes the calls it is told to.

``python -m frameworks.child PROGRAM`` reads from each line which call to make, and answers with a
line of JSON. It needs the standard library, Langfuse and tracesplice.
"""

from __future__ import annotations

import asyncio
import copy
import importlib
import inspect
import json
import os
import sys
import traceback
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TextIO

from langfuse import Langfuse, get_client, propagate_attributes
from opentelemetry import trace

import tracesplice

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


class OwnSpans:
    """A span processor that knows what was started here."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.ids.append(f"{span.context.span_id:016x}")

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: True  # the rest of the interface


class Child:
    """A program and what it made."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        if os.environ.get("FRAMEWORKS_PLAIN"):
            product: Any = tracesplice
            product.instrument = lambda *_, **__: None
            product.splice = lambda each: each
        self.program = importlib.import_module(f"frameworks.programs.{name}")
        self.spans = OwnSpans()
        provider: Any = trace.get_tracer_provider()
        provider.add_span_processor(self.spans)
        self.langfuse: Langfuse = get_client()
        self.calls = {each.__name__: each for each in self.program.CALLS}
        self.written = self._containers()

    def introduction(self) -> Json:
        versions = {name: version(name) for name in self.program.ABOUT.packages}
        return {"calls": [*self.calls], "versions": versions}

    def make(self, call: str, question: str, enclosed: bool) -> Json:
        self.spans.ids.clear()
        answer: Json = {}
        with self._request(enclosed) as enclosing:
            try:
                answer["answer"] = self._call(self.calls[call], question)
            except Exception:  # noqa: BLE001 - the outcome of the call, whatever it is
                answer["error"] = traceback.format_exc()
        self.langfuse.flush()
        answer |= {"enclosing": enclosing, "own": [*self.spans.ids]}
        return answer | {"changed": self._containers() != self.written}

    def _call(self, call: Any, question: str) -> str:
        made = call(question)
        if inspect.isawaitable(made):
            made = self.loop.run_until_complete(asyncio.ensure_future(made, loop=self.loop))
            # An application's loop goes on, and closes the streams that were not read to their end.
            for _ in range(20):
                self.loop.run_until_complete(asyncio.sleep(0))
        return str(made)

    @contextmanager
    def _request(self, enclosed: bool) -> Iterator[str | None]:
        """What an application has around a call, and the id of its span."""
        who = json.loads(os.environ["FRAMEWORKS_ATTRIBUTES"])
        prompt = self.langfuse.get_prompt("ambient")
        with ExitStack() as around:
            around.enter_context(propagate_attributes(prompt=prompt, **who))
            if not enclosed:
                yield None
                return
            span = self.langfuse.start_as_current_observation(name="enclosing")
            yield around.enter_context(span).id

    def _containers(self) -> str:
        """What the program wrote as lists and mappings, which its calls are made with."""
        return repr(
            {
                name: copy.deepcopy(value)
                for name, value in vars(self.program).items()
                if isinstance(value, (dict, list)) and name.isupper() and name != "CALLS"
            }
        )


def say(line: Json, to: TextIO) -> None:
    to.write(json.dumps(line) + "\n")
    to.flush()


def main() -> None:
    # What libraries print belongs into the log.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    child = Child(sys.argv[1])
    say(child.introduction(), answers)
    for line in sys.stdin:
        say(child.make(**json.loads(line)), answers)


if __name__ == "__main__":
    main()
