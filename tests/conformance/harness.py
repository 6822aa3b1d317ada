"""Runs one cell of the compatibility table and judges what Langfuse was told.

A cell is a call shape in a gateway mode, with or without an enclosing span, with or without a
client tracer. The checks are (a) one trace, (b) right parent, (c) prompt on both sides, (d) user,
session and tags on the gateway generation, (e) the same answer as without tracesplice, (f) the
caller's objects unchanged.
"""

from __future__ import annotations

import copy
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openai
from langfuse import propagate_attributes
from opentelemetry.sdk.trace import SpanProcessor

import tracesplice
from conformance.answers import comparable
from conformance.either import drive, entered
from conformance.shapes import Ask

if TYPE_CHECKING:
    from langfuse import Langfuse

    from conformance.shapes import Shape
    from rig.gateway import Gateway, GatewayMode
    from rig.recorder import Observation, Recorder

__all__ = ["Cell", "ClientSpans", "Outcome", "Stage", "run_cell"]

GATEWAY_SCOPES = ("litellm", "langfuse-sdk")  # of its own generations, not of its web framework's
AMBIENT: dict[str, Any] = {"user_id": "user-1", "session_id": "session-1", "tags": ["tag-1"]}
CHECKS = "abcdef"


class ClientSpans(SpanProcessor):
    """Knows which observations the application made itself."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.ids.add(f"{span.context.span_id:016x}")


@dataclass(frozen=True)
class Stage:
    """What every cell runs on."""

    recorder: Recorder
    langfuse: Langfuse
    client_spans: ClientSpans
    gateways: dict[GatewayMode, Gateway]
    ambient_prompt: Any
    own_prompt: Any


@dataclass(frozen=True)
class Cell:
    """One cell of the table."""

    shape: Shape
    kind: str
    mode: GatewayMode
    enclosed: bool
    traced: bool

    def __str__(self) -> str:
        around = "span" if self.enclosed else "no-span"
        tracer = "langfuse.openai" if self.traced else "untraced"
        return f"{self.shape.name}-{self.kind}-{self.mode.value}-{around}-{tracer}"

    @property
    def has_observation(self) -> bool:
        return self.traced and self.shape.observations > 0

    @property
    def has_own_prompt(self) -> bool:
        return self.traced and self.shape.takes_prompt


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: for each check, None or what was wrong."""

    checks: dict[str, str | None]
    recorded: str


def make_client(cell: Cell, gateway: Gateway) -> Any:
    """An unspliced client, as the application makes it."""
    is_async = cell.kind == "async"
    if cell.shape.name.startswith("AzureOpenAI"):
        kind: Any = openai.AsyncAzureOpenAI if is_async else openai.AzureOpenAI
        return kind(azure_endpoint=gateway.url, api_key=gateway.key, api_version="2024-10-21")
    kind = openai.AsyncOpenAI if is_async else openai.OpenAI
    return kind(base_url=gateway.url, api_key=gateway.key)


def run_cell(stage: Stage, cell: Cell, expected_answer: Any) -> Outcome:
    """Run the cell spliced and judge it."""
    ask = Ask(prompt={"langfuse_prompt": stage.own_prompt} if cell.has_own_prompt else {})
    before = copy.deepcopy(ask.extra)
    stage.recorder.clear()
    client = tracesplice.splice(make_client(cell, stage.gateways[cell.mode]))
    with ExitStack() as around:
        around.enter_context(propagate_attributes(prompt=stage.ambient_prompt, **AMBIENT))
        if cell.enclosed:
            span = around.enter_context(
                stage.langfuse.start_as_current_observation(name="enclosing")
            )
        answer = _answer(cell, client, ask)
    stage.langfuse.flush()
    seen = stage.recorder.wait_for(lambda recorder: _arrived(stage, cell, recorder))
    enclosing = span.id if cell.enclosed else None
    return Outcome(
        {
            "a": _traces(stage, cell, seen),
            "b": _parents(stage, cell, seen, enclosing),
            "c": _prompts(stage, cell, seen),
            "d": _attributes(seen),
            "e": None if answer == expected_answer else f"{answer!r} is not {expected_answer!r}",
            "f": None if ask.extra == before else f"{ask.extra!r} was {before!r}",
        },
        stage.recorder.report(),
    )


