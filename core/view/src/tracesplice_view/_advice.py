"""What to type where calls are not unified."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracesplice_view._seen import Seen

__all__ = ["advice"]

_SPLICE = (
    "client = tracesplice.splice(client), for what makes the call: an SDK's client, a framework's "
    'model;\n  or tracesplice.instrument(gateway="http://..."), once, for every client of that '
    "very address;\n"
    "  and tracesplice.wrap(function) for what runs in another thread or process;\n"
    "  and start_as_current_observation(...) for an observation of your own: "
    "start_observation(...) has no call in it."
)
_ONE_SPAN = (
    "with langfuse.start_as_current_observation(name=...): around all of it, or @observe() on the "
    "function"
)
_SO_MANY = ";\n  or assert_unified(..., traces={}) if they are meant to be so many."
_PARENT = (
    "tracesplice.splice(model) for the framework's own object, not only for the client in it;\n"
    "  or with langfuse.start_as_current_observation(...): around the call, where you make its "
    "observation:\n  start_observation(...) has no call in it."
)
_CLIENT_PROMPT = (
    "langfuse_prompt=prompt in the call, or with langfuse.propagate_attributes(prompt=prompt): "
    "around it."
)
_ADAPTER = (
    '"tracesplice_litellm.adapter" in litellm_settings.callbacks of the gateway, after\n'
    "  pip install tracesplice-litellm in its environment."
)
_ONCE = (
    "Langfuse(mask_otel_spans=tracesplice.count_usage_once()), before anything else makes or gets "
    "a Langfuse client."
)
_NO_APPLICATION = (
    "langfuse_recorder among the arguments of the test, and only then import or make what makes "
    "the Langfuse\n  client; langfuse.flush() if it has a tracer provider of its own."
)
_NO_GATEWAY = (
    "gateway_stand_in or litellm_gateway among the arguments of the test, and its url and key for "
    "the client."
)
_ELSEWHERE = (
    "base_url= and api_key= of the gateway for the client; a call to elsewhere has nothing to join."
)
_SAME_PROJECT = (
    "LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY of one project, for the "
    "application and the gateway."
)
_NOT_SENT = (
    "langfuse.flush() before the program ends: the call is linked, and what it was made in did not "
    "arrive.\n  In the program's log, Masking error says that a mask lost it."
)
_REPORTS = (
    'callbacks: ["langfuse_otel", "tracesplice_litellm.adapter"] in litellm_settings of the '
    "gateway, after\n  pip install tracesplice-litellm in its environment."
)


def advice(wrong: Mapping[str, str], seen: Seen, *, in_test: bool = True) -> Iterator[str]:
    """Yield what to type, most fundamental first, a line or two each."""
    yield from dict.fromkeys(_advice(wrong, seen, in_test))


def _advice(wrong: Mapping[str, str], seen: Seen, in_test: bool) -> Iterator[str]:
    if not seen.client or not seen.gateway:
        yield from _one_side(seen, in_test)
        return
    owners = [seen.owner(each) for each in seen.gateway]
    if None in owners:
        # The rest follows from it.
        yield _SPLICE
        return
    if "a" in wrong and seen.found_traces != seen.expected.traces:
        many = _SO_MANY.format(len({each.trace_id for each in seen.client}))
        yield _ONE_SPAN + (many if in_test else ".")
    if "b" in wrong:
        calls = {each.id for each in seen.client_calls}
        on_spans = [owner for owner in owners if owner and owner.id not in calls]
        yield _PARENT if on_spans else _ELSEWHERE
    if "c" in wrong:
        linked = any(each.prompt_name for each in seen.client_generations)
        yield _ADAPTER if linked else _CLIENT_PROMPT
    if "g" in wrong or "h" in wrong:
        yield _ONCE
    if {"d", "i", "j"} & wrong.keys():
        yield _ADAPTER


def _one_side(seen: Seen, in_test: bool) -> Iterator[str]:
    if in_test:
        yield _NO_GATEWAY if seen.client else _NO_APPLICATION
        return
    if seen.client:
        yield from (_SAME_PROJECT, _REPORTS, _ELSEWHERE)
    elif _is_linked(seen):
        yield from (_NOT_SENT, _SAME_PROJECT)
    else:
        yield from (_SAME_PROJECT, _SPLICE)


def _is_linked(seen: Seen) -> bool:
    """Whether the gateway's generations are under something that is not there."""
    outermost = ([each, *seen.above(each)][-1] for each in seen.gateway)
    return any(each.parent_id for each in outermost)
