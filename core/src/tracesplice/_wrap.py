"""Wraps methods of a framework's classes: once, and so that it can be undone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from inspect import getattr_static, unwrap
from types import FunctionType
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
    "decorate_method",
    "each_class",
    "unwrap_methods",
    "wrap_function",
    "wrap_methods",
]

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""What runs in place of a method: it gets the method, its owner, and its two kinds of arguments."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What makes the function that takes a method's place; that looks like the method."""

_DECORATED = "_tracesplice"
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
                _warn(owner, name)
        elif not _is_wrapped(method, wrapper):
            inherited = name not in vars(owner)
            wrapped = Wrapped(
                method, _calling_inherited(owner, name, wrapper) if inherited else wrapper
            )
            wrapped._self_ours, wrapped._self_inherited = wrapper, inherited
            setattr(owner, name, wrapped)


def decorate_method(owner: type, name: str, decorator: Decorator) -> None:
    """Wrap a method that runs in each call in a plain function, once.

    What wrapt makes of a method binds, inspects and pickles like it whatever kind it is, and takes
    5 to 10 microseconds a call.

    Args:
        owner: The class that has it.
        name: Its name.
        decorator: Makes the function; a warning is logged where there is no such method.
    """
    method: Any = vars(owner).get(name)
    if method is None:
        _warn(owner, name)
    elif not _is_wrapped(method, decorator):
        is_plain = type(method) is FunctionType
        function: Any = decorator(method if is_plain else _unbound(method))
        function.__wrapped__ = method
        vars(function)[_DECORATED] = decorator, function
        setattr(owner, name, function)


def unwrap_methods(owner: type, names: Iterable[str]) -> None:
    """Undo what is done above; a wrapper that somebody set over ours stays, and ours under it."""
    for name in names:
        ours: Any = vars(owner).get(name)
        if _wrapper_of(ours) is None:
            continue
        if getattr(ours, "_self_inherited", False):
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


def each_class(base: type, function: Callable[[type], object]) -> Callable[[], None]:
    """Call ``function`` with ``base`` and each class derived from it, now and when it is made.

    Args:
        base: The class.
        function: What to call; must not raise. A second time changes nothing.

    Returns:
        What ends that: it is not called with classes that are made later.
    """
    hook: Any = vars(base).get("__init_subclass__")
    if not isinstance(hook, _InitSubclass):
        hook = base.__init_subclass__ = _InitSubclass(base, hook)  # type: ignore[assignment]
    if function not in hook.functions:
        hook.functions[function] = None
        for kind in dict.fromkeys(_with_subclasses(base)):
            function(kind)
    return lambda: hook.without(function)


class Wrapped(FunctionWrapper):
    """A method of ours; ``type()`` tells it from a wrapper that somebody set over it."""

    # What wrapt's proxies have of their own has a name with `_self_`.
    _self_ours: Wrapper
    _self_inherited: bool = False


class _InitSubclass(classmethod):  # type: ignore[type-arg]
    """The method of ours in which a new class is learned of.

    Args:
        base: The class that gets it.
        own: What it has of its own.

    Attributes:
        functions: What is called with each class.
    """

    def __init__(self, base: type, own: Any) -> None:
        self._base, self._own = base, own
        self.functions: dict[Callable[[type], object], None] = {}

        def init_subclass(cls: type, **kwargs: Any) -> None:
            inherited: Any = super(base, cls)
            (inherited.__init_subclass__ if own is None else own.__get__(None, cls))(**kwargs)
            for function in self.functions.copy():
                function(cls)

        super().__init__(init_subclass)

    def without(self, function: Callable[[type], object]) -> None:
        """Call a function no more; after the last one the base is as it was."""
        self.functions.pop(function, None)
        if self.functions or vars(self._base).get("__init_subclass__") is not self:
            return  # or somebody has put another one in its place
        if self._own is None:
            del self._base.__init_subclass__
        else:
            self._base.__init_subclass__ = self._own


def _is_wrapped(method: Any, wrapper: Wrapper | Decorator) -> bool:
    def is_ours(each: Any) -> bool:
        each = getattr(each, "_self_parent", None) or each  # of a method looked up on its class
        return _wrapper_of(each) == wrapper

    # Somebody may have set a wrapper over ours.
    return is_ours(unwrap(method, stop=is_ours))


def _wrapper_of(method: Any) -> Wrapper | Decorator | None:
    """Return what ``method`` itself was wrapped with here, None if it was not."""
    if type(method) is Wrapped:
        return method._self_ours
    found = vars(method).get(_DECORATED) if type(method) is FunctionType else None
    # `functools.wraps` gives it to somebody's function over ours, too.
    return None if found is None or found[1] is not method else found[0]


def _unbound(method: Any) -> Callable[..., Any]:
    """Return what somebody's kind of method does, as a function."""

    @wraps(method)
    def function(instance: Any, *args: Any, **kwargs: Any) -> Any:
        return method.__get__(instance, type(instance))(*args, **kwargs)

    return function


def _calling_inherited(owner: type, name: str, wrapper: Wrapper) -> Wrapper:
    def call(_wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapper(getattr(super(owner, instance), name), instance, args, kwargs)

    return call


def _with_subclasses(base: type) -> Iterator[type]:
    yield base
    derived: list[type] = base.__subclasses__()
    for each in derived:
        yield from _with_subclasses(each)


def _warn(owner: type, name: str) -> None:
    kind = f"wrap:{owner.__module__}.{owner.__qualname__}.{name}"
    warn_once(kind, _NO_METHOD, owner.__name__, name, _release(owner))


def _release(owner: type) -> str:
    # The distribution has the module's name, or that of a package around it.
    parts = owner.__module__.replace("_", "-").split(".")
    for length in range(len(parts), 0, -1):
        name = "-".join(parts[:length])
        with suppress(PackageNotFoundError):
            return f"{name} {version(name)}"
    return f"this version of {parts[0]}"
