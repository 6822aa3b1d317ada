"""Runs one cell of the compatibility table and judges what Langfuse was told.

A cell is a call shape in a gateway mode, with or without an enclosing span, with one client tracer
or none. The checks are (a) one trace, (b) right parent, (c) prompt on both sides, (d) user, session
and tags on the gateway generation, (e) the same answer as without tracesplice, (f) the caller's
objects unchanged, (g) usage and cost of all traces are what the gateway's generations say.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from langfuse import propagate_attributes
from opentelemetry.sdk.trace import SpanProcessor

import tracesplice
from conformance.answers import comparable
from conformance.either import drive
from conformance.shape import AMBIENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from langfuse import Langfuse
    from opentelemetry.sdk.trace import TracerProvider

    from conformance.shape import Shape
    from rig.gateway import Gateway, GatewayMode
    from rig.recorder import Observation, Recorder

__all__ = ["UNTRACED", "Cell", "ClientSpans", "Framework", "Outcome", "Stage", "run_cell"]

GATEWAY_SCOPES = ("litellm", "langfuse-sdk")  # of its own generations, not of its web framework's
ATTRIBUTES: dict[str, Any] = {"user_id": "user-1", "session_id": "session-1", "tags": ["tag-1"]}
UNTRACED = "untraced"
_QUESTION = re.compile(r"question-\d+")


class ClientSpans(SpanProcessor):
    """Knows which observations the application made itself.

    Attributes:
        ids: All of them.
        of_cell: Those since the last cell; OpenInference ends some spans half a minute late.
    """

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.of_cell: set[str] = set()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        for ids in (self.ids, self.of_cell):
            ids.add(f"{span.context.span_id:016x}")


@dataclass(frozen=True)
class Stage:
    """What every cell runs on."""

    recorder: Recorder
    langfuse: Langfuse
    provider: TracerProvider
    client_spans: ClientSpans
    gateways: dict[GatewayMode, Gateway]
    prompts: dict[str, Any]
    earlier_traces: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Forget what was reported, and what may still come of it."""
        # A gateway that has to ask its model again reports once more, at times after we look.
        self.earlier_traces.update(each.trace_id for each in self.recorder.observations())
        self.client_spans.of_cell.clear()
        self.recorder.clear()


class Application(Protocol):
    """A program that makes the calls of a shape; `unchanged` says what it finds altered."""

    async def run(self, shape: Shape) -> Any: ...

    def changed(self) -> str | None: ...


class Framework(Protocol):
    """Makes the application of a cell; `splice` is what it does to its client or model.

    Attributes:
        name: As the compatibility table shows it.
        prompts_by_tracer: Whether only the client's tracer knows which prompt a call names.
    """

    name: str
    prompts_by_tracer: bool

    def __call__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> Application: ...


@dataclass(frozen=True)
class Cell:
    """One cell of the table."""

    framework: Framework
    shape: Shape
    kind: str
    mode: GatewayMode
    enclosed: bool
    tracer: str = UNTRACED

    def __str__(self) -> str:
        around = "span" if self.enclosed else "no-span"
        return f"{self.shape.name}-{self.kind}-{self.mode.value}-{around}-{self.tracer}"

    @property
    def is_async(self) -> bool:
        return self.kind == "async"

    @property
    def is_traced(self) -> bool:
        return self.tracer != UNTRACED

    @property
    def is_observed(self) -> bool:
        return self.is_traced and self.shape.observations > 0

    @property
    def prompts(self) -> tuple[str, ...]:
        unknown = self.framework.prompts_by_tracer and not self.is_traced
        return (AMBIENT,) if unknown else self.shape.prompts


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: for each check, None or what was wrong."""

    checks: dict[str, str | None]
    recorded: str


@dataclass(frozen=True)
class _Seen:
    """What arrived of a cell."""

    stage: Stage
    cell: Cell
    enclosing: str | None
    gateway: list[Observation]
    by_id: dict[str, Observation]

    @property
    def client(self) -> list[Observation]:
        """The application's own observations."""
        return [each for each in self.by_id.values() if each.id in self.stage.client_spans.of_cell]

    @property
    def client_calls(self) -> list[Observation]:
        """What the client's tracer made of the calls themselves."""
        return [each for each in self.client if each.type in ("GENERATION", "EMBEDDING")]

    @property
    def client_generations(self) -> list[Observation]:
        """Those that can be linked to a prompt."""
        return [each for each in self.client if each.type == "GENERATION"]

    def owner(self, generation: Observation) -> Observation | None:
        """The application's observation above one of the gateway's."""
        # LITELLM_OTEL_V2 puts the gateway's own server spans in between.
        parent = generation.parent_id
        while parent is not None and parent not in self.stage.client_spans.ids:
            parent = self.by_id[parent].parent_id if parent in self.by_id else None
        return None if parent is None else self.by_id.get(parent)


