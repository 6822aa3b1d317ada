"""What runs at ``.remote()``: a carrier of the place of the call is put after the arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray._private import worker
from ray._private.client_mode_hook import client_mode_should_convert

from tracesplice.adapter import capture_text, guarded, warn_once
from tracesplice_ray._carrying import CARRIER, takes_carrier
from tracesplice_ray._exports import DUMMY_TYPE, let_actor_carry, let_task_carry

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["flatten_args", "make_actor", "run_task"]

_LOST = "the place that a Ray task belongs to"
_BY_HAND = (
    "tracesplice: %s, so tracesplice_ray takes nothing along. Pass tracesplice.capture() to your "
    "tasks, and call tracesplice.resume() there."
)


def run_task(wrapped: Callable[..., Any], task: Any, args: Any, kwargs: Any) -> Any:
    """Stand for ``RemoteFunction._remote``."""
    _let(let_task_carry, task)
    return wrapped(*args, **kwargs)


def make_actor(wrapped: Callable[..., Any], actor: Any, args: Any, kwargs: Any) -> Any:
    """Stand for ``ActorClass._remote``."""
    _let(let_actor_carry, actor)
    return wrapped(*args, **kwargs)


def flatten_args(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    """Stand for the function in which Ray checks arguments, and puts them into one list.

    It is called for tasks, actors' constructors and methods alike, with the parameters of the
    function that will run: so an actor says itself whether it takes a carrier.
    """
    flat = wrapped(*args, **kwargs)
    carrier = _carrier_for(*args)
    return flat if carrier is None else [*flat, DUMMY_TYPE, carrier]


@guarded(_LOST)
def _let(let_carry: Callable[[Any], None], target: Any) -> None:
    if client_mode_should_convert():
        warn_once("ray:client", _BY_HAND, "Ray Client (ray://) makes the tasks elsewhere")
    elif _loads_code_itself():
        warn_once("ray:local", _BY_HAND, "the workers load their code themselves")
    else:
        let_carry(target)


@guarded(_LOST)
def _carrier_for(parameters: Any, *_: Any) -> bytes | None:
    if not takes_carrier(parameters) or _loads_code_itself():
        return None
    text = capture_text()
    return None if text is None else CARRIER + text.encode()


def _loads_code_itself() -> bool:
    connected = worker.global_worker.connected  # Ray may start with this very call
    return bool(connected and worker.global_worker.load_code_from_local)
