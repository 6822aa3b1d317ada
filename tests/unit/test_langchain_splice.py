"""What LangChain objects are after ``splice`` and ``unsplice``, and what cannot be spliced."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from inspect import getattr_static
from typing import Any

import openai
import pytest
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.embeddings import FakeEmbeddings
from langchain_core.language_models import FakeListChatModel
from langchain_core.load import dumpd, dumps, load
from langchain_core.output_parsers import StrOutputParser
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from pydantic import SecretStr

import tracesplice
from tracesplice import TracespliceError
from tracesplice_langchain._models import clients, is_spliced_model
from tracesplice_openai import is_spliced

GATEWAY = "http://gw:4000"
KEY = SecretStr("k")


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
    assert all(is_spliced(client) for client in clients(model))
    assert not is_spliced_model(twin)


def test_both_clients_of_embeddings_are_spliced() -> None:
    embeddings = tracesplice.splice(OpenAIEmbeddings(base_url=GATEWAY, api_key=KEY))
    assert [type(each) for each in clients(embeddings)] == [openai.OpenAI, openai.AsyncOpenAI]
    assert is_spliced_model(embeddings)


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
    assert is_spliced_model(derive(tracesplice.splice(chat())))


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_spliced_model_is_serialised_and_loaded() -> None:
    spliced = tracesplice.splice(chat())
    assert json.loads(dumps(spliced))["id"][-1] == "ChatOpenAI"
    loaded = load(dumpd(spliced), secrets_map={"OPENAI_API_KEY": "k"}, allowed_objects=[ChatOpenAI])
    assert loaded.openai_api_base == GATEWAY


def test_a_second_time_changes_nothing() -> None:
    model = tracesplice.splice(chat())
    names = ("_generate", "_astream", "agenerate")
    methods = [getattr_static(ChatOpenAI, name) for name in names]
    mark = vars(clients(model)[0])["_tracesplice"]
    tracesplice.splice(model)
    assert [getattr_static(ChatOpenAI, name) for name in names] == methods
    assert vars(clients(model)[0])["_tracesplice"] is mark


def test_unsplice_gives_back_what_was() -> None:
    model = chat()
    before = [dict(vars(client)) for client in clients(model)]
    assert tracesplice.unsplice(tracesplice.splice(model)) is model
    assert [dict(vars(client)) for client in clients(model)] == before
    assert not is_spliced_model(model)


def test_unsplice_reaches_what_splice_reached() -> None:
    model = chat()
    chain = model.with_retry() | StrOutputParser()
    assert tracesplice.splice(chain) is chain
    assert is_spliced_model(model)
    tracesplice.unsplice(chain)
    assert not is_spliced_model(model)


def test_a_spliced_agent_is_the_graph_it_was() -> None:
    model = chat()
    agent = create_agent(model, [])
    assert tracesplice.splice(agent) is agent
    assert is_spliced_model(model)


@pytest.mark.parametrize("url", [None, "https://api.openai.com/v1"])
def test_a_model_of_a_provider_is_refused(url: str | None) -> None:
    with pytest.raises(TracespliceError, match="is OpenAI itself, not a LiteLLM gateway"):
        tracesplice.splice(chat(url))
    with pytest.raises(TracespliceError, match="is OpenAI itself, not a LiteLLM gateway"):
        tracesplice.splice(chat(url) | StrOutputParser())


def test_a_fallback_at_a_provider_is_left_out() -> None:
    first, second = chat(), chat("https://api.openai.com/v1")
    tracesplice.splice(first.with_fallbacks([second]))
    assert is_spliced_model(first)
    assert not is_spliced_model(second)


@pytest.mark.parametrize(
    "empty", [StrOutputParser(), init_chat_model(configurable_fields=("model",))]
)
def test_where_no_model_is_in_reach_it_says_what_to_type(empty: Any) -> None:
    with pytest.raises(TracespliceError) as caught:
        tracesplice.splice(empty)
    assert str(caught.value).startswith(f"No model was found in this {type(empty).__name__}. ")
    assert "tracesplice.splice(ChatOpenAI(base_url=" in str(caught.value)
    assert "tracesplice.instrument()" in str(caught.value)


@pytest.mark.parametrize("other", [FakeListChatModel(responses=[]), FakeEmbeddings(size=1)])
def test_other_models_are_nobodys(other: Any) -> None:
    with pytest.raises(TracespliceError, match="No adapter knows langchain_core"):
        tracesplice.splice(other)
    with pytest.raises(TracespliceError, match="No adapter knows langchain_core"):
        tracesplice.unsplice(other)


def test_a_model_without_a_client_is_refused() -> None:
    model = chat(root_client=None, client=object(), async_client=object())
    with pytest.raises(TracespliceError, match="has no OpenAI client to splice"):
        tracesplice.splice(model)
    assert tracesplice.unsplice(model) is model


def test_a_model_with_a_client_of_the_users_is_spliced() -> None:
    client = openai.OpenAI(base_url=GATEWAY, api_key="k")
    tracesplice.splice(chat(client=client.chat.completions))
    assert is_spliced(client)


def test_an_application_without_langchain_does_not_wait_for_it() -> None:
    script = (
        "import sys, openai, tracesplice\n"
        "client = openai.OpenAI(base_url='http://gw:4000', api_key='k')\n"
        "tracesplice.unsplice(tracesplice.splice(client))\n"
        "tracesplice.instrument('http://gw:4000')\n"
        "assert not [name for name in sys.modules if name.startswith('langchain')]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_instrument_may_come_before_what_imports_langchains_models() -> None:
    script = (
        "import langchain_core, openai, tracesplice\n"
        "tracesplice.instrument('http://gw:4000')\n"
        "tracesplice.splice(openai.OpenAI(base_url='http://gw:4000', api_key='k'))\n"
        "from langchain_openai import ChatOpenAI\n"
        "assert type(ChatOpenAI._astream).__name__ == 'BoundFunctionWrapper'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("first", ["import", "instrument"])
def test_instrument_repairs_models_imported_before_and_after(first: str) -> None:
    steps = {
        "import": "import langchain_openai",
        "instrument": "tracesplice.instrument('http://gw:4000')",
    }
    order = [steps.pop(first), *steps.values()]
    check = (
        "models = langchain_openai.ChatOpenAI, langchain_openai.AzureChatOpenAI\n"
        "assert all(type(m._astream).__name__ == 'BoundFunctionWrapper' for m in models)\n"
        "assert type(langchain_openai.OpenAIEmbeddings.embed_documents) is type(models[0]._stream)"
    )
    script = "\n".join(["import tracesplice", *order, check])
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
