"""Langfuse's rules: what becomes of an observation that was sent.

Langfuse has two storages that differ; the recorder keeps only what both keep. The older one
checks every event against a schema and drops the whole observation that fails it:
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/types.ts
Both look a prompt up by name and version, and count usage and cost:
https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ._model import Observation, Problem, ProblemKind, parsed
from ._usage import Prices, cost_details, count, usage_details

if TYPE_CHECKING:
    from ._draft import Draft

PromptExists = Callable[[str, int], bool]
LEVELS = ("DEBUG", "DEFAULT", "WARNING", "ERROR")
# https://langfuse.com/docs/observability/features/sessions and .../users
MAX_ID = 200
_MAX_ENVIRONMENT = 40
# The schema of these two knows neither prompt nor usage, so a bad one is not looked at.
_PLAIN = ("SPAN", "EVENT")


class DroppedError(Exception):
    """The whole observation is dropped; the text says why."""


class Judge:
    """Applies the rules to one draft, collecting what is lost on the way."""

    def __init__(
        self, draft: Draft, project: str, prompt_exists: PromptExists, prices: Prices | None
    ) -> None:
        self._draft = draft
        self._project = project
        self._prompt_exists = prompt_exists
        self._prices = prices
        self.problems: list[Problem] = []

    def verdict(self) -> Observation | None:
        """The observation Langfuse would show, or None; `problems` is filled either way."""
        try:
            return self._observation()
        except DroppedError as dropped:
            self._lose("dropped", str(dropped))
            return None

    def _observation(self) -> Observation:
        draft = self._draft
        if draft.level not in LEVELS:
            raise DroppedError(f"level {draft.level!r} is not one of {', '.join(LEVELS)}")
        prompt_name, prompt_version = self._prompt()
        usage, cost, estimated = self._count()
        return Observation(
            id=draft.id,
            trace_id=draft.trace_id,
            parent_id=draft.parent_id,
            name=draft.name,
            type=draft.type,
            start=draft.start,
            end=max(draft.end, draft.start) if draft.end else None,
            model=draft.model,
            input=parsed(draft.input),
            output=parsed(draft.output),
            level=draft.level,
            status_message=draft.status_message,
            usage=usage,
            cost=cost,
            estimated=estimated,
            prompt_name=prompt_name,
            prompt_version=prompt_version,
            user_id=self._short("user id", draft.user_id),
            session_id=self._short("session id", draft.session_id),
            tags=draft.tags,
            environment=self._environment(),
            metadata=draft.metadata,
            attributes=draft.attributes,
            scope=draft.scope,
            service=draft.service,
            project=self._project,
        )

    def _prompt(self) -> tuple[str | None, int | None]:
        """The prompt link: GENERATION only, a whole version from 1, a prompt that exists."""
        name, version = self._draft.prompt_name, self._draft.prompt_version
        if name is None and version is None:
            return None, None
        if self._draft.type not in _PLAIN:
            _check_prompt(name, version)
        if self._draft.type != "GENERATION":
            self._lose("prompt-type", f"prompt {name!r} on a {self._draft.type} links nothing")
            return None, None
        if not name or not version:
            return None, None
        if not self._prompt_exists(name, version):
            self._lose("prompt", f"no prompt {name!r} version {version}")
            return None, None
        return name, version

    def _count(self) -> tuple[dict[str, int], float, bool]:
        draft = self._draft
        try:
            usage, cost = usage_details(draft.usage), cost_details(draft.cost)
        except ValueError as error:
            raise DroppedError(str(error)) from error
        tokenised = draft.model is not None and draft.level != "ERROR"
        texts = (draft.input, draft.output) if tokenised else None
        counted = count(usage, cost, self._prices, texts)
        if counted.uncounted:
            self._lose("cost", counted.uncounted)
        return counted.usage, counted.cost, counted.estimated

    def _short(self, what: str, value: str | None) -> str | None:
        if value is None or len(value) <= MAX_ID:
            return value
        self._lose("value", f"{what} of {len(value)} characters is over {MAX_ID}")
        return None

    def _environment(self) -> str:
        kept = environment(self._draft.environment)
        if kept != self._draft.environment:
            self._lose("value", f"environment {self._draft.environment!r} becomes {kept!r}")
        return kept

    def _lose(self, kind: ProblemKind, reason: str) -> None:
        draft = self._draft
        self.problems.append(
            Problem(kind, reason, draft.id, draft.trace_id, draft.name, self._project)
        )


def _check_prompt(name: Any, version: Any) -> None:
    """The older storage's schema: a string and an integer, and both or neither."""
    if name is not None and not isinstance(name, str):
        raise DroppedError(f"prompt name {name!r} is no string")
    whole = isinstance(version, int) and not isinstance(version, bool)
    if version is not None and not whole:
        raise DroppedError(f"prompt version {version!r} is no integer")
    if bool(name) != bool(version):
        raise DroppedError(f"prompt name {name!r} with version {version!r}: needs both, from 1")


def environment(value: str) -> str:
    """An environment's name as Langfuse keeps it: lower case, short, not starting "langfuse"."""
    stripped = re.sub(r"^langfuse[-_]?", "", value.lower())[:_MAX_ENVIRONMENT]
    return stripped if re.fullmatch(r"[a-z0-9_-]+", stripped) else "default"


def price_for(model: str | None, table: Mapping[str, Prices], default: Prices) -> Prices | None:
    """The prices of a model; the default stands for every model that is not in the table."""
    return table.get(model, default) if model else None
