"""What it costs to take a place along: `python bench/spreading.py`, in microseconds of CPU."""

from __future__ import annotations

import json
import time
from itertools import cycle
from statistics import median
from typing import TYPE_CHECKING, Any

from langfuse import Langfuse, propagate_attributes
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, CALLS = 21, 200
MANY = 300  # carriers, more than are kept


def microseconds(task: Callable[[], Any]) -> float:
    """The median CPU time of a call."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(CALLS):
            task()
        found.append((time.process_time_ns() - began) / CALLS / 1000)
    return median(found)


def _elsewhere(langfuse: Langfuse) -> dict[str, str]:
    with langfuse.start_as_current_observation(name="another"):
        return tracesplice.capture()


def main() -> None:
    """Print the figures."""
    langfuse = Langfuse(
        public_key="pk-bench",
        secret_key="sk-bench",
        base_url="http://127.0.0.1:9",
        span_exporter=InMemorySpanExporter(),
    )
    with (
        langfuse.start_as_current_observation(name="span"),
        propagate_attributes(
            user_id="u", session_id="s", tags=["t"], prompt={"name": "p", "version": 1}
        ),
    ):
        carrier = tracesplice.capture()
        wrapped = tracesplice.wrap(int)
        others = cycle([_elsewhere(langfuse) for _ in range(MANY)])
        print(f"capture            {microseconds(tracesplice.capture):6.1f} us")
        print(f"wrap               {microseconds(lambda: tracesplice.wrap(int)):6.1f} us")

    def resume(carrier: dict[str, str]) -> None:
        with tracesplice.resume(carrier):
            pass

    print(f"resume             {microseconds(lambda: resume(next(others))):6.1f} us")
    print(f"the same again     {microseconds(lambda: resume(carrier)):6.1f} us")
    print(f"a wrapped call     {microseconds(wrapped):6.1f} us")
    print(f"a carrier          {len(json.dumps(carrier)):6d} characters")


if __name__ == "__main__":
    main()
