"""LangChain, LlamaIndex and the plain SDK, in one process and one span, at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.frameworks_at_once import judge
from shapes.llama_index_application import WARNINGS

if TYPE_CHECKING:
    from conformance.harness import Stage

pytestmark = [pytest.mark.usefixtures("_sdk_untraced"), *WARNINGS]


def test_every_generation_is_under_its_own_observation(stage: Stage) -> None:
    assert judge(stage) == {
        "span",
        "ChatOpenAI",
        "OpenAILike.acomplete",
        "OpenAILike.astream_complete",
    }
