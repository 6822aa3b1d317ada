"""A copy of a spliced client is a client of its own: its key, its address, and spliced, too."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import threading
import weakref
from typing import TYPE_CHECKING, Any

import openai
import pytest

import tracesplice
from faults.compare import Row, chat
from faults.wire import carries_nothing, client_of, links, say
from tracesplice_openai import is_spliced
from tracesplice_openai._sdk import sdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from faults.compare import Stage
    from tracesplice_testing.model import ModelServer

WRAPPED = ("_build_request", "_process_response", "copy", "with_options")


def changed(copied: Any) -> Any:
    copied.api_key = "another"
    return copied


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy.copy": copy.copy,
    "copy.copy, with a key of its own": lambda client: changed(copy.copy(client)),
    "with_options": lambda client: client.with_options(timeout=9, max_retries=1),
    "copy": lambda client: client.copy(api_key="another", default_headers={"x-a": "b"}),
    "copy of a copy": lambda client: copy.copy(client.with_options(timeout=9).copy()),
}


@pytest.mark.parametrize("kind", ["sync", "async", "async stream"])
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_sends_what_an_unspliced_one_sends(stage: Stage, name: str, kind: str) -> None:
    stage.check(Row(derived=COPIES[name]), kind)


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_made_before_stays_spliced(wire: ModelServer, langfuse: Langfuse, name: str) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s") as span:
        copied = COPIES[name](tracesplice.splice(client))
        tracesplice.unsplice(client)
        assert (is_spliced(copied), is_spliced(client)) == (True, False)
        say(copied.with_options(timeout=9))
        say(client)
    (_, first, _), (_, second, _) = links(wire)
    assert first["parent_observation_id"] == span.id
    assert second == {}


def test_a_copy_made_while_it_is_unspliced(wire: ModelServer) -> None:
    with client_of(wire) as client:
        stop = threading.Event()

        def flip() -> None:
            while not stop.is_set():
                tracesplice.unsplice(tracesplice.splice(client))

        thread = threading.Thread(target=flip)
        thread.start()
        try:
            for _ in range(200):
                client.with_options(timeout=9)
        finally:
            stop.set()
            thread.join()


def test_a_client_that_is_spliced_while_the_wrappers_are_taken_away_is_reached(
    wire: ModelServer, langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "marks", weakref.WeakSet())  # other tests' clients apart
    with client_of(wire) as first, client_of(wire) as second:

        def meanwhile() -> None:  # as another thread
            tracesplice.splice(second)

        tracesplice.splice(first)
        monkeypatch.setattr(sdk, "_others", [(lambda: None, meanwhile), *sdk._others])
        tracesplice.unsplice(first)
        with langfuse.start_as_current_observation(name="s") as span:
            say(second)
    [(_, metadata, _)] = links(wire)
    assert metadata["parent_observation_id"] == span.id


def test_what_somebody_sets_on_the_client_stays(wire: ModelServer, langfuse: Langfuse) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        tracesplice.splice(client)
        calls: list[object] = []
        before = client.request

        def mine(*args: Any, **kwargs: Any) -> Any:
            calls.append(args)
            return before(*args, **kwargs)

        client.request = mine  # type: ignore[method-assign]
        tracesplice.unsplice(client)
        say(client)
        assert client.request is mine
    assert len(calls) == 1
    assert carries_nothing(wire)


@pytest.mark.parametrize("owner", [openai.OpenAI, openai.AsyncOpenAI])
@pytest.mark.parametrize("name", WRAPPED)
def test_the_methods_look_as_they_did(wire: ModelServer, owner: type, name: str) -> None:
    with client_of(wire) as client:
        tracesplice.splice(client)
        method, plain = getattr(owner, name), inspect.unwrap(getattr(owner, name))
        assert method is not plain
        assert inspect.signature(method) == inspect.signature(plain)
        assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(plain)
        assert "self" not in inspect.signature(getattr(client, name)).parameters


def test_a_spliced_client_is_freed_with_its_last_reference(wire: ModelServer) -> None:
    gc.disable()
    try:
        client = tracesplice.splice(client_of(wire))
        gone = weakref.ref(client)
        client.close()
        del client
        assert gone() is None
    finally:
        gc.enable()


class Sent(openai.OpenAI):
    """A client that can be pickled, and copied deeply, without its HTTP client."""

    def __reduce__(self) -> Any:
        kept = {key: value for key, value in vars(self).items() if key.startswith("_trace")}
        return _sent, (str(self.base_url), kept)


def _sent(url: str, state: dict[str, Any]) -> Sent:
    client = Sent(base_url=url, api_key="k")
    vars(client).update(state)
    return client


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_a_client_that_can_be_pickled(
    wire: ModelServer, langfuse: Langfuse, copied: Callable[[Any], Any]
) -> None:
    with Sent(base_url=f"{wire.url}/v1", api_key="k") as client:
        data = copied(tracesplice.splice(client))
    with data, langfuse.start_as_current_observation(name="s") as span:
        say(data)
    [(_, metadata, _)] = links(wire)
    assert metadata["parent_observation_id"] == span.id


def test_a_task_born_in_a_call_is_not_that_call_s(wire: ModelServer, langfuse: Langfuse) -> None:
    tasks: list[asyncio.Task[Any]] = []
    parents: list[str] = []
    client: Any = None
    first: Any = None

    async def key() -> str:
        # Asked for inside the call; what it starts outlives it.
        if not tasks:
            tasks.append(asyncio.create_task(later()))
        return "k"

    async def later() -> None:
        await first
        for number in (1, 2):
            with langfuse.start_as_current_observation(name=f"n{number}") as span:
                parents.append(span.id)
                await chat(client)

    async def main() -> None:
        nonlocal client, first
        first = asyncio.get_running_loop().create_future()
        client = tracesplice.splice(openai.AsyncOpenAI(base_url=f"{wire.url}/v1", api_key=key))
        async with client:
            with langfuse.start_as_current_observation(name="n0") as span:
                parents.append(span.id)
                await chat(client)
            first.set_result(None)
            await tasks[0]

    asyncio.run(main())
    assert [metadata["parent_observation_id"] for _, metadata, _ in links(wire)] == parents
