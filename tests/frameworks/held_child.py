"""Runs in a library's own environment: splices what people hold of it, and calls it.

``python -m frameworks.held_child ENVIRONMENT`` reads lines ``NAME STEP`` and answers with JSON.
"""

from __future__ import annotations

import asyncio
import copy
import importlib
import inspect
import json
import os
import pickle
import sys
import traceback
from typing import TYPE_CHECKING, Any

from langfuse import get_client

import tracesplice

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
URL = os.environ["HELD_URL"]
KEPT: list[Any] = []  # what is spliced while another is called
COPIES: dict[str, Callable[[Any], Any]] = {
    "copied": copy.copy,
    "deep-copied": copy.deepcopy,
    "pickled": lambda thing: pickle.loads(pickle.dumps(thing)),
}

LOOP = asyncio.new_event_loop()


def prepared(make: Callable[[str], Any], step: str) -> Any:
    """The object that is called in a step; None if it cannot be."""
    thing = make("https://api.openai.com/v1" if step == "provider" else URL)
    if step == "plain":
        return thing
    if step in COPIES and not can_be(COPIES[step], thing):
        return None
    for _ in range(2):
        assert tracesplice.splice(thing) is thing
    if step == "other":
        KEPT.append(thing)
        return make(URL)
    if step == "unspliced":
        assert tracesplice.unsplice(thing) is thing
    return COPIES[step](thing) if step in COPIES else thing


def can_be(copied: Callable[[Any], Any], thing: Any) -> bool:
    """Whether an object can be copied in a way, before it is spliced."""
    try:
        copied(thing)
    except Exception:  # noqa: BLE001 - whatever a library raises
        return False
    return True


def called(calls: Any, thing: Any) -> None:
    """Make calls of an object."""

    async def make() -> None:
        for call in calls:
            made = call(thing)
            if inspect.isawaitable(made):
                await made

    # One loop for all: some libraries share an HTTP client.
    LOOP.run_until_complete(make())


def answer(held: Json, line: str) -> Json:
    name, _, step = line.partition(" / ")
    make, *calls = held[name]
    try:
        with get_client().start_as_current_observation(name="enclosing") as span:
            thing = prepared(make, step)
            if thing is not None:
                called(calls, thing)
            return {"trace": span.trace_id, "called": thing is not None}
    except tracesplice.TracespliceError as error:
        return {"refused": str(error)}
    except Exception:  # noqa: BLE001 - the outcome, whatever it is
        return {"error": traceback.format_exc()}


def main() -> None:
    # What libraries print belongs into the log.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    held = importlib.import_module(f"frameworks.held.{sys.argv[1]}").HELD
    refused = {
        name: "".join(said) or f"tracesplice.instrument(gateway='{URL}')"
        for name, (_, *said) in held.items()
        if not any(map(callable, said))
    }
    print(json.dumps({"held": [*held], "refused": refused}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(held, line.strip())), file=answers, flush=True)


if __name__ == "__main__":
    main()
