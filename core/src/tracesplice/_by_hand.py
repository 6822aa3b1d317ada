"""The link by hand, for clients that no adapter reaches."""

from __future__ import annotations

from typing import Any

from tracesplice._prompt import prompt_ref
from tracesplice._request import capture_link
from tracesplice_wire import CONTAINER, Link, encode_headers, encode_metadata, guarded

__all__ = ["extra_body", "headers"]


def extra_body(*, prompt: object = None) -> dict[str, Any]:
    """Return the current link as body fields, for any OpenAI-compatible client.

    The body alone joins the trace on a gateway with the ``langfuse`` callback; send ``headers()``
    too, for a gateway with ``langfuse_otel``.

    Args:
        prompt: The Langfuse prompt to link; by default the ambient one
            (``langfuse.propagate_attributes(prompt=...)``).

    Returns:
        A new JSON-safe dict to pass as ``extra_body``; empty where there is nothing to link.

    Raises:
        TracespliceError: ``prompt`` is no prompt, or Langfuse would not link it.
    """
    link = _current_link() or Link()
    if prompt is not None:
        link = link._replace(prompt=prompt_ref(prompt))
    metadata = encode_metadata(link)
    return {CONTAINER: metadata} if metadata else {}


def headers() -> dict[str, str]:
    """Return the current link as headers, for any HTTP client.

    Returns:
        A new dict with W3C ``traceparent``, and with ``x-tracesplice-project``, which says which
        Langfuse project the trace is in; empty where no observation is open.
    """
    return encode_headers(_current_link() or Link())


@guarded("the link of a call")
def _current_link() -> Link:
    # Called in the arguments of a model call, where a fault of ours would cost the user that call.
    return capture_link()
