"""One call on its way through an OpenAI client."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.trace import Span

    from tracesplice.adapter import Gateway, UsageClaim

__all__ = ["Call", "Options", "current_call", "entered"]


class Options(Protocol):
    """The part of the SDK's ``FinalRequestOptions`` that this adapter reads and writes."""

    url: str
    headers: Any
    json_data: Any
    extra_json: Any
    files: Any
    follow_redirects: bool | None


@dataclass
class Call:
    """What is known of one call, from its start to its answer.

    Attributes:
        client: The client that makes it.
        gateways: The gateways it may carry a link to.
        observation: The span of its own client observation, where there is one.
        linked: The attempt that was looked at last, so that no attempt is linked twice.
        usage: What claims its usage on the client's side; None while no attempt carries a link.
        follows_redirects: Whether this adapter follows redirects in place of the HTTP client.
        hops: Redirects followed so far.
        bare: Whether the call is to carry nothing of ours.
    """

    client: object
    gateways: Sequence[Gateway]
    observation: Span | None = None
    linked: Options | None = None
    usage: UsageClaim | None = None
    follows_redirects: bool = False
    hops: int = 0
    bare: bool = False

    def reaches(self, url: str) -> bool:
        """Return whether ``url`` is one of the gateways'."""
        return any(gateway.matches(url) for gateway in self.gateways)


_current: ContextVar[Call | None] = ContextVar("tracesplice_openai_call", default=None)


def current_call(client: object) -> Call | None:
    """Return the call that ``client`` is making in this context, if it makes one."""
    call = _current.get()
    return call if call is not None and call.client is client else None


@contextmanager
def entered(call: Call) -> Iterator[None]:
    """Make ``call`` the current one."""
    token = _current.set(call)
    try:
        yield
    finally:
        _leave(call, token)


def _leave(call: Call, token: Any) -> None:
    try:
        _current.reset(token)
    except ValueError:
        # A coroutine that is thrown away is closed in another context, where another call may be
        # the current one.
        if _current.get() is call:
            _current.set(None)
