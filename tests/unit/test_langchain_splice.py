"""What LangChain objects are after ``splice`` and ``unsplice``, and what cannot be spliced."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from inspect import getattr_static
from typing import Any

import openai
import pytest
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.embeddings import FakeEmbeddings
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.load import dumpd, dumps, load
from langchain_core.output_parsers import StrOutputParser
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from pydantic import PrivateAttr, SecretStr

import tracesplice
from rig.patience import PATIENCE
from tracesplice import TracespliceError
from tracesplice_openai import carries_links, clients_of, is_spliced

GATEWAY = "http://gw:4000"
KEY = SecretStr("k")


def has_spliced_client(model: object) -> bool:
    return carries_links(model, unseen=False)


class OwnModel(ChatOpenAI):
    pass


def chat(base_url: str | None = GATEWAY, kind: Any = ChatOpenAI, **options: Any) -> Any:
    return kind(base_url=base_url, api_key=KEY, model="m", **options)


def azure() -> AzureChatOpenAI:
    return AzureChatOpenAI(
        azure_endpoint=GATEWAY, api_key=KEY, azure_deployment="m", api_version="1"
    )


@pytest.mark.parametrize("make", [chat, azure, lambda: chat(kind=OwnModel)])
def test_a_model_stays_the_object_it_was(make: Any) -> None:
    model, twin = make(), make()
    before = {name: id(value) for name, value in vars(model).items()}
    dumped = dumps(twin)
    assert tracesplice.splice(model) is model
    assert type(model) is type(twin)
    assert {name: id(value) for name, value in vars(model).items()} == before
    assert dumps(model) == dumped
    assert all(is_spliced(client) for client in clients_of(model))
    assert not has_spliced_client(twin)


@pytest.mark.parametrize(
    "derive",
    [
        copy.copy,
        lambda model: model.model_copy(update={"temperature": 0}),
        lambda model: model.bind_tools([]).bound,
        lambda model: model.with_config(tags=["x"]).bound,
    ],
)
def test_what_a_spliced_model_makes_of_itself_is_spliced(derive: Any) -> None:
    assert has_spliced_client(derive(tracesplice.splice(chat())))


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_spliced_model_is_serialised_and_loaded() -> None:
    spliced = tracesplice.splice(chat())
    assert json.loads(dumps(spliced))["id"][-1] == "ChatOpenAI"
    loaded = load(dumpd(spliced), secrets_map={"OPENAI_API_KEY": "k"}, allowed_objects=[ChatOpenAI])
    assert loaded.openai_api_base == GATEWAY


def test_a_second_time_changes_nothing() -> None:
    model = tracesplice.splice(chat())
    names = ("_generate_with_cache", "agenerate", "stream")
    methods = [getattr_static(BaseChatModel, name) for name in names]
    before = [dict(vars(client)) for client in clients_of(model)]
    tracesplice.splice(model)
    assert [getattr_static(BaseChatModel, name) for name in names] == methods
    assert [dict(vars(client)) for client in clients_of(model)] == before


@pytest.mark.parametrize(
    "around",
    [
        lambda model: model,
        lambda model: model.with_retry() | StrOutputParser(),
        lambda model: create_agent(model, []),
    ],
)
def test_unsplice_gives_back_what_splice_reached(around: Any) -> None:
    model = chat()
    before = [dict(vars(client)) for client in clients_of(model)]
    target = around(model)
    assert tracesplice.splice(target) is target
    assert has_spliced_client(model)
    assert tracesplice.unsplice(target) is target
    assert [dict(vars(client)) for client in clients_of(model)] == before
    assert not has_spliced_client(model)


@pytest.mark.parametrize("url", [None, "https://api.openai.com/v1"])
def test_a_model_of_a_provider_is_refused(url: str | None) -> None:
    with pytest.raises(TracespliceError, match="is OpenAI itself, not a LiteLLM gateway"):
        tracesplice.splice(chat(url))
    with pytest.raises(TracespliceError, match="is OpenAI itself, not a LiteLLM gateway"):
        tracesplice.splice(chat(url) | StrOutputParser())


def test_a_fallback_at_a_provider_is_left_out() -> None:
    first, second = chat(), chat("https://api.openai.com/v1")
    tracesplice.splice(first.with_fallbacks([second]))
    assert has_spliced_client(first)
    assert not has_spliced_client(second)


@pytest.mark.parametrize(
    "empty", [StrOutputParser(), init_chat_model(configurable_fields=("model",))]
)
def test_where_no_model_is_in_reach_it_says_what_to_type(empty: Any) -> None:
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(empty)
    assert str(caught.value).startswith(f"No model was found in this {type(empty).__name__}. ")
    assert "tracesplice.splice(ChatOpenAI(base_url=" in str(caught.value)
    assert 'tracesplice.instrument(gateway="http://' in str(caught.value)


@pytest.mark.parametrize(
    "other",
    [
        FakeListChatModel(responses=[]),
        FakeEmbeddings(size=1),
        chat(root_client=None, client=object(), async_client=object(), root_async_client=object()),
    ],
)
def test_a_model_without_a_client_is_refused(other: Any) -> None:
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(other)
    said = str(caught.value)
    assert said.startswith(f"This {type(other).__name__} has no OpenAI client to splice. ")
    assert 'tracesplice.instrument(gateway="http://localhost:4000")' in said
    assert tracesplice.unsplice(other) is other


def test_every_client_a_model_can_call_through_is_spliced() -> None:
    kinds = (openai.OpenAI, openai.AsyncOpenAI, openai.OpenAI, openai.AsyncOpenAI)
    held: list[Any] = [kind(base_url=GATEWAY, api_key="k") for kind in kinds]
    model = chat(
        client=held[0].chat.completions,
        async_client=held[1].chat.completions,
        root_client=held[2],
        root_async_client=held[3],
    )
    assert {id(each) for each in clients_of(model)} == {id(each) for each in held}
    tracesplice.splice(model)
    assert all(is_spliced(each) for each in held)
    tracesplice.unsplice(model)
    assert not any(is_spliced(each) for each in held)


def test_of_a_models_clients_one_at_a_provider_is_left_out() -> None:
    gateway = openai.OpenAI(base_url=GATEWAY, api_key="k")
    provider = openai.OpenAI(base_url="https://api.openai.com/v1", api_key="k")
    tracesplice.splice(chat(client=gateway.chat.completions, root_client=provider))
    assert is_spliced(gateway)
    assert not is_spliced(provider)


class Around(FakeListChatModel):
    """A model of the user's, around another model and a client."""

    inner: Any
    _client: Any = PrivateAttr()


