"""Learns from the gateway's answer whether it reports the call.

``_process_response`` runs once per call, when its last attempt was answered without an error, and
before a stream is read: a client's generation is not exported yet. It is private; the SDK has no
public method at that place, for all the ways to ask for an answer
(https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice.adapter import claim_usage, guarded
from tracesplice_openai._call import current_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracesplice.adapter import UsageClaim

__all__ = ["process_response", "usage_of"]

usage_of = guarded("the zero usage of a call")(claim_usage)


def process_response(wrapped: Callable[..., Any], client: Any, *args: Any, **kwargs: Any) -> Any:
    """Make the answer out of an HTTP response; the result, awaitable or not, is ``wrapped``'s."""
    call = current_call(client)
    if call is not None and call.usage is not None:
        usage, call.usage = call.usage, None
        _note_answer(usage, kwargs.get("response"))
    return wrapped(*args, **kwargs)


@guarded("the zero usage of a call")
def _note_answer(usage: UsageClaim, response: Any) -> None:
    # A response of whichever HTTP library the SDK uses.
    usage.answered(response.headers)
