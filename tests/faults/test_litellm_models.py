"""Spliced objects that call by LiteLLM: their calls alone are linked, by whatever client."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import pytest

pytest.importorskip("langchain_litellm", reason="not in this set of packages")

pytest.importorskip("llama_index.llms.litellm", reason="not in this set of packages")

import litellm
from langchain_core.runnables import RunnableLambda
from langchain_litellm import ChatLiteLLM, LiteLLMEmbeddings
from llama_index.llms.litellm import LiteLLM

import tracesplice
from conformance.forms import link_in
from shapes.litellm_clients import WARNINGS, cleared_away
from tracesplice_openai import sdk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer

pytestmark = WARNINGS
MESSAGES = [{"role": "user", "content": "hi"}]
CHAT = "litellm_proxy/chat"


@pytest.fixture(scope="module", autouse=True)
def _clear_away() -> Iterator[None]:
    with cleared_away():
        yield


def deployment(url: str, model: str = CHAT, name: str = "group") -> dict[str, Any]:
    params = {"model": model, "api_base": url, "api_key": "k", "max_retries": 0}
    return {"model_name": name, "litellm_params": params}


def router(url: str, *others: dict[str, Any]) -> litellm.Router:
    return litellm.Router(model_list=[deployment(url), *others], num_retries=0)


def chat_model(url: str | None) -> ChatLiteLLM:
    return ChatLiteLLM(model=CHAT, api_base=url, api_key="k", max_retries=0)


def index_model(url: str | None) -> LiteLLM:
    return LiteLLM(model=CHAT, api_base=url, api_key="k", max_retries=1)


MAKERS: dict[str, Callable[[str], Any]] = {
    "Router": router,
    "ChatLiteLLM": chat_model,
    "LiteLLM": index_model,
}
ASKS: dict[str, Callable[[Any], Any]] = {
    "Router": lambda made: made.completion("group", MESSAGES),
    "ChatLiteLLM": lambda made: made.invoke("hi"),
    "LiteLLM": lambda made: made.complete("hi"),
}


def linked(wire: ModelServer, ask: Callable[[], Any]) -> bool:
    """Whether a call is linked."""
    wire.clear()
    ask()
    [request] = wire.calls
    assert ("traceparent" in request.headers) == bool(link_in(request))
    return bool(link_in(request))


@pytest.fixture(params=MAKERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_its_own_calls_alone_are_linked(wire: ModelServer, langfuse: Langfuse, kind: str) -> None:
    made, other = MAKERS[kind](wire.url), MAKERS[kind](wire.url)
    assert tracesplice.splice(tracesplice.splice(made)) is made
    with langfuse.start_as_current_observation(name="s"):
        assert linked(wire, lambda: ASKS[kind](made))
        # LiteLLM keeps its client, and all of them are sent by the same one.
        assert not linked(wire, lambda: ASKS[kind](other))
        given = {"api_base": wire.url, "api_key": "k"}
        assert not linked(wire, lambda: litellm.completion(CHAT, MESSAGES, **given))
        tracesplice.unsplice(made)
        assert not linked(wire, lambda: ASKS[kind](made))
        tracesplice.unsplice(made)


def test_putting_the_last_one_back_takes_all_wrappers_off(
    wire: ModelServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    # Other tests' clients may be spliced still.
    monkeypatch.setattr(sdk, "marks", WeakSet())
    monkeypatch.setattr(sdk, "_unwrap", lambda: found.append("unwrapped"))
    made, other = (tracesplice.splice(MAKERS[kind](wire.url)) for _ in range(2))
    tracesplice.unsplice(made)
    assert found == []
    tracesplice.unsplice(other)
    assert found


def test_its_responses_are_linked(wire: ModelServer, langfuse: Langfuse) -> None:
    model = ChatLiteLLM(model="litellm_proxy/responses/openai-chat", api_base=wire.url, api_key="k")
    tracesplice.splice(model)
    with langfuse.start_as_current_observation(name="s"):
        assert linked(wire, lambda: model.invoke("hi"))
        assert linked(wire, lambda: asyncio.run(model.ainvoke("hi")))


def pickled(made: Any) -> Any:
    return pickle.loads(pickle.dumps(made))


# A ChatLiteLLM holds the module `litellm`, which can be neither pickled nor deep-copied.
COPIES = [
    ("ChatLiteLLM", copy.copy),
    ("LiteLLM", copy.copy),
    ("LiteLLM", copy.deepcopy),
    ("LiteLLM", pickled),
]


@pytest.mark.parametrize(("kind", "copied"), COPIES)
def test_copies_are_spliced(
    wire: ModelServer, langfuse: Langfuse, kind: str, copied: Callable[[Any], Any]
) -> None:
    copy_of = copied(tracesplice.splice(MAKERS[kind](wire.url)))
    with langfuse.start_as_current_observation(name="s"):
        assert linked(wire, lambda: ASKS[kind](copy_of))


def test_a_model_is_found_in_a_chain(wire: ModelServer, langfuse: Langfuse) -> None:
    chain = tracesplice.splice(RunnableLambda(str) | chat_model(wire.url))
    with langfuse.start_as_current_observation(name="s"):
        assert linked(wire, lambda: chain.invoke("hi"))


@pytest.mark.parametrize("kind", ["ChatLiteLLM", "LiteLLM"])
def test_the_gateway_of_the_environment_is_its_own(
    wire: ModelServer, langfuse: Langfuse, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(tracesplice.TracespliceError, match="http://localhost:4000"):
        tracesplice.splice(MAKERS[kind](None))  # type: ignore[arg-type]
    monkeypatch.setenv("LITELLM_PROXY_API_BASE", wire.url)
    monkeypatch.setenv("LITELLM_PROXY_API_KEY", "k")
    made = tracesplice.splice(MAKERS[kind](None))  # type: ignore[arg-type]
    with langfuse.start_as_current_observation(name="s"):
        assert linked(wire, lambda: ASKS[kind](made))


@pytest.mark.parametrize("kind", [*MAKERS, "LiteLLMEmbeddings"])
def test_a_providers_address_is_refused(kind: str) -> None:
    url = "https://api.openai.com/v1"
    embeddings = LiteLLMEmbeddings(model="m", api_base=url)
    made = MAKERS[kind](url) if kind in MAKERS else embeddings
    with pytest.raises(tracesplice.TracespliceError, match="is OpenAI itself"):
        tracesplice.splice(made)


def test_a_router_of_several_addresses_has_none(wire: ModelServer, elsewhere: ModelServer) -> None:
    made = router(wire.url, deployment(elsewhere.url))
    with pytest.raises(tracesplice.TracespliceError, match="Which deployments"):
        tracesplice.splice(made)
    deployments = [deployment(each.url, "openai/chat") for each in (wire, elsewhere)]
    with pytest.raises(tracesplice.TracespliceError, match="Which deployments"):
        tracesplice.splice(litellm.Router(model_list=deployments))


def test_a_routers_other_deployments_are_left_alone(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    other = deployment(elsewhere.url, "openai/chat", "other")
    made = tracesplice.splice(router(wire.url, other))
    with langfuse.start_as_current_observation(name="s"):
        assert linked(wire, lambda: made.completion("group", MESSAGES))
        assert not linked(elsewhere, lambda: made.completion("other", MESSAGES))
    alone = tracesplice.splice(litellm.Router(model_list=[deployment(wire.url, "openai/chat")]))
    with langfuse.start_as_current_observation(name="s"):
        assert linked(wire, lambda: alone.completion("group", MESSAGES))


def test_a_module_is_no_client() -> None:
    with pytest.raises(tracesplice.TracespliceError, match=r"litellm is a module.*instrument"):
        tracesplice.splice(litellm)
