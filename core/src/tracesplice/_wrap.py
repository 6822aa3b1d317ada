"""Wraps methods of a framework's classes: once, and so that it can be undone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from inspect import getattr_static, unwrap
from typing import TYPE_CHECKING, Any

import wrapt

from tracesplice_wire import warn_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    FunctionWrapper = wrapt.FunctionWrapper[Any, Any]
else:
    FunctionWrapper = wrapt.FunctionWrapper  # not generic in wrapt 1

__all__ = [
    "Wrapped",
    "Wrapper",
    "each_class",
    "unwrap_methods",
    "wrap_function",
    "wrap_methods",
]

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""What runs in place of a method: it gets the method, its owner, and its two kinds of arguments."""

_NO_METHOD = (
    "tracesplice: %s has no method %s in %s; some of its calls may go without a link, or with that "
    "of the enclosing span. Please report it."
)


def wrap_methods(owner: type, wrappers: Mapping[str, Wrapper], *, required: bool = True) -> None:
    """Wrap methods of a class; those that are wrapped in the same way already stay as they are.

    Args:
        owner: The class. A method that it inherits is looked up at each call, so that what is done
            to the class it comes from later is not bypassed.
        wrappers: By the name of the method.
        required: Whether a method that is missing is worth a warning.
    """
    for name, wrapper in wrappers.items():
        method = getattr_static(owner, name, None)
        if method is None:
            if required:
                kind = f"wrap:{owner.__module__}.{owner.__qualname__}.{name}"
                warn_once(kind, _NO_METHOD, owner.__name__, name, _release(owner))
        elif not _is_wrapped(method, wrapper):
            inherited = name not in vars(owner)
            wrapped = Wrapped(
                method, _calling_inherited(owner, name, wrapper) if inherited else wrapper
            )
            wrapped._self_ours, wrapped._self_inherited = wrapper, inherited
            setattr(owner, name, wrapped)


def unwrap_methods(owner: type, names: Iterable[str]) -> None:
    """Undo ``wrap_methods``; a wrapper that somebody set over ours stays, and ours under it."""
    for name in names:
        ours = vars(owner).get(name)
        if type(ours) is not Wrapped:
            continue
        if ours._self_inherited:
            with suppress(AttributeError):  # another thread was quicker
                delattr(owner, name)
        else:
            setattr(owner, name, ours.__wrapped__)


def wrap_function(function: Any, wrapper: Wrapper) -> Any:
    """Return ``function`` wrapped, or itself where it is wrapped in the same way already."""
    if _is_wrapped(function, wrapper):
        return function
    wrapped = Wrapped(function, wrapper)
    wrapped._self_ours = wrapper
    return wrapped


def each_class(base: type, function: Callable[[type], object]) -> None:
    """Call ``function`` with ``base`` and each class derived from it, now and when it is made.

    Args:
        base: The class.
        function: What to call; must not raise. A second time changes nothing.
    """
    own: Any = vars(base).get("__init_subclass__")
    if isinstance(own, _InitSubclass):
        return

    def init_subclass(cls: type, **kwargs: Any) -> None:
        inherited: Any = super(base, cls)
        (inherited.__init_subclass__ if own is None else own.__get__(None, cls))(**kwargs)
        function(cls)

    base.__init_subclass__ = _InitSubclass(init_subclass)  # type: ignore[assignment]
    for kind in _with_subclasses(base):
        function(kind)


class Wrapped(FunctionWrapper):
    """A method of ours; ``type()`` tells it from a wrapper that somebody set over it."""

    # What wrapt's proxies have of their own has a name with `_self_`.
    _self_ours: Wrapper
    _self_inherited: bool = False


class _InitSubclass(classmethod):  # type: ignore[type-arg]
    """The method of ours in which a new class is learned of."""


def _is_wrapped(method: Any, wrapper: Wrapper) -> bool:
    def is_ours(each: Any) -> bool:
        each = getattr(each, "_self_parent", None) or each  # of a method looked up on its class
        return type(each) is Wrapped and each._self_ours is wrapper

    # Somebody may have set a wrapper over ours.
    return is_ours(unwrap(method, stop=is_ours))


def _calling_inherited(owner: type, name: str, wrapper: Wrapper) -> Wrapper:
    def call(_wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapper(getattr(super(owner, instance), name), instance, args, kwargs)

    return call


def _with_subclasses(base: type) -> Iterator[type]:
    yield base
    derived: list[type] = base.__subclasses__()
    for each in derived:
        yield from _with_subclasses(each)


def _release(owner: type) -> str:
    # The distribution has the module's name, or that of a package around it.
    parts = owner.__module__.replace("_", "-").split(".")
    for length in range(len(parts), 0, -1):
        name = "-".join(parts[:length])
        with suppress(PackageNotFoundError):
            return f"{name} {version(name)}"
    return f"this version of {parts[0]}"
