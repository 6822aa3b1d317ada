"""Learns from the gateway's answer whether it reports the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracesplice.adapter import REPORTS_HEADER, guarded, shown_url, warn_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice.adapter import Gateway, UsageClaim

__all__ = ["EXTENSION", "Awaited", "note_answer"]

EXTENSION = "tracesplice"
"""The extension of an HTTP request that holds what waits for its answer."""

_CLIENT_COUNTS = {REPORTS_HEADER: "false"}


@dataclass(frozen=True)
class Awaited:
    """What waits for the answer of a linked request.

    Attributes:
        usage: What claims its usage on the client's side.
        gateways: Whose answer is believed.
    """

    usage: UsageClaim
    gateways: tuple[Gateway, ...]


@guarded("the zero usage of a call")
def note_answer(response: Any) -> None:
    """Note who counts the call that ``response`` answers.

    Args:
        response: The HTTP answer; a response of whichever HTTP library the SDK uses.
    """
    # The HTTP client's redirects take the extensions of a request along.
    awaited: Awaited | None = response.request.extensions.pop(EXTENSION, None)
    if awaited is None:
        return
    elsewhere = next(_elsewhere(awaited.gateways, response), None)
    if elsewhere is None:
        awaited.usage.answered(response.headers)
        return
    awaited.usage.answered(_CLIENT_COUNTS)
    warn_once(
        "openai:redirect",
        "tracesplice: calls to the gateway %s are redirected to %s. The HTTP client repeats them "
        "there with all that is in them, the link too; who answers is no declared gateway, so the "
        "figures of your application stay as they are. Give the client the gateway's final address "
        "as base URL, or an HTTP client with follow_redirects=False.",
        awaited.gateways[0],
        shown_url(elsewhere),
    )


def _elsewhere(gateways: tuple[Gateway, ...], response: Any) -> Iterator[str]:
    for each in (*response.history, response):
        url = str(each.url)
        if not any(gateway.matches(url) for gateway in gateways):
            yield url
