"""Whatever calls are in whatever spans, each is counted once."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracesplice._calls import calls
from tracesplice._inside import insides
from unit.spans import Node, agent, gap, llm, plain, program, tokens, users

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry import trace

    from unit.spans import Program

AMOUNTS = st.tuples(st.integers(1, 9), st.integers(0, 9))
LEAVES = st.one_of(
    st.builds(llm, AMOUNTS),
    st.builds(llm, AMOUNTS, st.just("kept")),
    st.builds(llm, AMOUNTS, st.none()),
    st.builds(users, st.just("generation"), AMOUNTS, st.just("reported")),
)
FAILED = st.just(llm(None, "failed", **{"output.value": ""}))
AROUND = (agent(None), agent(None), plain(), plain(**{"llm.model_name": "gpt"}), users("span"))


def trees(leaves: st.SearchStrategy[Node], *around: Node) -> st.SearchStrategy[Node]:
    def inside(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        lists = st.lists(nodes, min_size=1, max_size=4)
        return st.builds(lambda node, found: node.around(*found), st.sampled_from(around), lists)

    return st.recursive(leaves, inside, max_leaves=12)


def used(node: Node) -> tuple[int, int]:
    """What the calls in a span used."""
    if not node.inside:
        said = node.said
        return said.get("input", 0), said.get("output", 0)
    both = [used(each) for each in node.inside]
    return sum(first for first, _ in both), sum(second for _, second in both)


def repeated(node: Node) -> Node:
    """The tree, each agent in it saying what all calls in it used."""
    inside = tuple(map(repeated, node.inside))
    made = agent(used(node)) if node.name == "agent" else node
    return replace(made, inside=inside)


def left(node: Node) -> int:
    """What the client has to count: the calls that the gateway does not report.

    What repeats calls of which none is linked stays as well.
    """
    if not node.inside:
        return 0 if node.call in ("reported", "failed") else sum(used(node))
    own = 0
    if not has_link(node):
        own = sum(used(node)) if node.name == "agent" else 4 * ("llm.model_name" in node.attributes)
    return own + sum(map(left, node.inside))


def has_link(node: Node) -> bool:
    return node.call is not None or any(map(has_link, node.inside))


@pytest.fixture(scope="module")
def traced() -> Iterator[Program]:
    with program("pk-repeated-properties") as found:
        yield found


@pytest.mark.usefixtures("nothing_reported")
class TestProperties:
    @given(tree=trees(LEAVES | FAILED, *AROUND), seed=st.integers(0, 2**32))
    def test_each_call_is_counted_once_in_whatever_batches(
        self, traced: Program, tree: Node, seed: int
    ) -> None:
        self.check(traced, tree, seed)

    @given(tree=trees(LEAVES, *AROUND[:3], gap()), seed=st.integers(0, 2**32))
    def test_also_where_spans_are_not_exported(
        self, traced: Program, tree: Node, seed: int
    ) -> None:
        self.check(traced, tree, seed)

    @given(tree=trees(LEAVES | FAILED, *AROUND), seed=st.integers(0, 2**32))
    def test_in_whatever_order_they_end(self, traced: Program, tree: Node, seed: int) -> None:
        calls.clear()
        insides.clear()
        traced.exporter.clear()
        spans: list[trace.Span] = []
        traced.start(repeated(tree), spans)
        random.Random(seed).shuffle(spans)
        for span in spans:
            span.end()
        assert sum(tokens(traced.exported()).values()) == left(tree)

    def check(self, traced: Program, tree: Node, seed: int) -> None:
        chance = random.Random(seed)
        nothing, flush = (lambda: None), traced.langfuse.flush
        traced.after_each = lambda: (flush if chance.random() < 0.4 else nothing)()
        calls.clear()
        insides.clear()
        found = traced.run(users("span").around(repeated(tree)))
        assert sum(tokens(found).values()) == left(tree)
