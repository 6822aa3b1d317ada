"""Langfuse prompts as LangChain templates."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.load import dumps, loads
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
    assert isinstance(template, PromptTemplate)
    assert set(template.input_variables) == {"what", "whom"}
    assert template.metadata == {"langfuse_prompt": prompt}


TEXTS = [
    'Answer {"name": "{{name}}"}',
    'nested {"a": {"b": "{{ what }}"}}',
    "can be empty {} {{what}}",
    r"\frac{1}{2} of {{what}}",
    "x = {1, 2}",
    "function() { return 1; } {{what}}",
    "{% if what %}{{what}}{% endif %}",
    "{{user-name}}, {{ user name }}, {{größe}}, {{a.b}}, {{a[0]}}, {{0}}, {{}}, {{x!r}}, {{x:>3}}",
    "{{what}} and {{what}} and {{missing}}",
    "{{{what}}} {{{{what}}}} {{ what",
    "}} {{what}} {{\nwhat\n}}",
]
VALUES = st.one_of(st.none(), st.integers(), st.text(), st.sampled_from(["{x}", "{{what}}", "}}"]))
NAMES = st.sampled_from(["what", "name", "user-name", "user name", "größe", "a.b", "0", "", "x!r"])
PIECES = st.one_of(st.text("{} ab\n\"'%\\", max_size=6), NAMES.map(lambda name: f"{{{{{name}}}}}"))
DRAWN = st.lists(PIECES, max_size=6).map("".join)


@example(values={})
@given(values=st.dictionaries(NAMES, VALUES, max_size=4))
@pytest.mark.parametrize("template", TEXTS)
def test_it_renders_as_langfuse_compiles(template: str, values: dict[str, Any]) -> None:
    check(template, values)


@given(template=DRAWN, values=st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_the_text_is_it_renders_as_langfuse_compiles(
    template: str, values: dict[str, Any]
) -> None:
    check(template, values)


def check(template: str, values: dict[str, Any]) -> None:
    prompt = text(template)
    made = prompt_template(prompt)
    assert made.format(**values) == prompt.compile(**values)
    assert set(made.input_variables) == set(prompt.variables)
    in_chat = chat({"role": "user", "content": template}, {"role": "tool", "content": template})
    messages = prompt_template(in_chat).format_messages(**values)
    compiled: Any = in_chat.compile(**values)
    assert [each.content for each in messages] == [each["content"] for each in compiled]


def test_variables_in_the_names_a_chain_passes() -> None:
    template = prompt_template(text("{{user-name}} {{a.b}}"))
    value = template.invoke({"user-name": "Ada", "a.b": 1})
    assert value.to_string() == "Ada 1"
    with pytest.raises(KeyError, match="missing variables"):
        template.invoke({"user-name": "Ada"})


def test_variables_given_beforehand() -> None:
    prompt = text('{"a": "{{a}}", "b": "{{b}}"}')
    template = prompt_template(prompt).partial(a="x", b=lambda: "y")
    assert template.input_variables == []
    assert template.format() == '{"a": "x", "b": "y"}'
    assert template.metadata == {"langfuse_prompt": prompt}
    assert prompt_template(prompt).format(a=1, b=2) == '{"a": "1", "b": "2"}'


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
def test_it_is_serialised_as_a_plain_template_and_can_be_added_to() -> None:
    template = prompt_template(text('{"a": "{{user-name}}"}'))
    template.metadata = None
    loaded = loads(dumps(template), allowed_objects=[PromptTemplate])
    assert type(loaded) is PromptTemplate
    for each in (loaded, template + "!", copy.deepcopy(template)):
        assert each.format(**{"user-name": "Ada"}).rstrip("!") == '{"a": "Ada"}'


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
