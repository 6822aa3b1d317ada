"""What LlamaIndex objects are after ``splice`` and ``unsplice``, and what cannot be spliced."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

import openai
import pytest
from pydantic import BaseModel, PrivateAttr

import tracesplice
from tracesplice import TracespliceError, _ignored_spans
from tracesplice_openai import is_spliced

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core import MockEmbedding, Settings
from llama_index.core.llms import MockLLM
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike

from tracesplice_llama_index import _install
from tracesplice_llama_index._clients import clients
from tracesplice_llama_index._splice import is_spliced as is_marked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GATEWAY = "http://gw:4000/v1"


class OwnModel(OpenAI):
    pass


def like(**options: Any) -> Any:
    return OpenAILike(**{"model": "m", "api_base": GATEWAY, "api_key": "k", **options})


def of(kind: Any) -> Callable[..., Any]:
    def make(**options: Any) -> Any:
        given = {"model": "gpt-4o-mini", "api_base": GATEWAY, "api_key": "k", **options}
        return kind(**given)

    return make


def embedding(**options: Any) -> Any:
    return OpenAILikeEmbedding(
        **{"model_name": "m", "api_base": GATEWAY, "api_key": "k", **options}
    )


def openai_embedding(**options: Any) -> Any:
    given = {"model": "text-embedding-3-small", "api_base": GATEWAY, "api_key": "k", **options}
    return OpenAIEmbedding(**given)


MAKERS = [like, of(OpenAI), of(OwnModel), of(OpenAIResponses), embedding, openai_embedding]


@pytest.fixture
def _settings() -> Iterator[None]:
    before = Settings._llm, Settings._embed_model
    Settings._llm = Settings._embed_model = None
    yield
    Settings._llm, Settings._embed_model = before


def made_clients(model: Any) -> list[Any]:
    """The clients of a model once it needs them."""
    if hasattr(model, "_get_client"):
        return [model._get_client(), model._get_aclient()]
    return list(clients(model))


@pytest.mark.parametrize("make", MAKERS)
def test_a_model_stays_the_object_it_was(make: Any) -> None:
    model, twin = make(), make()
    before = model.to_dict(), repr(model)
    assert tracesplice.splice(model) is model
    assert type(model) is type(twin)
    assert (model.to_dict(), repr(model)) == before
    assert all(is_spliced(client) for client in made_clients(model))
    assert not any(is_spliced(client) for client in made_clients(twin))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "derive",
    [
        copy.copy,
        lambda model: model.model_copy(update={"timeout": 1.0}),
        lambda model: pickle.loads(pickle.dumps(model)),
    ],
)
def test_a_copy_of_a_spliced_model_is_spliced(make: Any, derive: Any) -> None:
    copied = derive(tracesplice.splice(make()))
    assert is_marked(copied)
    assert all(is_spliced(client) for client in made_clients(copied))


@pytest.mark.parametrize("make", [like, of(OpenAI), embedding])
def test_a_spliced_model_can_be_deep_copied(make: Any) -> None:
    copied = copy.deepcopy(tracesplice.splice(make()))
    assert all(is_spliced(client) for client in made_clients(copied))


@pytest.mark.parametrize("make", MAKERS)
def test_unsplice_gives_back_what_was(make: Any) -> None:
    model = make()
    before = dict(vars(model))
    made_clients(tracesplice.splice(model))
    assert tracesplice.unsplice(model) is model
    assert vars(model) == before
    assert not any(is_spliced(client) for client in made_clients(model))


def test_a_second_time_changes_nothing() -> None:
    model = tracesplice.splice(like())
    names = ("stream_chat", "predict", "_get_client", "__init_subclass__")
    methods = [getattr_static(OpenAILike, name) for name in names]
    _install.install()
    tracesplice.splice(tracesplice.splice(model))
    assert [getattr_static(OpenAILike, name) for name in names] == methods


def test_a_client_for_each_call_is_spliced() -> None:
    model = tracesplice.splice(like(reuse_client=False))
    first, second = model._get_client(), model._get_client()
    assert first is not second
    assert is_spliced(first)
    assert is_spliced(second)


def test_the_users_own_client_names_the_gateway() -> None:
    own = openai.OpenAI(base_url=GATEWAY, api_key="k")
    model = tracesplice.splice(like(api_base="https://api.openai.com/v1", openai_client=own))
    assert is_spliced(own)
    # The other client goes to OpenAI itself.
    assert not is_spliced(model._get_aclient())


def test_a_client_of_another_address_is_left_alone() -> None:
    model = tracesplice.splice(like())
    model.api_base = "http://elsewhere:4000/v1"
    assert not is_spliced(model._get_client())


def test_a_structured_model_is_spliced_through_its_model() -> None:
    class Weather(BaseModel):
        city: str

    model = like(is_function_calling_model=True)
    structured = model.as_structured_llm(Weather)
    assert tracesplice.splice(structured) is structured
    assert is_marked(model)
    assert tracesplice.unsplice(structured) is structured
    assert not is_marked(model)


@pytest.mark.usefixtures("_settings")
def test_settings_are_spliced_as_far_as_they_call_a_gateway() -> None:
    Settings.llm, Settings.embed_model = like(), MockEmbedding(embed_dim=2)
    assert tracesplice.splice(Settings) is Settings
    assert is_marked(Settings.llm)
    Settings.embed_model = embedding()
    tracesplice.splice(Settings)
    assert is_marked(Settings.embed_model)
    tracesplice.unsplice(Settings)
    assert not is_marked(Settings.llm)
    assert not is_marked(Settings.embed_model)


@pytest.mark.usefixtures("_settings")
@pytest.mark.parametrize("llm", [None, MockLLM()])
def test_settings_without_a_model_say_what_to_type(llm: Any) -> None:
    Settings._llm = llm
    with pytest.raises(TracespliceError, match=r"Settings\.llm = tracesplice\.splice"):
        tracesplice.splice(Settings)


@pytest.mark.usefixtures("_settings")
def test_settings_with_a_providers_model_are_refused() -> None:
    Settings.llm = like(api_base="https://api.openai.com/v1")
    with pytest.raises(TracespliceError, match="is OpenAI itself"):
        tracesplice.splice(Settings)


@pytest.mark.usefixtures("_settings")
def test_settings_keep_what_calls_a_provider_itself() -> None:
    Settings.llm, Settings.embed_model = like(), embedding(api_base="https://api.openai.com/v1")
    tracesplice.splice(Settings)
    assert is_marked(Settings.llm)
    assert not is_marked(Settings.embed_model)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("url", [None, "https://api.openai.com/v1"])
def test_a_model_of_a_provider_is_refused(make: Any, url: str | None) -> None:
    model = make(api_base=url)
    with pytest.raises(TracespliceError, match=r'is OpenAI itself.*api_base="http') as refused:
        tracesplice.splice(model)
    assert "base_url" not in str(refused.value)
    assert not is_marked(model)


@pytest.mark.parametrize("other", [MockLLM(), MockEmbedding(embed_dim=2)])
def test_other_models_say_what_can_be_spliced(other: Any) -> None:
    with pytest.raises(TracespliceError, match="OpenAILike") as refused:
        tracesplice.splice(other)
    assert "tracesplice.instrument(gateway=" in str(refused.value)


class Holding(MockLLM):
    """A user's model that holds clients of its own."""

    other: Any = None
    _client: Any = PrivateAttr(default=None)


