"""An application that a server loads before it forks its workers: run by ``test_server.py``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from langfuse import Langfuse

import tracesplice
from faults.table.process import client_of, ended, outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ROW", "application"]

ROW = {
    "gunicorn": "A server loads the application, then forks its workers (gunicorn, `--preload`).",
}
"""What the row says, by its name."""


def application(name: str, url: str, spliced: bool) -> Callable[..., Iterable[bytes]]:
    """A WSGI application whose clients are made, and used, in the process that forks.

    Args:
        name: The library's.
        url: Of the gateway.
        spliced: Whether its client is.
    """
    langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
    call = client_of(name, url, spliced=spliced)
    if not call.library.pools:
        ended(call)  # LiteLLM's pool, used before a fork, may never end after it, spliced or not

    def answer(_: Any, start_response: Callable[..., object]) -> Iterable[bytes]:
        with langfuse.start_as_current_observation(
            name="served", as_type="generation", model="m", usage_details={"input": 3, "output": 4}
        ) as made:
            said = outcome(call)
        start_response("200 OK", [("Content-Type", "application/json")])
        place = made.trace_id, made.id
        return [json.dumps({"ended": said, "pid": os.getpid(), "place": place}).encode()]

    return answer
