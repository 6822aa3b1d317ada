"""Takes the place of a call along, from ``.remote()`` to the worker that runs it.

Ray has hooks for tracing (``ray.util.tracing``), but for a whole cluster, as it is started; they
make spans of their own for each call, carry neither user nor prompt, and leave out generators. What
is wrapped here is what they wrap, too, and where arguments are checked.
See https://github.com/ray-project/ray/blob/master/python/ray/util/tracing/tracing_helper.py.
"""

from __future__ import annotations

from ray.actor import ActorClass
from ray.remote_function import RemoteFunction

from tracesplice.adapter import unwrap_methods, wrap_methods
from tracesplice_ray import _data
from tracesplice_ray._exports import SIGNATURE
from tracesplice_ray._handing_out import flatten_args, make_actor, run_task

__all__ = ["install", "uninstall"]


def install() -> None:
    """Let Ray's tasks and actors go on in the trace that they were called in.

    Type it in the driver, before the first ``.remote()``; the workers need no setup. What a task,
    or an actor's constructor or method, observes and calls then belongs to the trace, under the
    observation that was current at ``.remote()``, with its user, session, tags and prompt. What a
    worker observed is sent to Langfuse at the end of each. Idempotent.
    """
    wrap_methods(RemoteFunction, {"_remote": run_task})
    wrap_methods(ActorClass, {"_remote": make_actor})
    wrap_methods(SIGNATURE, {"flatten_args": flatten_args})
    _data.install()


def uninstall() -> None:
    """Undo ``install``, in this process."""
    unwrap_methods(RemoteFunction, ["_remote"])
    unwrap_methods(ActorClass, ["_remote"])
    unwrap_methods(SIGNATURE, ["flatten_args"])
    _data.uninstall()
