"""What the Ray adapter makes of functions, in a process without Ray's servers."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from functools import wraps
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
from tracesplice import _flushing  # noqa: E402
from tracesplice_ray import _work  # noqa: E402
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


def test_a_stream_that_is_closed_early_is_cleaned_up_before_it_is_sent(
    monkeypatch: pytest.MonkeyPatch, langfuse: Langfuse
) -> None:
    happened = []

    async def send() -> None:
        happened.append("sent")

    async def stream() -> AsyncIterator[Any]:
        try:
            yield here()
            yield "not read"
        finally:
            await asyncio.sleep(0)
            happened.append(f"cleaned up in {here()}")

    async def read_one() -> Any:
        items = carrying(stream)(*args)
        first = await anext(items)
        await items.aclose()
        return first

    monkeypatch.setattr(_work, "aflush_observations", send)
    with langfuse.start_as_current_observation(name="s") as span:
        args, _ = arguments(carrying(stream))
    assert asyncio.run(read_one()) == span.id
    assert happened == [f"cleaned up in {span.id}", "sent"]


def test_what_another_tool_wrapped_stays_wrapped() -> None:
    tracesplice_ray.uninstall()
    plain_one = SIGNATURE.flatten_args

    @wraps(plain_one)
    def another_tools(*args: Any) -> Any:
        return plain_one(*args)

    SIGNATURE.flatten_args = another_tools
    try:
        tracesplice_ray.install()
        tracesplice_ray.install()
        tracesplice_ray.uninstall()
        assert SIGNATURE.flatten_args is another_tools
    finally:
        SIGNATURE.flatten_args = plain_one


def test_a_fault_of_ours_costs_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACESPLICE_STRICT", raising=False)
    monkeypatch.setattr(_work, "install", broken)
    monkeypatch.setattr(_flushing, "_ended", None)
    _work._installed.cache_clear()

    async def read() -> list[Any]:
        return [await carrying(coroutine)(), *[each async for each in carrying(async_generator)()]]

    assert carrying(plain)("q") == (None, "q", (), {})
    assert asyncio.run(read()) == [None, None]
    _work._installed.cache_clear()


def broken() -> None:
    raise KeyError("broken on purpose")


WITHOUT = """
import pickle, sys, warnings
exec(sys.argv[1])
function, args = pickle.load(sys.stdin.buffer)
if "error" in sys.argv:
    warnings.simplefilter("error")
    print(function(*args))
    sys.exit()
with warnings.catch_warnings(record=True) as given:
    warnings.simplefilter("always")
    print(function(*args), given[0].message)
"""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("sys.modules['tracesplice_ray'] = None", "import of tracesplice_ray halted"),
        ("sys.modules['tracesplice.adapter'] = None", "import of tracesplice.adapter halted"),
        ("import ray.actor; del ray.actor.signature", "KeyError: 'signature'"),
    ],
)
def test_a_worker_that_lacks_something_runs_the_function_alone(
    langfuse: Langfuse, missing: str, said: str
) -> None:
    from ray import cloudpickle

    def work(question: str) -> str:
        return f"answer to {question}"

    carried = carrying(work)
    with langfuse.start_as_current_observation(name="s"), propagate_attributes(user_id="u"):
        args, _ = arguments(carried, "q")

    def run(*how: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT, missing, *how],
            input=cloudpickle.dumps((carried, args)),
            stdout=subprocess.PIPE,
            check=True,
        )
        return str(done.stdout, "utf-8")

    output = run()
    assert output.startswith("answer to q tracesplice: this Ray worker cannot load tracesplice-ray")
    assert said in output
    assert run("error") == "answer to q\n"


def test_splicing_a_task_says_what_to_type() -> None:
    with pytest.raises(tracesplice.TracespliceError, match=r"tracesplice_ray\.install\(\)"):
        tracesplice.splice(ray.remote(plain))
