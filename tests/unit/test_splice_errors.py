"""What cannot be spliced or instrumented says what to type instead."""

from __future__ import annotations

from typing import Any

import pytest

import tracesplice
from tracesplice import TracespliceError, _splice
from tracesplice._gateway import BASE_VARIABLE, Gateway
from unit.fake_adapters import HOOK, WORKS, FakeAdapters, fakes, found, instance_of

__all__ = ["fakes", "found"]

NO_ADAPTER = "Splice the client or model that makes the calls."
TELLS = HOOK + "def tracesplice_instrument(gateways): told[:] = gateways\ntold = []\n"


def message_of(target: object, function: Any = tracesplice.splice) -> str:
    with pytest.raises(TracespliceError) as caught:
        function(target)
    return str(caught.value)


@pytest.mark.parametrize("function", [tracesplice.splice, tracesplice.unsplice])
def test_an_unknown_object_is_named_with_the_adapters_found(
    found: FakeAdapters, function: Any
) -> None:
    found.add("wordy", WORKS)
    found.add("broken", "raise ValueError")
    message = message_of(instance_of("some.library"), function)
    assert message.startswith("No adapter knows some.library.Model. ")
    assert message.endswith("Adapters found: wordy (words).")
    assert NO_ADAPTER in message


@pytest.mark.usefixtures("found")
def test_a_class_is_no_object_of_it() -> None:
    assert message_of(FakeAdapters) == (
        "unit.fake_adapters.FakeAdapters is a class: splice an object of it, FakeAdapters(...)."
    )


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("openai", "openai"),
        ("openai.lib.azure", "openai"),
        ("langchain_openai.chat_models", "langchain"),
        ("langchain_core.runnables.base", "langchain"),
        ("llama_index.llms.openai_like", "llama-index"),
        ("litellm.router", "litellm-sdk"),
    ],
)
@pytest.mark.usefixtures("found")
def test_the_adapter_that_is_missing_is_named_with_its_command(module: str, extra: str) -> None:
    command = f"pip install 'tracesplice[{extra}]'"
    target = instance_of(module)
    assert f" {command}. " in message_of(target)
    assert f" {command}. " in message_of(instance_of("my.app", type(target)))


@pytest.mark.parametrize("module", ["langchains.models", "cli", "wire", "my.openai"])
@pytest.mark.usefixtures("found")
def test_another_package_is_no_reason_to_install_one(module: str) -> None:
    assert NO_ADAPTER in message_of(instance_of(module))


@pytest.mark.parametrize("name", ["llama-index", "llama_index"])
def test_an_adapter_that_is_there_is_not_advised_again(found: FakeAdapters, name: str) -> None:
    found.add(name, WORKS)
    assert NO_ADAPTER in message_of(instance_of("llama_index.core"))


def test_an_adapter_that_is_broken_is_named_with_its_problem(found: FakeAdapters) -> None:
    found.add("langchain", WORKS, requires=["pluggy<1"])
    message = message_of(instance_of("langchain_openai.chat_models"))
    assert "adapter langchain is installed but needs pluggy<1" in message


def test_so_is_an_adapter_that_is_not_ours(found: FakeAdapters) -> None:
    found.add("acme", WORKS, requires=["pluggy<1"])
    message = message_of(instance_of("acme.client"))
    assert "adapter acme is installed but needs pluggy<1" in message
    assert NO_ADAPTER in message_of(instance_of("some.library"))


def test_instrument_without_an_address_says_how_to_give_one(
    found: FakeAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BASE_VARIABLE, raising=False)
    message = message_of(None, tracesplice.instrument)
    assert 'tracesplice.instrument(gateway="http://localhost:4000")' in message
    assert BASE_VARIABLE in message


@pytest.mark.parametrize(
    ("gateway", "says"),
    [
        ("https://api.openai.com/v1", "is OpenAI itself"),
        ("localhost:4000", "'localhost:4000' is no gateway address"),
        ("", "'' is no gateway address"),
        (4000, "'4000' is no gateway address"),
        (b"http://gw", "b'http://gw'"),
        (["http://gw", None], "'None' is no gateway address"),
        (["http://gw", "https://api.openai.com"], "is OpenAI itself"),
        ([], "empty. Pass one, such as tracesplice.instrument(gateway="),
        ("https://api.openai.com/v1", "Use your gateway's address, such as gateway="),
    ],
)
def test_instrument_with_a_wrong_address_declares_nothing(
    found: FakeAdapters, gateway: Any, says: str
) -> None:
    found.add("a", TELLS)
    assert says in message_of(gateway, tracesplice.instrument)
    assert found.module("a").told == []
    assert _splice._declared == {}


def test_instrument_again_adds_a_gateway_once_each(
    found: FakeAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    found.add("a", TELLS)
    told = found.module("a").told
    monkeypatch.setenv(BASE_VARIABLE, "http://env")
    tracesplice.instrument()
    tracesplice.instrument(url for url in ["http://one/v1", "http://two"])
    tracesplice.instrument(gateway="http://one")
    declared = [Gateway.declare(f"http://{name}") for name in ("env", "one", "two")]
    assert told == declared
    tracesplice.uninstrument()
    tracesplice.instrument(gateway="http://one")
    assert told == declared[1:2]


def test_instrument_without_a_working_adapter_says_what_to_install(found: FakeAdapters) -> None:
    found.add("broken", "raise ValueError('why')")
    message = message_of("http://localhost:4000", tracesplice.instrument)
    assert "pip install 'tracesplice[openai]'" in message
    assert "broken cannot be loaded: ValueError: why" in message


@pytest.mark.parametrize("function", [tracesplice.splice, tracesplice.unsplice])
@pytest.mark.parametrize(
    ("module", "name", "given"),
    [
        ("openai", "Timeout", {"timeout": 1}),
        ("langchain_core.messages", "HumanMessage", {"content": ""}),
        ("llama_index.core.base.llms.types", "ChatMessage", {"content": ""}),
    ],
)
def test_what_calls_nothing_is_no_object_of_an_adapter_that_is_there(
    module: str, name: str, given: dict[str, Any], function: Any
) -> None:
    target = getattr(pytest.importorskip(module), name)(**given)
    assert NO_ADAPTER in message_of(target, function)


def test_a_provider_s_client_cannot_be_spliced() -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url="https://api.openai.com/v1", api_key="x") as client:
        assert 'base_url="http://localhost:4000"' in message_of(client)
