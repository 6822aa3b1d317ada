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
from tracesplice_openai import clients_of, is_spliced

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core import MockEmbedding, Settings
from llama_index.core.llms import MockLLM
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike

from tracesplice_llama_index import _install
from tracesplice_llama_index._splice import is_spliced as is_marked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GATEWAY = "http://gw:4000/v1"
PROVIDER = "https://api.openai.com/v1"


class OwnModel(OpenAI):
    pass


class Holding(MockLLM):
    """A user's model that holds clients of its own."""

    other: Any = None
    _client: Any = PrivateAttr(default=None)


class Making(MockLLM):
    """A user's model that makes a client for each call, as LlamaIndex's LiteLLM does."""

    additional_kwargs: Any = None


SPLICE = f"tracesplice.splice(openai.OpenAI(base_url={GATEWAY!r}, api_key='k'));"
INSTRUMENT = f"tracesplice.instrument(gateway={GATEWAY!r});"
NOT_IMPORTED = "import sys; assert 'llama_index.core' not in sys.modules"
IS_WRAPPED = (
    "from llama_index.llms.openai import OpenAI;"
    "from tracesplice._wrap import Wrapped;"
    "assert isinstance(vars(OpenAI)['stream_chat'], Wrapped)"
)


def maker(kind: Any, **given: Any) -> Callable[..., Any]:
    given = {"api_base": GATEWAY, "api_key": "k", **given}
    return lambda **options: kind(**{**given, **options})


like = maker(OpenAILike, model="m")
embedding = maker(OpenAILikeEmbedding, model_name="m")
responses = maker(OpenAIResponses, model="gpt-4o-mini")
LATE = [like, *(maker(kind, model="gpt-4o-mini") for kind in (OpenAI, OwnModel)), embedding]
MAKERS = [*LATE, responses, maker(OpenAIEmbedding, model="text-embedding-3-small")]


def of_user(kind: Any, **fields: Any) -> Any:
    model = kind()
    for name, value in fields.items():
        setattr(model, name, value)
    return model


def made_clients(model: Any) -> list[Any]:
    """The clients of a model once it needs them."""
    if hasattr(model, "_get_client"):
        return [model._get_client(), model._get_aclient()]
    return list(clients_of(model))


def all_spliced(model: Any) -> bool:
    found = {is_spliced(client) for client in made_clients(model)}
    assert len(found) == 1
    return found == {True}


def runs(script: str) -> bool:
    return subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.fixture
def _settings() -> Iterator[None]:
    before = Settings._llm, Settings._embed_model
    Settings._llm = Settings._embed_model = None
    yield
    Settings._llm, Settings._embed_model = before


@pytest.mark.parametrize("make", MAKERS)
def test_a_model_stays_the_object_it_was(make: Any) -> None:
    model, twin = make(), make()
    shown, before = (model.to_dict(), repr(model)), dict(vars(model))
    assert tracesplice.splice(model) is model
    assert type(model) is type(twin)
    assert (model.to_dict(), repr(model)) == shown
    assert all_spliced(model)
    assert not all_spliced(twin)
    assert tracesplice.unsplice(model) is model
    assert vars(model) == before
    assert not all_spliced(model)


@pytest.mark.parametrize(
    ("make", "derive"),
    [
        *((make, copy.copy) for make in MAKERS),
        *((make, lambda model: model.model_copy(update={"timeout": 1.0})) for make in MAKERS),
        *((make, lambda model: pickle.loads(pickle.dumps(model))) for make in MAKERS),
        *((make, copy.deepcopy) for make in LATE),
    ],
)
def test_a_copy_of_a_spliced_model_is_spliced(make: Any, derive: Any) -> None:
    copied = derive(tracesplice.splice(make()))
    assert is_marked(copied)
    assert all_spliced(copied)


def test_so_is_one_that_another_process_unpickles() -> None:
    pickled = pickle.dumps(tracesplice.splice(like()))
    script = (
        "import pickle;"
        f"model = pickle.loads({pickled!r});"
        "from tracesplice_openai import clients_of, is_spliced;"
        "assert is_spliced(model._get_client());"
    )
    assert runs(script + IS_WRAPPED)


def test_a_second_time_changes_nothing() -> None:
    model = tracesplice.splice(like())
    names = ("stream_chat", "predict", "_get_client", "__init_subclass__")
    methods = [getattr_static(OpenAILike, name) for name in names]
    inside = getattr_static(OpenAILike, "stream_chat").__wrapped__.__wrapped__
    _install.install()
    tracesplice.splice(tracesplice.splice(model))
    assert [getattr_static(OpenAILike, name) for name in names] == methods
    assert getattr_static(OpenAILike, "stream_chat").__wrapped__.__wrapped__ is inside


