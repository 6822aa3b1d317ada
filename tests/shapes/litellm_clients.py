"""The HTTP clients that LiteLLM keeps, and what it leaves behind of them."""

from __future__ import annotations

import gc
import sys
import warnings
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WARNINGS", "cleared_away", "close_clients"]

# LiteLLM's own: of pydantic, of tasks and clients that it leaves behind in an event loop.
WARNINGS = [
    *(
        pytest.mark.filterwarnings(f"ignore::{kind}")
        for kind in ("UserWarning", "DeprecationWarning", "ResourceWarning", "RuntimeWarning")
    ),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


async def close_clients(*, is_async: bool) -> None:
    """Close the clients that LiteLLM keeps for the next call, and forget them."""
    litellm: Any = sys.modules["litellm"]
    kept = litellm.in_memory_llm_clients_cache
    if is_async:
        await litellm.close_litellm_async_clients()
        kept.flush_cache()
        return
    for each in kept.cache_dict.values():
        if not iscoroutinefunction(each.close):
            each.close()
    if any(iscoroutinefunction(each.close) for each in kept.cache_dict.values()):
        with cleared_away():
            kept.flush_cache()
    kept.flush_cache()


@contextmanager
def cleared_away() -> Iterator[None]:
    """Clear away what LiteLLM left behind in the block, which cannot be closed any more.

    For a synchronous call in an event loop it makes a loop, and clients that outlive it.
    """
    yield
    litellm: Any = sys.modules.get("litellm")  # not every environment has it
    if litellm is not None:
        litellm.in_memory_llm_clients_cache.flush_cache()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