class Making(MockLLM):
    """A user's model that makes a client for each call, as LlamaIndex's LiteLLM does."""

    additional_kwargs: Any = None


def of_user(kind: Any) -> Any:
    return kind()


def test_a_users_own_model_is_spliced_through_the_clients_it_holds() -> None:
    model: Any = of_user(Holding)
    model.other = openai.AsyncOpenAI(base_url=GATEWAY, api_key="k")
    model._client = openai.OpenAI(base_url=GATEWAY, api_key="k")
    assert tracesplice.splice(model) is model
    for each in (model, model.model_copy()):
        assert is_marked(each)
        assert is_spliced(each._client)
        assert is_spliced(each.other)
    tracesplice.unsplice(model)
    assert not is_marked(model)
    assert not is_spliced(model._client)


def test_a_model_that_makes_a_client_for_each_call_says_what_to_type() -> None:
    model = of_user(Making)
    model.additional_kwargs = {"api_base": "http://gw:4000"}
    with pytest.raises(TracespliceError, match=r'instrument\(gateway="http://gw:4000"\)'):
        tracesplice.splice(model)
    assert not is_marked(model)


def test_responses_without_a_client_say_what_to_type() -> None:
    model = of(OpenAIResponses)()
    model._client = model._aclient = None
    with pytest.raises(TracespliceError, match=r'instrument\(gateway="http://gw.*openai_client='):
        tracesplice.splice(model)
    assert not is_marked(model)


def test_without_llama_indexs_private_method_the_field_names_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(OpenAI, "_get_credential_kwargs")
    assert is_marked(tracesplice.splice(like()))
    with pytest.raises(TracespliceError, match="is OpenAI itself"):
        tracesplice.splice(like(api_base="https://api.openai.com/v1"))


def test_nothing_is_imported_where_llama_index_is_not() -> None:
    script = (
        "import sys, openai, tracesplice;"
        f"tracesplice.splice(openai.OpenAI(base_url={GATEWAY!r}, api_key='k'));"
        f"tracesplice.instrument(gateway={GATEWAY!r});"
        "sys.exit('llama_index.core' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("first", ["llama_index.core", "openai"])
def test_llama_index_is_repaired_whenever_it_is_imported(first: str) -> None:
    script = (
        f"import {first}, openai, tracesplice;"
        f"tracesplice.splice(openai.OpenAI(base_url={GATEWAY!r}, api_key='k'));"
        "from llama_index.llms.openai import OpenAI;"
        "from tracesplice._wrap import Wrapped;"
        "assert isinstance(vars(OpenAI)['stream_chat'], Wrapped)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_method_that_may_call_a_model_itself_is_no_helper() -> None:
    class AsksItself(MockLLM):
        def structured_predict(self, *args: Any, **kwargs: Any) -> Any: ...

    _install.install()
    scope = "openinference.instrumentation.llama_index"
    helpers = {name for known, name in _ignored_spans._known if known == scope}
    assert {"AsksItself.predict", "OpenAI.structured_predict", "StructuredLLM.chat"} <= helpers
    assert not {"AsksItself.structured_predict", "AsksItself.chat", "OpenAI.chat"} & helpers
