"""Who answered a request that an HTTP client sent with a link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_wire import shown_url, warn_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracesplice._gateway import Gateway
    from tracesplice._request import LinkedRequest

__all__ = ["note_answer"]


def note_answer(linked: LinkedRequest, response: Any, gateways: Sequence[Gateway]) -> None:
    """Note that a call was answered without an error; an answer from elsewhere is not trusted.

    Args:
        linked: What was sent.
        response: The answer, as httpx has it: with ``url``, ``history`` and ``headers``.
        gateways: Whose answer is trusted.
    """
    urls = [str(each.url) for each in (*response.history, response)]
    elsewhere = [url for url in urls if not any(each.matches(url) for each in gateways)]
    linked.answered(None if elsewhere else response.headers)
    if elsewhere:
        warn_once(
            "redirect",
            "tracesplice: calls to the gateway %s are redirected to %s. The HTTP client repeats "
            "them there with all that is in them, the link too; who answers is no declared "
            "gateway, so the figures of your application stay as they are. Give the client the "
            "gateway's final address as base URL, or an HTTP client with follow_redirects=False.",
            next((each for each in gateways if each.matches(urls[0])), gateways[0]),
            shown_url(elsewhere[0]),
        )
