"""Splices the clients of an SDK, and instruments the process: both wrap methods of its classes.

For SDKs that Stainless generates, which share a base client. A client that is neither marked nor
calls a declared gateway sends what it would send without the wrappers; that it called a model is
noted, as the client counts that call. What a library derives of the SDK's classes inherits them.
"""

from __future__ import annotations

import copy
import copyreg
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tracesplice._gateway import MODEL_ROUTES, Gateway
from tracesplice._in_call import in_call
from tracesplice._sdk_options import Kind
from tracesplice._sdk_request import MARK, OBSERVATION, Mark, SdkRequests
from tracesplice._wrap import decorate_method, unwrap_methods, wrap_methods
from tracesplice_wire import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import Span

__all__ = ["ClientSdk", "defining", "with_observation"]

_COPIES = ("copy", "with_options")


class ClientSdk(SdkRequests):
    """An SDK that Stainless generated, and which of its clients' calls carry links.

    Args:
        module: The adapter's module that has this object as ``sdk``.
        clients: The SDK's class of synchronous clients, and that of asynchronous ones.
        omit: The SDK's class of what stands for a value that is left out.
        variants: Further classes of its own that send requests as those two do.
        elsewhere: What else paths end with that ask a model: of its classes that call a provider.
    """

    def __init__(
        self,
        module: str,
        clients: tuple[type, type],
        omit: type,
        variants: tuple[type, ...] = (),
        elsewhere: tuple[str, ...] = (),
    ) -> None:
        super().__init__(Kind((*clients, *variants), omit, (*MODEL_ROUTES, *elsewhere)))
        self._module = module
        self._clients = clients
        self._others: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self._decorators = {
            "_build_request": self.build_request,
            "_process_response": self.process_response,
        }

    def splice(self, client: Any, gateway: Gateway | None = None) -> None:
        """Make ``client``'s calls to ``gateway`` carry a link; twice is the same as once.

        Args:
            client: The client.
            gateway: Its gateway; by default where its requests go.

        Raises:
            TracespliceError: That address is a model provider's.
        """
        gateway = gateway or Gateway.declare(self.address(client))
        mark = vars(client).get(MARK)
        if mark is None or mark.gateway != gateway:  # the user may have set another address
            vars(client)[MARK] = self.mark(gateway)

    def unsplice(self, client: Any) -> None:
        """Put ``client`` back to what it was; copies made before stay spliced."""
        vars(client).pop(MARK, None)
        self.unwrap_unless_needed()

    def is_spliced(self, client: Any) -> bool:
        """Return whether ``client`` was spliced, or made by one that was."""
        return MARK in vars(client)

    def instrument(self, gateways: Sequence[Gateway]) -> None:
        """Make every client's calls to ``gateways`` carry a link."""
        self.declared = tuple(gateways)
        self._wrap()

    def uninstrument(self) -> None:
        """Undo ``instrument``."""
        self.declared = ()
        self.unwrap_unless_needed()

    def gateways_of(self, client: Any) -> tuple[Gateway, ...]:
        """Return the gateways that ``client``'s calls may carry a link to."""
        mark: Mark | None = vars(client).get(MARK)
        own = () if mark is None else (mark.gateway,)
        return (*in_call.get(), *own, *self.declared)

    def mark(self, gateway: Gateway) -> Mark:
        """Return what makes a client of this SDK a spliced one."""
        mark = Mark(gateway, self)
        self._wrap()
        return mark

    def address(self, client: Any) -> object:
        """Return the address below which all requests of ``client`` go."""
        return client.base_url

    def wrap_too(self, wrap: Callable[[], None], unwrap: Callable[[], None]) -> None:
        """Have more wrapped and unwrapped together with the SDK's classes; twice is once.

        Args:
            wrap: What wraps it; twice is once.
            unwrap: What undoes that.
        """
        if (wrap, unwrap) not in self._others:
            self._others.append((wrap, unwrap))
        if self._is_needed():
            wrap()

    def unwrap_unless_needed(self) -> None:
        """Unwrap the SDK's classes where nothing is spliced or instrumented any more."""
        if self._is_needed():
            return
        self._unwrap()
        # Instead of a lock, which a fork in another thread would leave locked for ever: who spliced
        # in the meantime either finds no wrappers and sets them itself, or is found here.
        if self._is_needed():
            self._wrap()

    def _wrap(self) -> None:
        for wrap, _ in self._others:
            wrap()
        for client in self._clients:
            for name, decorator in self._decorators.items():
                decorate_method(defining(client, name), name, decorator)
            for name in _COPIES:
                wrap_methods(defining(client, name), {name: _copy})

    def _unwrap(self) -> None:
        for _, unwrap in self._others:
            unwrap()
        for client in self._clients:
            for name in (*self._decorators, *_COPIES):
                unwrap_methods(defining(client, name), [name])

    def _is_needed(self) -> bool:
        return bool(self.declared) or len(self.marks) > 0

    def __reduce__(self) -> Any:
        return _sdk_of, (self._module,)


def defining(owner: type, name: str) -> type:
    """Return the class that ``owner`` has the method ``name`` from: there it is wrapped."""
    return next((each for each in owner.__mro__ if name in vars(each)), owner)


def with_observation(
    args: tuple[Any, ...], kwargs: dict[str, Any], span: Span
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put the span of a call's own observation into the options of the call.

    Args:
        args: The arguments of a client's ``request``.
        kwargs: Its keyword arguments.
        span: The span.

    Returns:
        The arguments with a copy of the options.
    """
    if "options" in kwargs:
        return args, {**kwargs, "options": _with(kwargs["options"], span)}
    return (args[0], _with(args[1], span), *args[2:]), kwargs


def _with(options: Any, span: Span) -> Any:
    copied = copy.copy(options)  # the caller's
    vars(copied)[OBSERVATION] = span
    return copied


def _copy(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    copied = wrapped(*args, **kwargs)
    _hand_on(client, copied)
    return copied


@guarded("the links of a client's copy")
def _hand_on(client: Any, copied: Any) -> None:
    mark = vars(client).get(MARK)
    if mark is not None:
        vars(copied).setdefault(MARK, mark)


def _sdk_of(module: str) -> Any:
    return (sys.modules.get(module) or import_module(module)).sdk


# A client of a class that can be pickled is spliced where it is unpickled, too.
copyreg.pickle(Mark, lambda mark: (mark.sdk.mark, (mark.gateway,)))  # type: ignore[attr-defined]
