"""Puts the link into the requests of an OpenAI client."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracesplice.adapter import (
    calls_model,
    capture_link,
    claim_usage,
    current_observation,
    guarded,
    header_values,
    inject,
    note_foreign_call,
)
from tracesplice_openai._answer import EXTENSION, Awaited
from tracesplice_openai._body import Options, body_of
from tracesplice_openai._gateways import gateways_of
from tracesplice_openai._langfuse_openai import take_generation
from tracesplice_openai._sdk import address_of, headers_of

if TYPE_CHECKING:
    from tracesplice.adapter import Gateway

__all__ = ["Linked", "await_answer", "link_request", "with_generation"]

# Entries of the `__dict__` of a call's options, which the SDK's copies of them keep.
_GENERATION = "_tracesplice_generation"
_LINKED = "_tracesplice_linked"

_usage_of = guarded("the zero usage of a call")(claim_usage)


@dataclass(frozen=True)
class Linked:
    """One attempt of a call that carries a link.

    Attributes:
        options: A copy of the attempt's options, with the link in it.
        awaited: What waits for its answer, where that could be found out.
    """

    options: Options
    awaited: Awaited | None


@guarded("the generation of langfuse.openai a call belongs to")
def with_generation(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Put the generation that ``langfuse.openai`` made for a call into the call's options.

    Args:
        client: The client that makes the call.
        args: The arguments of its ``request``.
        kwargs: Its keyword arguments.

    Returns:
        The arguments with a copy of the options; None where they stay as they are.
    """
    # Taken for every client, so that no other call finds it.
    generation = take_generation()
    if generation is None or not gateways_of(client):
        return None
    if "options" in kwargs:
        return args, {**kwargs, "options": _marked(kwargs["options"], _GENERATION, generation)}
    if len(args) > 1:
        return (args[0], _marked(args[1], _GENERATION, generation), *args[2:]), kwargs
    return None


@guarded("the link of a call")
def link_request(client: Any, options: Options, **_: object) -> Linked | None:
    """Link one attempt of a call.

    Returns:
        None where it carries no link.
    """
    if options.method.upper() != "POST" or _LINKED in vars(options):
        return None
    gateways = gateways_of(client)
    url = address_of(client, options.url) if gateways else ""
    if not any(gateway.matches(url) for gateway in gateways):
        if calls_model(options.url):
            note_foreign_call()
        return None
    return _linked(client, options, url, gateways)


def _linked(
    client: Any, options: Options, url: str, gateways: tuple[Gateway, ...]
) -> Linked | None:
    observation = vars(options).get(_GENERATION) or current_observation()
    link = capture_link(observation)
    own_headers = options.headers if isinstance(options.headers, Mapping) else {}
    headers = headers_of(client, options, own_headers)
    body = body_of(options, _content_type(headers))
    written, form = (None, False) if body is None else (body.written, body.is_form)
    injection = inject(link, url, written, headers, form=form)
    if injection is None:
        return None
    added = _marked(options, _LINKED, True)
    if body is not None and injection.body:
        body.add(added, injection.body)
    if injection.headers:
        added.headers = {**own_headers, **injection.headers}
    usage = _usage_of(link, observation, expected=injection.reported)
    return Linked(added, Awaited(usage, gateways) if usage is not None else None)


def _content_type(headers: Mapping[str, object]) -> str:
    return ", ".join(filter(None, header_values(headers, "content-type")))


@guarded("the zero usage of a call")
def await_answer(request: Any, linked: Linked) -> None:
    """Let an HTTP request carry what waits for its answer."""
    extensions = getattr(request, "extensions", None)
    if linked.awaited is not None and isinstance(extensions, MutableMapping):
        extensions[EXTENSION] = linked.awaited


def _marked(options: Any, name: str, value: object) -> Any:
    # The caller's options, and what is in them, stay as they are.
    copied = copy.copy(options)
    vars(copied)[name] = value
    return copied