def run_unspliced(stage: Stage, cell: Cell) -> Any:
    """The answer the application gets without tracesplice."""
    client = make_client(cell, stage.gateways[cell.mode])
    answer = _answer(cell, client, Ask())
    # What this call reports must not be taken for the next one's.
    stage.recorder.wait_for(lambda recorder: _arrived(stage, cell, recorder))
    return answer


def _answer(cell: Cell, client: Any, ask: Ask) -> Any:
    async def run() -> Any:
        async with entered(client):
            return await cell.shape.run(client, ask)

    return comparable(drive(run(), cell.kind == "async"))


def gateway_generations(stage: Stage, recorder: Recorder) -> list[Observation]:
    """The generations the gateway reported."""
    return [
        observation
        for observation in recorder.observations()
        if observation.id not in stage.client_spans.ids
        and observation.type == "GENERATION"
        and observation.scope in GATEWAY_SCOPES
    ]


def _arrived(stage: Stage, cell: Cell, recorder: Recorder) -> list[Observation] | None:
    generations = gateway_generations(stage, recorder)
    by_id = {observation.id: observation for observation in recorder.observations()}
    # LITELLM_OTEL_V2 reports a generation before the server spans around it have ended.
    whole = all(_top(stage, by_id, each) is not None for each in generations)
    return generations if whole and len(generations) >= cell.shape.generations else None


def _top(stage: Stage, by_id: dict[str, Observation], observation: Observation) -> str | None:
    # The topmost observation above a generation, as far as all in between have arrived.
    while observation.parent_id is not None and observation.parent_id not in stage.client_spans.ids:
        if observation.parent_id not in by_id:
            return None
        observation = by_id[observation.parent_id]
    return observation.id


def _traces(stage: Stage, cell: Cell, seen: list[Observation]) -> str | None:
    ours = [each for each in stage.recorder.observations() if each.id in stage.client_spans.ids]
    found = len({observation.trace_id for observation in (*ours, *seen)})
    # Where the application opens no trace, each observation or request makes its own.
    wanted = cell.shape.observations if cell.has_observation else cell.shape.generations
    wanted = 1 if cell.enclosed else wanted
    return None if found == wanted else f"{found} traces, not {wanted}"


def _parents(
    stage: Stage, cell: Cell, seen: list[Observation], enclosing: str | None
) -> str | None:
    by_id = {observation.id: observation for observation in stage.recorder.observations()}
    owners = [_client_ancestor(stage, by_id, generation) for generation in seen]
    if not cell.has_observation:
        wrong = [owner for owner in owners if owner != enclosing]
        return f"under {wrong}, not {enclosing}" if wrong else None
    made = {
        observation.id
        for observation in by_id.values()
        if observation.id in stage.client_spans.ids and observation.id != enclosing
    }
    if len(made) < cell.shape.observations:
        return f"{len(made)} client observations, not {cell.shape.observations}"
    if not set(owners) <= made or len(set(owners)) != cell.shape.observations:
        return f"under {owners}, not one under each of {sorted(made)}"
    return None


def _client_ancestor(
    stage: Stage, by_id: dict[str, Observation], observation: Observation
) -> str | None:
    # LITELLM_OTEL_V2 puts the gateway's own server spans in between.
    parent = observation.parent_id
    while parent is not None and parent not in stage.client_spans.ids:
        parent = by_id[parent].parent_id if parent in by_id else None
    return parent


def _prompts(stage: Stage, cell: Cell, seen: list[Observation]) -> str | None:
    prompt = stage.own_prompt if cell.has_own_prompt else stage.ambient_prompt
    wanted = (prompt.name, prompt.version)
    client = [
        observation
        for observation in stage.recorder.observations()
        if observation.id in stage.client_spans.ids and observation.type == "GENERATION"
    ]
    for side, observations in (("client", client), ("gateway", seen)):
        found = {(each.prompt_name, each.prompt_version) for each in observations}
        if found - {wanted}:
            return f"the {side}'s prompt is {sorted(map(str, found))}, not {wanted}"
    return None


def _attributes(seen: list[Observation]) -> str | None:
    wanted = (AMBIENT["user_id"], AMBIENT["session_id"], tuple(AMBIENT["tags"]))
    for generation in seen:
        found = (generation.user_id, generation.session_id, generation.tags)
        if found[:2] != wanted[:2] or not set(wanted[2]) <= set(found[2]):
            return f"{found} is not {wanted}"
    return None
