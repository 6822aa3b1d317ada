"""What every test runs under: faults of ours are raised, warnings are given anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tracesplice import _call_attributes, _here
from tracesplice._calls import calls
from tracesplice_wire import _log

if TYPE_CHECKING:
    from collections.abc import Iterator


# Some tests run elsewhere than in the folder that has the environment for the gateway.
os.environ.setdefault(
    "TRACESPLICE_GATEWAY_VENV", str(Path(__file__).parents[1].joinpath(".venv-gateway"))
)

# LiteLLM asks the network for prices where it is imported otherwise.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# No test depends on timing, and a check of one change does not fail by another one's luck.
settings.register_profile("tests", deadline=None, derandomize="CI" in os.environ)
settings.register_profile("fuzz", deadline=None, max_examples=2_500)
settings.load_profile(os.environ.get("TRACESPLICE_PROFILE", "tests"))


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(_log.STRICT_VARIABLE, "1")
    monkeypatch.setattr(calls, "is_used", True)  # without a mask nothing is noted of calls
    _forget()
    yield
    _forget()


def _forget() -> None:
    # What was warned of, and what was checked and warned of it.
    _log._seen.clear()
    _here._known.clear()
    _call_attributes.in_environment.cache_clear()


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: a fault of ours is logged once."""
    monkeypatch.delenv(_log.STRICT_VARIABLE)
