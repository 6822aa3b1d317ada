"""What one project has been sent, and the traces that come of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tracesplice_view import Observation, Trace

from ._model import Problem, ProblemKind, Storage
from ._prices import PRICES, Prices, price_for
from ._prompts import Prompts
from ._rules import Judge
from ._traces import said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._draft import Draft, TraceWrite


class Project:
    """One project: its keys, prompts, observations, and what was written about its traces."""

    def __init__(
        self,
        public_key: str,
        secret_key: str,
        prices: Mapping[str, Prices] = PRICES,
        default_prices: Prices | None = None,
        storage: Storage = "v4",
    ) -> None:
        self.id = self.public_key = public_key
        self.secret_key = secret_key
        self.prompts = Prompts()
        self._prices = prices
        self._default_prices = default_prices
        self._storage = storage
        self._observations: dict[str, Observation] = {}
        self._writes: dict[str, list[TraceWrite]] = {}
        self._problems: dict[str, list[Problem]] = {}
        self.events: dict[str, list[Mapping[str, Any]]] = {}
        self._over: set[str] = set()

    def put(self, draft: Draft) -> None:
        """Judges a draft; if it is kept, it replaces what its id had before."""
        if draft.trace_id in self._over:
            return
        prices = price_for(draft.model, self._prices, self._default_prices)
        judge = Judge(draft, self.id, self.prompts.exists, prices, self._storage)
        observation = judge.verdict()
        self._problems[draft.id] = judge.problems
        if observation is not None:
            self._observations[draft.id] = observation

    def write(self, write: TraceWrite) -> None:
        """Keeps what was said about a trace as a whole."""
        if write.trace_id not in self._over:
            self._writes.setdefault(write.trace_id, []).append(write)

    def refuse(self, reason: str, kind: ProblemKind = "dropped", **where: str | None) -> None:
        """Records something that belongs to no stored observation."""
        problem = Problem(kind, reason, project=self.id, **where)
        self._problems.setdefault("", []).append(problem)

    def problems(self) -> list[Problem]:
        """All that was lost so far."""
        return [problem for found in self._problems.values() for problem in found]

    def observations(self) -> list[Observation]:
        """All observations, by start time."""
        found = (self._with_trace_context(o) for o in self._observations.values())
        return sorted(found, key=lambda o: (o.start, o.id))

    def traces(self) -> list[Trace]:
        """All traces: those with observations by start time, then those without."""
        grouped: dict[str, list[Observation]] = {}
        for observation in self.observations():
            grouped.setdefault(observation.trace_id, []).append(observation)
        ids = [*grouped, *(i for i in self._writes if i not in grouped)]
        return [
            Trace(i, observations=tuple(grouped.get(i, ())), project=self.id, **self._said(i))
            for i in ids
        ]

    def clear(self, *, for_good: bool = False) -> None:
        """Forgets everything that was sent; keys and prompts stay.

        `for_good` is whether what still comes of these traces is dropped.
        """
        if for_good:
            self._over.update(self._writes, (o.trace_id for o in self._observations.values()))
        for kept in (self._observations, self._writes, self._problems, self.events):
            kept.clear()

    def _with_trace_context(self, observation: Observation) -> Observation:
        """An observation that came as JSON has no user of its own: it takes the trace's.

        https://github.com/langfuse/langfuse/blob/main/worker/src/features/eventPropagation/handleEventPropagationJob.ts
        """
        if observation.id not in self.events:
            return observation
        said = self._said(observation.trace_id)
        kept = {k: said[k] for k in ("user_id", "session_id", "tags") if k in said}
        return replace(observation, **kept)

    def _said(self, trace_id: str) -> dict[str, Any]:
        return said(self._writes.get(trace_id, []), self._storage)
