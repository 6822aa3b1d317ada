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
from llama_index.core.types import BaseOutputParser

from tracesplice_llama_index import prompt_template

FIELDS: dict[str, Any] = {"name": "p", "version": 2, "config": {}, "labels": [], "tags": []}
LINK = {"name": "p", "version": 2}


def text(template: str, **options: Any) -> TextPromptClient:
    return TextPromptClient(Prompt_Text(prompt=template, **FIELDS), **options)


def chat(*messages: dict[str, str]) -> ChatPromptClient:
    return ChatPromptClient(Prompt_Chat.model_validate({"prompt": list(messages), **FIELDS}))


def said(messages: list[ChatMessage]) -> list[tuple[str, str]]:
    return [(each.role.value, each.content or "") for each in messages]


def test_a_text_prompt() -> None:
    template = prompt_template(text('{"say": "{{what}}", "to": "{{ whom }}"}'))
    assert isinstance(template, PromptTemplate)
    assert set(template.template_vars) == {"what", "whom"}
    assert template.metadata["langfuse_prompt"] == LINK
    assert template.format(what="hi", whom="Ada") == '{"say": "hi", "to": "Ada"}'


def test_a_chat_prompt_whose_placeholder_is_filled_late_early_or_not_at_all() -> None:
    template = prompt_template(
        chat({"type": "placeholder", "name": "history"}, {"role": "user", "content": "{{q}}"})
    )
    assert isinstance(template, ChatPromptTemplate)
    assert template.template_vars == ["history", "q"]
    history = [ChatMessage(role="assistant", content="Hi")]
    both = [("assistant", "Hi"), ("user", "Why?")]
    assert said(template.format_messages(q="Why?", history=history)) == both
    assert said(template.format_messages(q="Why?")) == both[1:]
    partial = template.partial_format(history=history)
    assert said(partial.format_messages(q="Why?")) == both
    assert "Hi" in partial.format(q="Why?")
    for each in (template, partial):
        assert each.metadata["langfuse_prompt"] == LINK


def test_a_fallback_keeps_its_text_and_links_nothing() -> None:
    template = prompt_template(text("Hello", is_fallback=True))
    assert template.format() == "Hello"
    assert "langfuse_prompt" not in template.metadata


@pytest.mark.parametrize("wrong", ["greeting", None, {"name": "p", "version": 1}])
def test_anything_else_says_what_to_pass(wrong: Any) -> None:
    with pytest.raises(TracespliceError, match="Not a Langfuse prompt"):
        prompt_template(wrong)


class Parser(BaseOutputParser):
    """Writes into the template what it can read."""

    def parse(self, output: str) -> str:
        return output

    def format(self, query: str) -> str:
        return f"{query} In one word."


@pytest.mark.parametrize(
    ("ours", "plain"),
    [
        (text("Say {{what}}."), PromptTemplate("Say {what}.")),
        (
            chat({"role": "user", "content": "Say {{what}}."}),
            ChatPromptTemplate([ChatMessage(content="Say {what}.")]),
        ),
    ],
)
def test_an_output_parser_has_its_say(ours: Any, plain: Any) -> None:
    made: Any = prompt_template(ours)
    made.output_parser = plain.output_parser = Parser()
    assert "In one word." in made.format(what="hi")
    assert made.format(what="hi") == plain.format(what="hi")
    assert said(made.format_messages(what="hi")) == said(plain.format_messages(what="hi"))


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
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "developer"]), "content": TEMPLATE}
)


@given(TEMPLATE, VALUES, VALUES)
def test_a_text_template_is_formatted_as_langfuse_compiles_it(
    template: str, early: dict[str, Any], late: dict[str, Any]
) -> None:
    prompt = text(template)
    made = prompt_template(prompt).partial_format(**early)
    wanted = prompt.compile(**{**early, **late})
    assert made.format(**late) == wanted
    assert said(made.format_messages(**late)) == [("user", wanted)]


@given(st.lists(MESSAGE, max_size=3), VALUES, st.lists(MESSAGE, max_size=2))
def test_a_chat_template_is_formatted_as_langfuse_compiles_it(
    parts: list[dict[str, Any]], values: dict[str, Any], history: list[dict[str, Any]]
) -> None:
    prompt = chat(*parts, {"type": "placeholder", "name": "history"}, *parts)
    made = prompt_template(prompt).format_messages(history=history, **values)
    wanted: Any = prompt.compile(history=history, **values)
    assert said(made) == [(each["role"], each["content"]) for each in wanted]
