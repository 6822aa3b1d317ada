"""LangChain, LlamaIndex and the plain SDK, in one process and one span, at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="not on openai 3 yet")

from shapes.at_once import owners
from shapes.llama_index_application import WARNINGS

if TYPE_CHECKING:
    from shapes.wire import WireStage

pytestmark = WARNINGS


def test_every_call_is_under_its_own_observation(stage: WireStage) -> None:
    found = {"span", "ChatOpenAI", "OpenAILike.acomplete", "OpenAILike.astream_complete"}
    assert owners(stage) == found
