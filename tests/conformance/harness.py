"""Runs one cell of the compatibility table.

A cell is a call shape in a gateway mode, with or without an enclosing span, with one client tracer
or none. It is judged by what Langfuse was told (``conformance.checks``), and by (e) the same answer
as without tracesplice, (f) the caller's objects unchanged.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from langfuse import Langfuse, propagate_attributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

import tracesplice
from conformance.checks import ATTRIBUTES, ENVIRONMENT, judged
from shapes.answers import comparable
from shapes.either import drive
from shapes.shape import AMBIENT, OTHER, OWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shapes.shape import Shape
    from tracesplice_testing.gateway import Gateway, GatewayMode
    from tracesplice_testing.recorder import Observation, Recorder

__all__ = ["UNTRACED", "Cell", "ClientSpans", "Framework", "Outcome", "Stage", "run_cell"]

# Of its own generations, not of its web framework's; the last is langfuse 2 in older gateways.
GATEWAY_SCOPES = ("litellm", "langfuse-sdk", "ingestion")
UNTRACED = "untraced"


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

    def observations(self) -> list[Observation]:
        """What was reported since then, of no earlier trace and no earlier span."""
        earlier = self.client_spans.ids - self.client_spans.of_cell
        return [
            observation
            for observation in self.recorder.observations()
            if observation.trace_id not in self.earlier_traces and observation.id not in earlier
        ]

    def address(self, mode: GatewayMode | None) -> Address:
        """Where the gateway of a mode is; None is for a stage that has one gateway only."""
        assert mode is not None
        return self.gateways[mode]

    def reported(self, cell: Cell) -> list[Observation]:
        """The gateway's generations of a cell, as soon as all have arrived."""
        return self.recorder.wait_for(lambda _: _arrived(self, cell))


class Address(Protocol):
    """Where a gateway is, and the key it takes."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...


class Application(Protocol):
    """A program that makes the calls of a shape; `changed` says what it finds altered.

    Attributes:
        enclosing: The span of its own that its calls were made in, None if there is none.
    """

    enclosing: str | None

    async def run(self, shape: Shape) -> Any: ...

    def changed(self) -> str | None: ...


class Framework(Protocol):
    """Makes the application of a cell; `splice` is what it does to its client or model.

    Attributes:
        name: As the compatibility table shows it.
    """

    name: str

    def __call__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> Application: ...


@dataclass(frozen=True)
class Cell:
    """One cell of the table."""

    framework: Framework
    shape: Shape
    kind: str
    mode: GatewayMode | None
    enclosed: bool
    tracer: str = UNTRACED

    def __str__(self) -> str:
        around = "span" if self.enclosed else "no-span"
        mode = self.mode.value if self.mode else "wire"
        return f"{self.shape.name}-{self.kind}-{mode}-{around}-{self.tracer}"

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
        return self.shape.prompts if self._is_told else (AMBIENT,)

    @property
    def attributes(self) -> tuple[str, str, tuple[str, ...]]:
        """User, session and tags."""
        ambient = (ATTRIBUTES["user_id"], ATTRIBUTES["session_id"], tuple(ATTRIBUTES["tags"]))
        if self.shape.attributes is None or not self._is_told:
            return ambient
        user, session, tags = self.shape.attributes
        return user, session, (*ambient[2], *tags)

    @property
    def _is_told(self) -> bool:
        """Whether what the call says itself is known to the client's side."""
        return self.shape.told_to in (None, self.tracer)


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: for each check, None or what was wrong."""

    checks: dict[str, str | None]
    recorded: str

    @property
    def wrong(self) -> dict[str, str]:
        """What does not hold."""
        return {name: text for name, text in self.checks.items() if text is not None}


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
    gateway = stage.reported(cell)
    checks = judged(stage, cell, application.enclosing or enclosing, gateway)
    checks["e"] = None if answer == expected_answer else f"{answer!r} is not {expected_answer!r}"
    checks["f"] = application.changed()
    return Outcome(dict(sorted(checks.items())), stage.recorder.report())


def run_unspliced(stage: Stage, cell: Cell) -> Any:
    """The answer the application gets without tracesplice."""
    answer = _answer(cell, cell.framework(stage, cell, lambda client: client))
    stage.langfuse.flush()
    stage.reported(cell)  # must not be taken for what the next call reports
    return answer


def _answer(cell: Cell, application: Application) -> Any:
    # In a context of its own: Langfuse's handler leaves a run current after some calls.
    context = copy_context()
    return comparable(context.run(drive, application.run(cell.shape), cell.is_async))


def gateway_generations(stage: Stage) -> list[Observation]:
    """The generations the gateway reported."""
    return [
        observation
        for observation in stage.observations()
        if observation.id not in stage.client_spans.ids
        and observation.type == "GENERATION"
        and observation.scope in GATEWAY_SCOPES
    ]


def _arrived(stage: Stage, cell: Cell) -> list[Observation] | None:
    generations = gateway_generations(stage)
    by_id = {observation.id: observation for observation in stage.observations()}
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


@contextmanager
def client_side(recorder: Recorder, **options: Any) -> Iterator[dict[str, Any]]:
    """What a stage has on the application's side: one Langfuse client, and prompts."""
    for name in (AMBIENT, OWN, OTHER):
        recorder.add_prompt(name, "Never used", labels=[])
        recorder.add_prompt(name, "Say {{what}}", labels=["production"])
    spans = ClientSpans()
    # As Langfuse makes its own: OpenInference's spans have their environment from there.
    provider = TracerProvider(resource=Resource({"langfuse.environment": ENVIRONMENT}))
    provider.add_span_processor(spans)
    client = Langfuse(
        base_url=recorder.url,
        public_key=recorder.public_key,
        secret_key=recorder.secret_key,
        tracer_provider=provider,
        environment=ENVIRONMENT,
        flush_at=1,
        mask_otel_spans=tracesplice.count_usage_once(),
        **options,
    )
    yield {
        "recorder": recorder,
        "langfuse": client,
        "provider": provider,
        "client_spans": spans,
        "prompts": {name: client.get_prompt(name) for name in (AMBIENT, OWN, OTHER)},
    }
    client.shutdown()
    provider.shutdown()  # spans that OpenInference ends late have nowhere to go