def run_cell(stage: Stage, cell: Cell, expected_answer: Any) -> Outcome:
    """Run the cell spliced and judge it."""
    stage.clear()
    application = cell.framework(stage, cell, tracesplice.splice)
    enclosing = None
    with ExitStack() as around:
        around.enter_context(propagate_attributes(prompt=stage.prompts[AMBIENT], **ATTRIBUTES))
        if cell.enclosed:
            span = stage.langfuse.start_as_current_observation(name="enclosing")
            enclosing = around.enter_context(span).id
        answer = _answer(cell, application)
    stage.langfuse.flush()
    gateway = stage.recorder.wait_for(lambda recorder: _arrived(stage, cell, recorder))
    by_id = {observation.id: observation for observation in stage.recorder.observations()}
    seen = _Seen(stage, cell, enclosing, gateway, by_id)
    return Outcome(
        {
            "a": _traces(seen),
            "b": _parents(seen),
            "c": _prompts(seen),
            "d": _attributes(seen),
            "e": None if answer == expected_answer else f"{answer!r} is not {expected_answer!r}",
            "f": application.changed(),
            "g": _counted(seen),
        },
        stage.recorder.report(),
    )


def run_unspliced(stage: Stage, cell: Cell) -> Any:
    """The answer the application gets without tracesplice."""
    answer = _answer(cell, cell.framework(stage, cell, lambda client: client))
    stage.langfuse.flush()
    # What this call reports must not be taken for the next one's.
    stage.recorder.wait_for(lambda recorder: _arrived(stage, cell, recorder))
    return answer


def _answer(cell: Cell, application: Application) -> Any:
    # In a context of its own: Langfuse's handler leaves a run current after some calls.
    context = copy_context()
    return comparable(context.run(drive, application.run(cell.shape), cell.is_async))


def gateway_generations(stage: Stage, recorder: Recorder) -> list[Observation]:
    """The generations the gateway reported."""
    return [
        observation
        for observation in recorder.observations()
        if observation.id not in stage.client_spans.ids
        and observation.trace_id not in stage.earlier_traces
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


def _traces(seen: _Seen) -> str | None:
    client = {observation.trace_id for observation in seen.client}
    found = len(client | {observation.trace_id for observation in seen.gateway})
    # Where the application opens no trace, each observation or request makes its own.
    wanted = seen.cell.shape.generations
    if seen.cell.is_observed:
        wanted = seen.cell.shape.traces or len(client)
    if seen.cell.enclosed:
        wanted = 1
    return None if found == wanted else f"{found} traces, not {wanted}"


def _parents(seen: _Seen) -> str | None:
    owners = [seen.owner(generation) for generation in seen.gateway]
    found = [owner and owner.id for owner in owners]
    if not seen.cell.is_observed:
        wrong = [owner for owner in found if owner != seen.enclosing]
        return f"under {wrong}, not {seen.enclosing}" if wrong else None
    made = {each.id for each in seen.client_calls}
    wanted = seen.cell.shape.observations
    if len(made) < wanted:
        return f"{len(made)} calls on the client's side, not {wanted}"
    if not set(found) <= made or len(set(found)) != wanted:
        return f"under {found}, not {wanted} of {sorted(made)}"
    inner = {each.parent_id for each in seen.client_generations if each.id not in found}
    if inner & set(found):
        return f"under {inner & set(found)}, with the call's own observation in it"
    for owner, generation in zip(owners, seen.gateway, strict=True):
        # LITELLM_OTEL_V2 does not report what was asked.
        if generation.input and _questions(owner) != _questions(generation):
            return f"{_questions(generation)} under {_questions(owner)}"
    return None


def _questions(observation: Observation | None) -> set[str]:
    return set(_QUESTION.findall(str(observation and observation.input)))


def _prompts(seen: _Seen) -> str | None:
    prompts = seen.stage.prompts
    wanted = {(prompts[name].name, prompts[name].version) for name in seen.cell.prompts}
    for side, observations in (
        ("client", seen.client_generations),
        ("gateway", seen.gateway),
    ):
        found = {(each.prompt_name, each.prompt_version) for each in observations}
        if found - wanted or (observations and wanted - found):
            return f"the {side}'s prompts are {sorted(map(str, found))}, not {sorted(wanted)}"
    for generation in seen.gateway:
        owner = seen.owner(generation)
        if owner in seen.client_generations and owner.prompt_name != generation.prompt_name:
            return f"the gateway's {generation.prompt_name} is under {owner.prompt_name}"
    return None


def _attributes(seen: _Seen) -> str | None:
    given = (ATTRIBUTES["user_id"], ATTRIBUTES["session_id"], tuple(ATTRIBUTES["tags"]))
    wanted = seen.cell.shape.attributes or given
    for generation in seen.gateway:
        found = (generation.user_id, generation.session_id, generation.tags)
        if found[:2] != wanted[:2] or not set(wanted[2]) <= set(found[2]):
            return f"{found} is not {wanted}"
    return None


def _counted(seen: _Seen) -> str | None:
    everything = [
        each for each in seen.by_id.values() if each.trace_id not in seen.stage.earlier_traces
    ]
    found, wanted = _figures(everything), _figures(seen.gateway)
    if found != wanted:
        gateway = _figures(each for each in everything if each not in seen.client)
        side = "the client" if gateway == wanted else "the gateway"
        return f"{side} counts more than once: {found} is not {wanted}"
    # Where the client says zero, somebody else must say what it was.
    free = [each.name for each in seen.gateway if each.level != "ERROR" and not each.cost]
    return f"the gateway counts nothing for {free}" if free and seen.client_calls else None


def _figures(observations: Iterable[Observation]) -> tuple[int, float]:
    """Tokens and dollars, as Langfuse adds them up."""
    both = [(each.usage.get("total", 0), each.cost) for each in observations]
    return sum(tokens for tokens, _ in both), round(sum(cost for _, cost in both), 12)
