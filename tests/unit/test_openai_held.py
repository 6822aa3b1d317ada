"""What people hold of libraries, with classes named like theirs; `tests/frameworks` has them."""

from __future__ import annotations

import asyncio
import copy
import pickle
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import openai
import pytest

import tracesplice
from tracesplice import TracespliceError
from tracesplice.adapter import gateways_here
from tracesplice_openai import is_spliced

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

URL = "http://gateway:4000/v1"
OPENAI = "https://api.openai.com/v1"


def client(url: str = URL) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="k")


def gateways() -> list[str]:
    """Where the calls of any client carry a link to, at this place."""
    return [str(each) for each in gateways_here()]


class Thing:
    """Of one of the libraries, with these attributes."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("base_url", "client")

    def __init__(self, client: Any = None, base_url: str | None = None) -> None:
        self.client, self.base_url = client, base_url


class Graph(Thing):
    pass


class Generator:
    """Makes its clients late, in several ways."""

    def __init__(self, url: str) -> None:
        self.api_base_url = url
        self.client: openai.OpenAI | None = None

    def warm_up(self) -> None:
        self.client = self.client or client(self.api_base_url)

    async def warm_up_async(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=self.api_base_url, api_key="k")


class Model:
    def __init__(self, url: str | None = URL) -> None:
        self.client_args = {"base_url": url}

    @asynccontextmanager
    async def _get_client(self) -> AsyncIterator[openai.AsyncOpenAI]:
        yield openai.AsyncOpenAI(api_key="k", **self.client_args)  # type: ignore[arg-type]


class Caller:
    """Calls through clients that others use as well."""

    def __init__(self, url: str) -> None:
        self.api_base = url

    def generate(self, *, asynchronous: bool) -> Any:
        return self._agenerate() if asynchronous else gateways()

    def generate_stream(self, *, asynchronous: bool) -> Any:
        return self._astream() if asynchronous else self._stream()

    async def _agenerate(self) -> list[str]:
        return gateways()

    def _stream(self) -> Iterator[list[str]]:
        yield gateways()
        yield gateways()

    async def _astream(self) -> AsyncIterator[list[str]]:
        yield gateways()


class Foreign:
    def __init__(self, client: object) -> None:
        self.client = client


for kind, module, name in (
    (Thing, "smolagents.models", "Thing"),
    (Slotted, "ag2.config", "Slotted"),
    (Graph, "networkx.classes", "Graph"),
    (Generator, "haystack.components.generators.chat.openai", "OpenAIChatGenerator"),
    (Model, "strands.models.openai", "OpenAIModel"),
    (Caller, "smolagents.models", "LiteLLMModel"),
):
    kind.__module__, kind.__qualname__ = module, name


class Derived(Generator):
    pass


@pytest.mark.parametrize(
    "hold",
    [
        lambda held: Thing(client=held),
        lambda held: Thing(completions=held.chat.completions),
        lambda held: Thing(model=Thing(provider=Thing(_client=held))),
        lambda held: Thing(models=[{"a": (Thing(client=held),)}]),
        lambda held: Thing(graph=Graph(nodes={"a": Thing(client=held)})),
        lambda held: Slotted(client=held),
        lambda held: type("Own", (Thing,), {"__module__": "my.app"})(client=held),
    ],
)
def test_a_client_is_found_wherever_it_is(hold: Any) -> None:
    held, other = client(), client()
    thing = hold(held)
    if isinstance(thing, Thing):
        vars(thing)["itself"] = [thing]
    for _ in range(2):
        assert tracesplice.splice(thing) is thing
    assert is_spliced(held)
    assert not is_spliced(other)
    assert tracesplice.unsplice(thing) is thing
    assert not is_spliced(held)


def test_other_libraries_objects_are_not_searched() -> None:
    held = client()
    with pytest.raises(TracespliceError, match="has no OpenAI client"):
        tracesplice.splice(Thing(own=Foreign(client=held), kind=Thing, function=client))
    assert not is_spliced(held)


def test_what_calls_a_provider_is_left_out_or_refused() -> None:
    held, fallback = client(), client(OPENAI)
    tracesplice.splice(Thing(models=[fallback, held]))
    assert is_spliced(held)
    assert not is_spliced(fallback)
    for thing in (Thing(client=fallback), Generator(OPENAI), Thing(api_base=OPENAI)):
        with pytest.raises(TracespliceError, match="is OpenAI itself"):
            tracesplice.splice(thing)


@pytest.mark.parametrize(
    ("thing", "address"),
    [
        (Thing(base_url=URL), URL),
        (Thing(kwargs={"api_base": URL}), URL),
        (Thing(model=Slotted(base_url=URL)), URL),
        (Thing(base_url=7, api_base=""), "http://localhost:4000"),
        (Model(url=None), "http://localhost:4000"),
    ],
)
def test_the_line_to_type_is_named(thing: Any, address: str) -> None:
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(thing)
    assert f"type tracesplice.instrument(gateway='{address}')" in str(caught.value)


def test_what_has_nothing_can_be_put_back() -> None:
    thing = Thing()
    assert tracesplice.unsplice(thing) is thing


@pytest.mark.parametrize("kind", [Generator, Derived])
@pytest.mark.parametrize("copied", [lambda each: each, copy.copy, copy.deepcopy])
def test_clients_that_are_made_late_are_spliced(kind: type, copied: Any) -> None:
    thing = tracesplice.splice(kind(URL))
    assert thing.client is None  # still as it was
    thing, other = copied(thing), kind(URL)
    for each in (thing, other):
        each.warm_up()
    assert is_spliced(thing.client)
    assert is_spliced(asyncio.run(thing.warm_up_async()))
    assert not is_spliced(other.client)
    thing.client = None
    thing.warm_up()
    assert is_spliced(thing.client)
    tracesplice.unsplice(thing)
    assert not is_spliced(thing.client)
    assert not is_spliced(asyncio.run(thing.warm_up_async()))


def test_a_client_to_elsewhere_is_not_spliced() -> None:
    thing = tracesplice.splice(Generator(URL))
    thing.api_base_url = "http://elsewhere"
    thing.warm_up()
    assert not is_spliced(thing.client)


def test_a_client_for_each_call_is_spliced() -> None:
    thing = tracesplice.splice(Model())

    async def get() -> Any:
        async with thing._get_client() as made:
            return made

    assert is_spliced(asyncio.run(get()))


def test_what_is_unpickled_makes_spliced_clients() -> None:
    thing = pickle.loads(pickle.dumps(tracesplice.splice(Derived(URL))))
    thing.warm_up()
    assert is_spliced(thing.client)


def test_what_calls_through_other_clients_is_linked_while_it_calls() -> None:
    here = ["http://gateway:4000"]
    thing, other = tracesplice.splice(Caller(URL)), Caller(URL)
    for each in (thing, copy.deepcopy(thing)):
        assert each.generate(asynchronous=False) == here
        assert asyncio.run(each.generate(asynchronous=True)) == here
        assert list(each.generate_stream(asynchronous=False)) == [here, []]

        async def first(each: Any = each) -> Any:
            return await anext(each.generate_stream(asynchronous=True))

        assert asyncio.run(first()) == here
        assert gateways() == []
    assert other.generate(asynchronous=False) == []
    tracesplice.unsplice(thing)
    assert thing.generate(asynchronous=False) == []
