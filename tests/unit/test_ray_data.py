"""What the Ray adapter makes of what ``ray.data`` calls, in a process without Ray's servers."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import format_span_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

pytest.importorskip("ray", reason="needs Ray: pip install 'tracesplice[ray]'")

import tracesplice_ray


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    tracesplice_ray.install()
    yield
    tracesplice_ray.uninstall()


def here() -> str | None:
    context = trace.get_current_span().get_span_context()
    return format_span_id(context.span_id) if context.is_valid else None


class Batch:
    def __call__(self, question: str) -> Any:
        return here(), question


def make_called(*args: Any, **kwargs: Any) -> Any:
    """An object as ``ray.data`` makes it of a class, and calls it in a thread."""
    from ray.data._internal.planner import plan_udf_map_op as planner

    names = ("make_callable_class_single_threaded", "make_callable_class_concurrent")
    [make] = [vars(planner)[name] for name in names if name in vars(planner)]
    return make(*args, **kwargs)()


def test_an_object_that_ray_data_calls_in_a_thread_is_in_the_place(langfuse: Langfuse) -> None:
    called, by_name = make_called(Batch), make_called(callable_cls=Batch)
    with langfuse.start_as_current_observation(name="s") as span:
        assert called("q") == by_name("q") == (span.id, "q")
    tracesplice_ray.uninstall()
    with langfuse.start_as_current_observation(name="s") as span:
        assert make_called(Batch)("q") == (None, "q")
        tracesplice_ray.install()
        assert make_called(Batch)("q") == (span.id, "q")


def test_a_class_that_cannot_be_derived_from_is_called_all_the_same(
    monkeypatch: pytest.MonkeyPatch, langfuse: Langfuse
) -> None:
    monkeypatch.delenv("TRACESPLICE_STRICT", raising=False)

    class Known(Batch):
        def __init_subclass__(cls) -> None:
            assert cls.__name__ == "_SingleThreadedWrapper"

    with langfuse.start_as_current_observation(name="s"):
        assert make_called(Known)("q") == (None, "q")


IMPORTED_LATER = """
import tracesplice_ray
tracesplice_ray.install()
tracesplice_ray.uninstall()
from tracesplice_ray import _data
from importlib import import_module
planner, executor = import_module(_data.PLANNER), import_module(_data.EXECUTOR)
assert not any(hasattr(vars(planner).get(name), "__wrapped__") for name in _data._IN_A_THREAD)
assert not hasattr(executor.StreamingExecutor.execute, "__wrapped__")
"""


def test_ray_data_is_left_alone_where_it_is_imported_too_late() -> None:
    subprocess.run([sys.executable, "-c", IMPORTED_LATER], check=True)
