"""Langfuse prompts as LlamaIndex templates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    assert isinstance(template, PromptTemplate)
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


# Names that are not LlamaIndex's own arguments, among them some that are no Python names.
NAMES = st.sampled_from(["what", "user-name", "a b", "x.y", "1", "größe", "kwargs", "template"])
TEXT = st.text(alphabet="{}% \\a\n\"'$-<>#|", max_size=12)
VARIABLE = st.builds("{{{{{}{}{}}}}}".format, st.sampled_from(["", " "]), NAMES, st.just(" "))
TEMPLATE = st.lists(TEXT | VARIABLE, max_size=6).map("".join) | st.sampled_from(
    [
        "can be empty {} {{what}}",
        '{"a": {"b": [{"c": "{{what}}"}]}}',
        r"\frac{1}{2} {{user-name}}",
        "x = {1, 2}; function() { return 1; } {what}",
        "{% for each in all %}{{ each }}{% endfor %} {{what}} {{ missing }} {{what",
    ]
)
VALUE = st.one_of(TEXT, st.none(), st.integers(), st.just("{{what}} {user-name}"))
VALUES = st.dictionaries(NAMES, VALUE)
ROLES = st.sampled_from(["system", "user", "assistant", "developer"])


@given(TEMPLATE, VALUES, VALUES)
def test_a_text_template_is_formatted_as_langfuse_compiles_it(
    template: str, early: dict[str, Any], late: dict[str, Any]
) -> None:
    prompt = text(template)
    made = prompt_template(prompt).partial_format(**early)
    wanted = prompt.compile(**{**early, **late})
    assert made.format(**late) == wanted
    assert [each.content or "" for each in made.format_messages(**late)] == [wanted]


@given(
    st.lists(st.tuples(ROLES, TEMPLATE), max_size=3),
    VALUES,
    st.lists(st.fixed_dictionaries({"role": ROLES, "content": TEMPLATE}), max_size=2),
)
def test_a_chat_template_is_formatted_as_langfuse_compiles_it(
    messages: list[tuple[str, str]], values: dict[str, Any], history: list[dict[str, Any]]
) -> None:
    parts = [{"role": role, "content": content} for role, content in messages]
    prompt = chat(*parts, {"type": "placeholder", "name": "history"}, *parts)
    made = prompt_template(prompt).format_messages(history=history, **values)
    wanted: Any = prompt.compile(history=history, **values)
    assert [(each.role.value, each.content or "") for each in made] == [
        (each["role"], each["content"]) for each in wanted
    ]
