"""What a call shape is: one way to call models, written once for both kinds of client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["AMBIENT", "OTHER", "OWN", "QUESTION", "QUESTIONS", "Shape", "registry"]

AMBIENT, OWN, OTHER = "ambient", "own", "other"
"""Names of prompts: the one in force around a call, and those that calls name themselves."""

QUESTION = "question-1"
QUESTIONS = [QUESTION, "question-2"]
"""What calls ask: each its own, so that it can be told whose observation is whose."""


@dataclass(frozen=True)
class Shape:
    """One way to call a model.

    Attributes:
        name: As the compatibility table shows it.
        run: Makes the call, given what its application has, and returns the answer.
        kinds: "sync" and "async", as far as the shape exists.
        generations: How many generations the gateway reports for it.
        observations: How many generations the client's tracer makes for it; 0 where it does not
            trace the call, so that it belongs to the enclosing span.
        traces: How many traces those make where no span encloses them; as many as the client's
            tracer makes of them unless said.
        prompts: The names of the prompts that are linked where the client's tracer is told of them.
        attributes: User, session and tags, where the call says so itself.
        told_to: The tracer without which nobody learns what the call says of these; None if it is
            learnt from the call.
        opens_span: Whether it opens a span itself, around its calls or where it asks for streams.
    """

    name: str
    run: Callable[..., Awaitable[Any]]
    kinds: tuple[str, ...] = ("sync", "async")
    generations: int = 1
    observations: int = 1
    traces: int | None = None
    prompts: tuple[str, ...] = (AMBIENT,)
    attributes: tuple[str, str, tuple[str, ...]] | None = None
    told_to: str | None = None
    opens_span: bool = False


def registry(**common: Any) -> tuple[list[Shape], Callable[..., Callable[[Any], Any]]]:
    """Return a list of shapes, and what puts a function into it: called with it, or a decorator."""
    shapes: list[Shape] = []

    def shape(
        name: str, run: Any = None, *, calls: int = 1, **options: Any
    ) -> Callable[[Any], Any]:
        def register(run: Any) -> Any:
            counts = {"generations": calls, "observations": calls}
            shapes.append(Shape(name, run, **{**common, **counts, **options}))
            return run

        if run is not None:
            register(run)
        return register

    return shapes, shape
