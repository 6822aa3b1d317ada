"""Two calls with a link of ours, one for each way in which a gateway reads it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracesplice_cli._http import ask, bearer
from tracesplice_wire import (
    CONTAINER,
    REPORTS,
    TRACEPARENT,
    Link,
    encode_headers,
    encode_metadata,
    project_of,
)

if TYPE_CHECKING:
    from tracesplice_cli._http import Answer

__all__ = ["MARK", "WAYS", "Call", "make_calls"]

MARK = "tracesplice-doctor"
"""User of the calls in Langfuse, and the start of their sessions' names."""

WAYS = {"header": "the header traceparent", "body": "the request's body"}
# Another one each time: a cached answer is not reported in mode LITELLM_OTEL_V2.
_QUESTION = "Answer with one word: yes. ({})"
_MAX_TOKENS = 16


@dataclass(frozen=True)
class Call:
    """A call that was made.

    Attributes:
        way: Where its link was: a key of ``WAYS``.
        link: Its place is in a trace that nothing else is in; the session is the call's own.
        answer: What the gateway said.
    """

    way: str
    link: Link
    answer: Answer = field(repr=False)

    @property
    def reports(self) -> str | None:
        """What tracesplice's adapter says of who counts it; None without the adapter."""
        return self.answer.headers.get(REPORTS)


def make_calls(url: str, key: str, model: str, public_key: str) -> list[Call]:
    """Call the model, with the link in the header alone, and in the body alone.

    Raises:
        Unreachable: The gateway did not answer.
    """
    return [_call(way, url, key, model, public_key) for way in WAYS]


def _call(way: str, url: str, key: str, model: str, public_key: str) -> Call:
    link = Link(
        trace_id=secrets.token_hex(16),
        parent_id=secrets.token_hex(8),
        user_id=MARK,
        session_id=f"{MARK}-{secrets.token_hex(4)}-{way}",
        tags=(MARK,),
        project=project_of(public_key),
    )
    headers = encode_headers(link)
    metadata = encode_metadata(link if way == "body" else _unplaced(link))
    if way == "body":
        del headers[TRACEPARENT]
    else:
        # It would start a trace of its own.
        metadata.pop("trace_id", None)
    body = {
        "model": model,
        "messages": [{"role": "user", "content": _QUESTION.format(link.session_id)}],
        "max_tokens": _MAX_TOKENS,
        CONTAINER: metadata,
    }
    answer = ask(f"{url}/v1/chat/completions", {**headers, **bearer(key)}, body, timeout=60)
    return Call(way, link, answer)


def _unplaced(link: Link) -> Link:
    return Link(user_id=link.user_id, session_id=link.session_id, tags=link.tags)
