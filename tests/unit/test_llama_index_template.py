"""Langfuse prompts as LlamaIndex templates."""

from __future__ import annotations

from typing import Any

import pytest
from langfuse.api import Prompt_Chat, Prompt_Text
from langfuse.model import ChatPromptClient, TextPromptClient

from tracesplice import TracespliceError

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate

from tracesplice_llama_index import prompt_template

FIELDS: dict[str, Any] = {"name": "p", "version": 2, "config": {}, "labels": [], "tags": []}
LINK = {"name": "p", "version": 2}


def text(template: str, **options: Any) -> TextPromptClient:
    return TextPromptClient(Prompt_Text(prompt=template, **FIELDS), **options)


def chat(*messages: dict[str, str]) -> ChatPromptClient:
    return ChatPromptClient(Prompt_Chat.model_validate({"prompt": list(messages), **FIELDS}))


def test_a_text_prompt() -> None:
    template = prompt_template(text("Say {{what}} to {{ whom }}."))
    assert type(template) is PromptTemplate
    assert set(template.template_vars) == {"what", "whom"}
    assert template.metadata["langfuse_prompt"] == LINK
    assert template.format(what="hi", whom="Ada") == "Say hi to Ada."


def test_a_text_prompt_with_json_in_it() -> None:
    template = prompt_template(text('Answer {"name": "{{name}}"}'))
    assert template.format(name="Ada") == 'Answer {"name": "Ada"}'


def test_a_chat_prompt_with_a_placeholder() -> None:
    template = prompt_template(
        chat(
            {"role": "system", "content": "You are {{who}}."},
            {"type": "placeholder", "name": "history"},
            {"role": "user", "content": "{{question}}"},
            {"role": "assistant", "content": "Well,"},
        )
    )
    assert isinstance(template, ChatPromptTemplate)
    assert template.metadata["langfuse_prompt"] == LINK
    history = [ChatMessage(role="user", content="Hi"), ChatMessage(role="assistant", content="Ho")]
    messages = template.format_messages(who="kind", history=history, question="Why?")
    assert [(each.role.value, each.content) for each in messages] == [
        ("system", "You are kind."),
        ("user", "Hi"),
        ("assistant", "Ho"),
        ("user", "Why?"),
        ("assistant", "Well,"),
    ]


def test_a_placeholder_is_filled_early_or_stays_empty() -> None:
    prompt = chat({"type": "placeholder", "name": "history"}, {"role": "user", "content": "{{q}}"})
    template = prompt_template(prompt)
    assert [each.content for each in template.format_messages(q="Why?")] == ["Why?"]
    partial = template.partial_format(history=[ChatMessage(content="Hi")])
    assert [each.content for each in partial.format_messages(q="Why?")] == ["Hi", "Why?"]
    assert "Hi" in partial.format(q="Why?")
    assert partial.metadata["langfuse_prompt"] == LINK


def test_a_prompt_without_variables() -> None:
    assert prompt_template(text("Hello")).format() == "Hello"
    [message] = prompt_template(chat({"role": "user", "content": "Hello"})).format_messages()
    assert message.content == "Hello"


def test_a_fallback_keeps_its_text_and_links_nothing() -> None:
    template = prompt_template(text("Hello", is_fallback=True))
    assert template.format() == "Hello"
    assert "langfuse_prompt" not in template.metadata


@pytest.mark.parametrize("wrong", ["greeting", None, {"name": "p", "version": 1}])
def test_anything_else_says_what_to_pass(wrong: Any) -> None:
    with pytest.raises(TracespliceError, match="Not a Langfuse prompt"):
        prompt_template(wrong)