def test_what_a_model_of_the_users_holds_is_spliced() -> None:
    model = Around(responses=[], inner=chat())
    model._client = openai.AsyncOpenAI(base_url=GATEWAY, api_key="k")
    tracesplice.splice(model | StrOutputParser())
    assert is_spliced(model._client)
    assert has_spliced_client(model.inner)


REPAIRED = (
    "from langchain_core.language_models import BaseChatModel, BaseLLM\n"
    "methods = BaseChatModel._agenerate_with_cache, BaseChatModel.astream, BaseLLM.agenerate\n"
    "assert all(type(each).__name__ == 'BoundFunctionWrapper' for each in methods)\n"
)
INSTRUMENT = "import tracesplice; tracesplice.instrument('http://gw:4000')"
SPLICE = "import tracesplice, openai; tracesplice.splice(openai.OpenAI(base_url='http://gw:4000'))"


@pytest.mark.parametrize(
    "steps",
    [
        (INSTRUMENT, "import langchain_openai"),
        (SPLICE, "import langchain_core.runnables"),
        ("import langchain_core.runnables", INSTRUMENT),
        ("import langchain_openai", SPLICE),
    ],
)
def test_models_are_repaired_whatever_is_spliced_and_imported_first(steps: tuple[str, ...]) -> None:
    script = "\n".join([*steps, REPAIRED])
    env = {**os.environ, "OPENAI_API_KEY": "k"}
    subprocess.run([sys.executable, "-c", script], check=True, timeout=PATIENCE, env=env)
