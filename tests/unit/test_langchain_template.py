"""Langfuse prompts as LangChain templates."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langfuse.api import Prompt_Chat, Prompt_Text
from langfuse.model import ChatPromptClient, TextPromptClient

from tracesplice import TracespliceError
from tracesplice_langchain import prompt_template

FIELDS: dict[str, Any] = {"name": "p", "version": 2, "config": {}, "labels": [], "tags": []}


def text(template: str, **options: Any) -> TextPromptClient:
    return TextPromptClient(Prompt_Text(prompt=template, **FIELDS), **options)


def chat(*messages: dict[str, str]) -> ChatPromptClient:
    return ChatPromptClient(Prompt_Chat.model_validate({"prompt": list(messages), **FIELDS}))


def test_a_text_prompt() -> None:
    prompt = text("Say {{what}} to {{ whom }}.")
    template = prompt_template(prompt)
    assert type(template) is PromptTemplate
    assert set(template.input_variables) == {"what", "whom"}
    assert template.metadata == {"langfuse_prompt": prompt}


def test_a_text_prompt_with_json_in_it() -> None:
    template = prompt_template(text('Answer {"name": "{{name}}"}'))
    assert template.format(name="Ada") == 'Answer {"name": "Ada"}'


def test_a_chat_prompt_with_a_placeholder() -> None:
    prompt = chat(
        {"role": "system", "content": "You are {{who}}."},
        {"type": "placeholder", "name": "history"},
        {"role": "user", "content": "{{question}}"},
        {"role": "assistant", "content": "Well,"},
    )
    template = prompt_template(prompt)
    assert type(template) is ChatPromptTemplate
    assert template.metadata == {"langfuse_prompt": prompt}
    assert isinstance(template.messages[1], MessagesPlaceholder)
    messages = template.format_messages(who="kind", history=[("user", "Hi")], question="Why?")
    assert [type(each) for each in messages] == [
        SystemMessage,
        HumanMessage,
        HumanMessage,
        AIMessage,
    ]
    assert [each.content for each in messages] == ["You are kind.", "Hi", "Why?", "Well,"]


def test_a_prompt_without_variables() -> None:
    assert prompt_template(text("Hello")).format() == "Hello"
    [message] = prompt_template(chat({"role": "user", "content": "Hello"})).format_messages()
    assert message.content == "Hello"


def test_a_fallback_keeps_its_text() -> None:
    prompt = text("Hello", is_fallback=True)
    assert prompt_template(prompt).format() == "Hello"


@pytest.mark.parametrize("wrong", ["greeting", None, {"name": "p", "version": 1}])
def test_anything_else_says_what_to_pass(wrong: Any) -> None:
    with pytest.raises(TracespliceError, match="Not a Langfuse prompt"):
        prompt_template(wrong)
