"""What cannot be spliced or instrumented says what to type instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import tracesplice
from tracesplice import TracespliceError, _splice
from tracesplice._gateway import BASE_VARIABLE, Gateway
from tracesplice._plugins import Adapters
from unit.fake_adapters import HOOK, WORKS, FakeAdapters, fakes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fakes"]

NO_ADAPTER = "Splice the client or model that makes the calls, or use tracesplice.instrument()."
TELLS = HOOK + "def tracesplice_instrument(gateways): told[:] = gateways\ntold = []\n"


@pytest.fixture
def found(fakes: FakeAdapters, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAdapters]:
    """Adapters of which nothing but the fakes are found."""
    monkeypatch.setattr(_splice, "installed_adapters", lambda: Adapters(fakes.points(), ["off"]))
    monkeypatch.setattr(_splice, "_declared", {})
    _splice.adapters.cache_clear()
    yield fakes
    _splice.adapters.cache_clear()


def instance_of(module: str, *bases: type) -> Any:
    return type("Model", bases, {"__module__": module})()


@pytest.mark.parametrize("function", [tracesplice.splice, tracesplice.unsplice])
def test_an_unknown_object_is_named_with_the_adapters_found(
    found: FakeAdapters, function: Any
) -> None:
    found.add("wordy", WORKS)
    found.add("broken", "raise ValueError")
    with pytest.raises(TracespliceError) as caught:
        function(instance_of("some.library"))
    message = str(caught.value)
    assert message.startswith("No adapter knows some.library.Model. ")
    assert "Adapters found: wordy (words)." in message
    assert message.endswith(NO_ADAPTER)


def test_without_adapters_it_says_so(found: FakeAdapters) -> None:
    with pytest.raises(TracespliceError, match="Adapters found: none"):
        tracesplice.splice(object())


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("openai", "openai"),
        ("openai.lib.azure", "openai"),
        ("langchain_openai.chat_models", "langchain"),
        ("langchain_core.runnables.base", "langchain"),
        ("langgraph.graph", "langchain"),
        ("llama_index.llms.openai_like", "llama-index"),
    ],
)
def test_the_adapter_that_is_missing_is_named_with_its_command(
    found: FakeAdapters, module: str, extra: str
) -> None:
    command = f"pip install 'tracesplice[{extra}]'"
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(instance_of(module))
    assert str(caught.value).endswith(command)
    derived = instance_of("my.app", type(instance_of(module)))
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(derived)
    assert str(caught.value).endswith(command)


@pytest.mark.parametrize("name", ["llama-index", "llama_index"])
def test_an_adapter_that_is_there_is_not_advised_again(found: FakeAdapters, name: str) -> None:
    found.add(name, WORKS)
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(instance_of("llama_index.core"))
    assert str(caught.value).endswith(NO_ADAPTER)


def test_an_adapter_that_is_broken_is_named_with_its_problem(found: FakeAdapters) -> None:
    found.add("langchain", WORKS, requires=["pluggy<1"])
    with pytest.raises(TracespliceError, match="adapter langchain is installed but needs pluggy<1"):
        tracesplice.splice(instance_of("langchain_openai.chat_models"))


def test_a_module_name_that_only_begins_alike_is_no_reason(found: FakeAdapters) -> None:
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(instance_of("openai_like.client"))
    assert str(caught.value).endswith(NO_ADAPTER)


@pytest.mark.parametrize("function", [tracesplice.splice, tracesplice.unsplice])
def test_what_an_adapter_knows_comes_back_itself(found: FakeAdapters, function: Any) -> None:
    found.add("wordy", WORKS + "@hookimpl\ndef tracesplice_unsplice(target): return True\n")
    text = "some text"
    assert function(text) is text


def test_an_adapter_s_own_error_reaches_the_caller(found: FakeAdapters) -> None:
    code = HOOK + "def tracesplice_splice(target): raise TracespliceError('do this')\n"
    found.add("strict", "from tracesplice import TracespliceError\n" + code)
    with pytest.raises(TracespliceError, match="do this"):
        tracesplice.splice("x")


def test_instrument_without_an_address_says_how_to_give_one(
    found: FakeAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BASE_VARIABLE, raising=False)
    with pytest.raises(TracespliceError) as caught:
        tracesplice.instrument()
    assert 'tracesplice.instrument(gateway="http://localhost:4000")' in str(caught.value)
    assert BASE_VARIABLE in str(caught.value)


@pytest.mark.parametrize(
    ("gateway", "says"),
    [
        ("https://api.openai.com/v1", "is OpenAI itself"),
        ("localhost:4000", "'localhost:4000' is no gateway address"),
        ("", "'' is no gateway address"),
        (4000, "'4000' is no gateway address"),
        (b"http://gw", "b'http://gw'.* is no gateway address"),
        (["http://gw", None], "'None' is no gateway address"),
        (["http://gw", "https://api.openai.com"], "is OpenAI itself"),
        ([], "Which gateway"),
    ],
)
def test_instrument_with_a_wrong_address_declares_nothing(
    found: FakeAdapters, gateway: Any, says: str
) -> None:
    found.add("a", TELLS)
    with pytest.raises(TracespliceError, match=says):
        tracesplice.instrument(gateway)
    assert found.points()[0].load().told == []
    assert _splice._declared == {}


def test_instrument_again_adds_a_gateway_once_each(
    found: FakeAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    found.add("a", TELLS)
    told = found.points()[0].load().told
    monkeypatch.setenv(BASE_VARIABLE, "http://env")
    tracesplice.instrument()
    tracesplice.instrument(url for url in ["http://one/v1", "http://two"])
    tracesplice.instrument(gateway="http://one")
    declared = [Gateway.declare(f"http://{name}") for name in ("env", "one", "two")]
    assert told == declared
    tracesplice.uninstrument()
    tracesplice.instrument(gateway="http://one")
    assert told == declared[1:2]


def test_a_provider_s_client_cannot_be_spliced() -> None:
    openai = pytest.importorskip("openai")
    with (
        openai.OpenAI(base_url="https://api.openai.com/v1", api_key="x") as client,
        pytest.raises(TracespliceError, match='base_url="http://localhost:4000"'),
    ):
        tracesplice.splice(client)


def test_instrument_without_a_working_adapter_says_what_to_install(found: FakeAdapters) -> None:
    found.add("broken", "raise ValueError('why')")
    with pytest.raises(TracespliceError) as caught:
        tracesplice.instrument(gateway="http://localhost:4000")
    message = str(caught.value)
    assert "pip install 'tracesplice[openai]'" in message
    assert "broken cannot be loaded: ValueError: why" in message
