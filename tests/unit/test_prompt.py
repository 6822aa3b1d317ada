"""Prompts as LiteLLM's metadata takes them."""

from __future__ import annotations

import json
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from langfuse.api import Prompt_Chat, Prompt_Text
from langfuse.model import ChatPromptClient, TextPromptClient

from tracesplice import TracespliceError, prompt_metadata
from tracesplice._prompt import prompt_ref

MESSAGES: list[Any] = [
    {"role": "system", "content": "You are {{who}} ünïcode"},
    {"type": "placeholder", "name": "history"},
    {"role": "user", "content": "{{question}}"},
]
FILED: dict[str, Any] = {
    "config": {"model": "m", "nested": {"temperature": 0.5}},
    "labels": ["production"],
    "tags": ["support"],
    "commit_message": "Be nice",
}
BARE: dict[str, Any] = {"config": {}, "labels": [], "tags": []}


def text(**fields: Any) -> TextPromptClient:
    return TextPromptClient(Prompt_Text(name="greet", version=3, prompt="Hi {{name}}", **fields))


def chat(**fields: Any) -> ChatPromptClient:
    return ChatPromptClient(Prompt_Chat(name="greet", version=3, prompt=MESSAGES, **fields))


PROMPTS = {
    "text": text(**BARE),
    "text, filed": text(**FILED),
    "chat with a placeholder": chat(**BARE),
    "chat, filed": chat(**FILED),
    "API text": Prompt_Text(name="greet", version=3, prompt="Hi {{name}}", **FILED),
    "API chat": Prompt_Chat(name="greet", version=3, prompt=MESSAGES, **FILED),
    "mapping": {"name": "greet", "version": 3},
    "mapping with text": {"name": "greet", "version": 3, "prompt": "Hi {{name}}"},
    "object": SimpleNamespace(name="greet", version=3),
}
every_prompt = pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)


@every_prompt
def test_name_and_version_and_an_empty_text_are_enough(prompt: object) -> None:
    assert prompt_metadata(prompt) == {"name": "greet", "version": 3, "prompt": ""}


@every_prompt
def test_content_is_json_safe(prompt: object) -> None:
    described = prompt_metadata(prompt, content=True)
    assert json.loads(json.dumps(described)) == described


def litellm_builds(described: Any) -> TextPromptClient | ChatPromptClient:
    """As ``_add_prompt_to_generation_params`` of LiteLLM's ``langfuse`` callback does."""
    data = {key: described[key] for key in ("name", "prompt", "version")}
    data["config"] = described.get("config", None)
    data["labels"] = described.get("labels", []) or []
    data["tags"] = described.get("tags", []) or []
    if isinstance(described["prompt"], str):
        return TextPromptClient(prompt=Prompt_Text(**data))
    assert isinstance(described["prompt"], list)
    return ChatPromptClient(prompt=Prompt_Chat(**data))


@every_prompt
@pytest.mark.parametrize("content", [False, True])
def test_litellm_builds_a_linkable_prompt_from_it(prompt: object, content: bool) -> None:
    built = litellm_builds(json.loads(json.dumps(prompt_metadata(prompt, content=content))))
    assert (built.name, built.version) == ("greet", 3)


@pytest.mark.parametrize("prompt", [text(**FILED), chat(**FILED)], ids=["text", "chat"])
def test_litellm_builds_the_very_prompt_from_its_content(
    prompt: TextPromptClient | ChatPromptClient,
) -> None:
    assert litellm_builds(prompt_metadata(prompt, content=True)) == prompt


def test_content_adds_what_the_prompt_is_filed_with() -> None:
    assert prompt_metadata(text(**FILED), content=True) == {
        "name": "greet",
        "version": 3,
        "prompt": "Hi {{name}}",
        **FILED,
    }


def test_content_leaves_out_what_is_empty() -> None:
    described = prompt_metadata(text(**BARE), content=True)
    assert described == {"name": "greet", "version": 3, "prompt": "Hi {{name}}"}


def test_content_keeps_messages_and_placeholders_in_order() -> None:
    assert prompt_metadata(chat(**BARE), content=True).get("prompt") == MESSAGES


@every_prompt
def test_the_prompt_stays_as_it_is_whatever_becomes_of_the_answer(prompt: object) -> None:
    before = deepcopy(prompt)
    described: dict[str, Any] = {**prompt_metadata(prompt, content=True)}
    for value in described.values():
        if isinstance(value, list):
            value.append("more")
        elif isinstance(value, dict):
            value.setdefault("nested", {})["more"] = 1
    assert vars(prompt) == vars(before) if hasattr(prompt, "__dict__") else prompt == before


@pytest.mark.parametrize(
    "fallback",
    [
        TextPromptClient(Prompt_Text(name="x", version=0, prompt="y", **BARE), is_fallback=True),
        {"name": "x", "version": 3, "is_fallback": True},
    ],
)
def test_a_fallback_prompt_is_never_linked(fallback: object) -> None:
    assert prompt_metadata(fallback) == {}
    assert prompt_metadata(fallback, content=True) == {}
    assert prompt_ref(fallback) is None


@pytest.mark.parametrize("version", [0, -1, 65_536, "3", True, None, 1.5, 3.0, [3]])
def test_a_version_that_langfuse_would_not_link_is_refused(version: object) -> None:
    with pytest.raises(
        TracespliceError, match=r"Prompt 'greet' has version .*get_prompt"
    ) as raised:
        prompt_metadata({"name": "greet", "version": version})
    assert repr(version) in str(raised.value)


@pytest.mark.parametrize(
    "wrong", ["greet", "", 3, None, [], {}, {"version": 3}, {"name": "", "version": 3}, object()]
)
def test_what_is_no_prompt_is_refused_with_what_to_pass(wrong: object) -> None:
    with pytest.raises(TracespliceError, match=r"Not a Langfuse prompt: .*langfuse\.get_prompt"):
        prompt_metadata(wrong)