def test_a_client_for_each_call_is_spliced() -> None:
    model = tracesplice.splice(like(reuse_client=False))
    first, second = model._get_client(), model._get_client()
    assert first is not second
    assert is_spliced(first)
    assert is_spliced(second)


def test_the_users_own_client_names_the_gateway() -> None:
    own = openai.OpenAI(base_url=GATEWAY, api_key="k")
    model = tracesplice.splice(like(api_base=PROVIDER, openai_client=own))
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


def test_a_users_own_model_is_spliced_through_the_clients_it_holds() -> None:
    access: Any = {"base_url": GATEWAY, "api_key": "k"}
    held = {"other": openai.AsyncOpenAI(**access), "_client": openai.OpenAI(**access)}
    model = of_user(Holding, **held)
    assert tracesplice.splice(model) is model
    for each in (model, model.model_copy()):
        assert is_marked(each)
        assert is_spliced(each._client)
        assert is_spliced(each.other)
    tracesplice.unsplice(model)
    assert not is_marked(model)
    assert not is_spliced(model._client)


@pytest.mark.usefixtures("_settings")
def test_settings_are_spliced_as_far_as_they_call_a_gateway() -> None:
    Settings.llm = like()
    for other in (MockEmbedding(embed_dim=2), embedding(api_base=PROVIDER), embedding()):
        Settings.embed_model = other
        assert tracesplice.splice(Settings) is Settings
        assert is_marked(Settings.llm)
        assert is_marked(other) == (getattr(other, "api_base", None) == GATEWAY)
    tracesplice.unsplice(Settings)
    assert not is_marked(Settings.llm)
    assert not is_marked(Settings.embed_model)


@pytest.mark.usefixtures("_settings")
@pytest.mark.parametrize(
    ("llm", "says"),
    [
        (None, r"Settings\.llm = tracesplice\.splice"),
        (MockLLM(), r"Settings\.llm = tracesplice\.splice"),
        (like(api_base=PROVIDER), "is OpenAI itself"),
    ],
)
def test_settings_without_a_model_to_splice_are_refused(llm: Any, says: str) -> None:
    Settings._llm = llm
    with pytest.raises(TracespliceError, match=says):
        tracesplice.splice(Settings)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("url", [None, PROVIDER])
def test_a_model_of_a_provider_is_refused(make: Any, url: str | None) -> None:
    model = make(api_base=url)
    with pytest.raises(TracespliceError, match=r'is OpenAI itself.*api_base="http') as refused:
        tracesplice.splice(model)
    assert "base_url" not in str(refused.value)
    assert not is_marked(model)


def responses_without_clients() -> Any:
    model = responses()
    model._client = model._aclient = None
    return model


@pytest.mark.parametrize(
    ("make", "address"),
    [
        (MockLLM, "http://localhost:4000"),
        (lambda: MockEmbedding(embed_dim=2), "http://localhost:4000"),
        (lambda: of_user(Making, additional_kwargs={"api_base": GATEWAY}), GATEWAY),
        (responses_without_clients, GATEWAY),
    ],
)
def test_a_model_without_a_client_says_what_to_type(make: Any, address: str) -> None:
    model = make()
    says = rf'instrument\(gateway="{address}"\).*openai_client=.*OpenAILike'
    with pytest.raises(TracespliceError, match=says):
        tracesplice.splice(model)
    assert not is_marked(model)


def test_without_llama_indexs_private_method_the_field_names_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(OpenAI, "_get_credential_kwargs")
    assert is_marked(tracesplice.splice(like()))
    with pytest.raises(TracespliceError, match="is OpenAI itself"):
        tracesplice.splice(like(api_base=PROVIDER))


@pytest.mark.parametrize(
    "script",
    [
        f"import llama_index.core, openai, tracesplice; {SPLICE} {IS_WRAPPED}",
        f"import openai, tracesplice; {SPLICE} {IS_WRAPPED}",
        f"import openai, tracesplice; {SPLICE} {INSTRUMENT} {NOT_IMPORTED}",
    ],
)
def test_llama_index_is_wrapped_when_it_is_imported(script: str) -> None:
    assert runs(script)


def test_a_method_that_may_call_a_model_itself_is_no_helper() -> None:
    class AsksItself(MockLLM):
        def structured_predict(self, *args: Any, **kwargs: Any) -> Any: ...

    _install.install()
    scope = "openinference.instrumentation.llama_index"
    helpers = {name for known, name in _ignored_spans._known if known == scope}
    assert {"AsksItself.predict", "OpenAI.structured_predict", "StructuredLLM.chat"} <= helpers
    assert not {"AsksItself.structured_predict", "AsksItself.chat", "OpenAI.chat"} & helpers
