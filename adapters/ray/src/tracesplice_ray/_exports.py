"""Makes what Ray exports to its workers take a carrier.

Ray pickles a task's function, or an actor's class, when it is used first. One that was used before
is exported again under a new name: workers, and actors that live, keep the one they have.
"""

from __future__ import annotations

import inspect
import threading
import uuid
from typing import Any

from ray import actor as ray_actor
from ray._raylet import PythonFunctionDescriptor

from tracesplice_ray._carrying import carrying, is_carrying

__all__ = ["DUMMY_TYPE", "SIGNATURE", "let_actor_carry", "let_task_carry"]

SIGNATURE: Any = vars(ray_actor)["signature"]
"""Ray's module for arguments, which has moved between releases."""
DUMMY_TYPE: bytes = SIGNATURE.DUMMY_TYPE
"""What is put before an argument by position."""

_RAY = "ray."
# Ray's own, in which users' functions run.
_RUN_USERS_CODE = ("ray.data.", "ray.util.")
_SPECIAL = ("__init__", "__call__", "__ray_call__")

_methods: Any = vars(ray_actor)["_ActorClassMethodMetadata"]
_changing = threading.Lock()


def let_task_carry(task: Any) -> None:
    """Make a ``RemoteFunction`` take a carrier, unless it is in another language, or Ray's own."""
    if is_carrying(task._function) or task._is_cross_language or _is_rays_own(task._function):
        return
    with _changing:
        if not is_carrying(task._function):
            carried = carrying(task._function)
            if task._function_signature is not None:
                task._function_signature = SIGNATURE.extract_signature(carried)
                task._uuid, task._last_export_cluster_and_job = uuid.uuid4(), None
            task._function = carried


def let_actor_carry(actor: Any) -> None:
    """Make the methods of an ``ActorClass`` take a carrier, as ``let_task_carry`` a task."""
    meta = actor.__ray_metadata__
    if meta.is_cross_language or _is_rays_own(meta.modified_class):
        return
    if not is_carrying(meta.modified_class.__init__):
        with _changing:
            _change(meta)


def _change(meta: Any) -> None:
    kind = meta.modified_class
    if is_carrying(kind.__init__):
        return  # another thread was quicker
    for name in dir(kind):
        if name in _SPECIAL or not (name.startswith("__") and name.endswith("__")):
            _change_method(kind, name)
    if meta.last_export_cluster_and_job is not None:
        meta.last_export_cluster_and_job = None
        meta.actor_creation_function_descriptor = PythonFunctionDescriptor.from_class(
            kind.__ray_actor_class__
        )
    descriptor = meta.actor_creation_function_descriptor
    _methods._cache.pop(descriptor, None)
    meta.method_meta = _methods.create(kind, descriptor)


def _change_method(kind: type, name: str) -> None:
    method = inspect.getattr_static(kind, name)
    if inspect.isfunction(method):
        setattr(kind, name, carrying(method))
    elif isinstance(method, (staticmethod, classmethod)):
        setattr(kind, name, type(method)(carrying(method.__func__)))


def _is_rays_own(defined: Any) -> bool:
    module = f"{defined.__module__}."
    return module.startswith(_RAY) and not module.startswith(_RUN_USERS_CODE)
