"""What the Ray adapter makes of functions, in a process without Ray's servers."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import propagate_attributes
from opentelemetry import trace
from opentelemetry.trace import format_span_id

import tracesplice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langfuse import Langfuse

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'tracesplice[ray]'")

import tracesplice_ray  # noqa: E402
from tracesplice_ray._carrying import carrying, is_carrying, takes_carrier  # noqa: E402
from tracesplice_ray._exports import SIGNATURE, let_actor_carry, let_task_carry  # noqa: E402


def here() -> str | None:
    """The id of the observation that is current; `get_client()` asks which of several clients."""
    context = trace.get_current_span().get_span_context()
    return format_span_id(context.span_id) if context.is_valid else None


def plain(question: str = "", *more: str, **options: str) -> Any:
    return here(), question, more, options


def generator() -> Iterator[Any]:
    yield here()


async def coroutine() -> Any:
    return here()


async def async_generator() -> AsyncIterator[Any]:
    yield here()


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    tracesplice_ray.install()
    yield
    tracesplice_ray.uninstall()


def arguments(function: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
    """Those with which a worker would call what carries."""
    flat = SIGNATURE.flatten_args(SIGNATURE.extract_signature(function), args, kwargs)
    by_position, by_keyword = SIGNATURE.recover_args(flat)
    return by_position, by_keyword


def test_a_function_goes_on_where_it_is_handed_out(langfuse: Langfuse) -> None:
    work = carrying(plain)
    with langfuse.start_as_current_observation(name="s") as span:
        args, kwargs = arguments(work, "q", "m", option="o")
    assert work(*args, **kwargs) == (span.id, "q", ("m",), {"option": "o"})
    assert here() is None


def test_kinds_of_functions_stay_and_run_in_the_place(langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="s") as span:
        args, _ = arguments(carrying(generator))

    async def read() -> list[Any]:
        items = carrying(async_generator)
        assert inspect.isasyncgenfunction(items)
        return [await carrying(coroutine)(*args), *[each async for each in items(*args)]]

    assert inspect.isgeneratorfunction(carrying(generator))
    assert inspect.iscoroutinefunction(carrying(coroutine))
    assert [*carrying(generator)(*args)] == [span.id]
    assert asyncio.run(read()) == [span.id, span.id]


def test_where_nothing_is_current_nothing_is_added() -> None:
    assert arguments(carrying(plain), "q") == (["q"], {})
    assert carrying(plain)("q") == (None, "q", (), {})


def test_what_takes_no_carrier_gets_none(langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="s"):
        assert arguments(plain, "q") == (["q"], {})


def test_wrong_arguments_are_refused_where_they_are_given(langfuse: Langfuse) -> None:
    def one(question: str) -> str:
        return question

    with (
        langfuse.start_as_current_observation(name="s"),
        pytest.raises(TypeError, match="too many"),
    ):
        arguments(carrying(one), "q", "another")


def test_installing_twice_is_installing_once(langfuse: Langfuse) -> None:
    tracesplice_ray.install()
    with langfuse.start_as_current_observation(name="s"):
        assert len(arguments(carrying(plain))[0]) == 1
        tracesplice_ray.uninstall()
        assert arguments(carrying(plain)) == ([], {})


def test_a_task_that_was_used_before_is_exported_anew() -> None:
    task = ray.remote(plain)
    task._function_signature = SIGNATURE.extract_signature(plain)
    task._last_export_cluster_and_job = "another"
    before = task._uuid
    let_task_carry(task)
    let_task_carry(task)
    assert is_carrying(task._function)
    assert takes_carrier(task._function_signature)
    assert (task._last_export_cluster_and_job, task._uuid == before) == (None, False)


def test_an_actors_methods_carry_and_rays_own_do_not() -> None:
    class Actor:
        def __init__(self) -> None:
            self.made = here()

        def method(self) -> Any:
            return self.made

        @staticmethod
        def static() -> Any:
            return here()

        def __repr__(self) -> str:
            return "actor"

    actor = ray.remote(Actor)
    let_actor_carry(actor)
    signatures = actor.__ray_metadata__.method_meta.signatures
    carry = {name for name, parameters in signatures.items() if takes_carrier(parameters)}
    assert carry == {"__init__", "__ray_call__", "method", "static"}
    Actor.__module__ = "ray.serve._private.replica"
    own = ray.remote(type("Own", (Actor,), {"__module__": Actor.__module__}))
    let_actor_carry(own)
    assert not takes_carrier(own.__ray_metadata__.method_meta.signatures["__init__"])


WITHOUT = """
import pickle, sys, warnings
sys.modules["tracesplice_ray"] = None
function, args = pickle.load(sys.stdin.buffer)
with warnings.catch_warnings(record=True) as given:
    warnings.simplefilter("always")
    print(function(*args), given[0].message)
"""


def test_a_worker_without_the_package_runs_the_function_alone(langfuse: Langfuse) -> None:
    from ray import cloudpickle

    def work(question: str) -> str:
        return f"answer to {question}"

    carried = carrying(work)
    with langfuse.start_as_current_observation(name="s"), propagate_attributes(user_id="u"):
        args, _ = arguments(carried, "q")
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        input=cloudpickle.dumps((carried, args)),
        capture_output=True,
        check=True,
    )
    assert run.stdout.decode().startswith("answer to q tracesplice: this Ray worker has no")


def test_splicing_a_task_says_what_to_type() -> None:
    with pytest.raises(tracesplice.TracespliceError, match=r"tracesplice_ray\.install\(\)"):
        tracesplice.splice(ray.remote(plain))


def test_an_object_that_ray_data_calls_in_a_thread_is_in_the_place(langfuse: Langfuse) -> None:
    from ray.data._internal.planner import plan_udf_map_op as planner

    class Batch:
        def __call__(self, question: str) -> Any:
            return here(), question

    names = ("make_callable_class_single_threaded", "make_callable_class_concurrent")
    [make] = [vars(planner)[name] for name in names if name in vars(planner)]
    called = make(Batch)()
    with langfuse.start_as_current_observation(name="s") as span:
        assert called("q") == (span.id, "q")
    tracesplice_ray.uninstall()
    with langfuse.start_as_current_observation(name="s"):
        [plain_make] = [vars(planner)[name] for name in names if name in vars(planner)]
        assert plain_make(Batch)()("q") == (None, "q")
