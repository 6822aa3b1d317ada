"""Langfuse's rules: what becomes of an observation that was sent.

Langfuse has two storages that differ. The current one keeps nearly everything. The older one checks
every event against a schema and drops the whole observation that fails it:
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/types.ts
Both look a prompt up by name and version, and count usage and cost:
https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracesplice_view import Observation, parsed

from ._model import Problem, ProblemKind, Storage
from ._prompt_link import DroppedError, PromptExists, prompt_link
from ._usage import Counted, cost_details, count, unread, usage_details

if TYPE_CHECKING:
    from datetime import datetime

    from ._draft import Draft
    from ._prices import Prices

# https://langfuse.com/docs/observability/features/sessions and .../users
MAX_ID = 200
_MAX_ENVIRONMENT = 40


class Judge:
    """Applies the rules to one draft, collecting what is lost on the way."""

    def __init__(
        self,
        draft: Draft,
        project: str,
        prompt_exists: PromptExists,
        prices: Prices | None,
        storage: Storage,
    ) -> None:
        self._draft = draft
        self._project = project
        self._prompt_exists = prompt_exists
        self._prices = prices
        self._old = storage == "old"
        self.problems: list[Problem] = []

    def verdict(self) -> Observation | None:
        """The observation Langfuse would show, or None; `problems` is filled either way."""
        try:
            return self._observation()
        except DroppedError as error:
            self._lose("dropped", str(error))
            return None

    def _observation(self) -> Observation:
        draft = self._draft
        prompt_name, prompt_version = self._prompt()
        counted = self._count()
        return Observation(
            id=draft.id,
            trace_id=draft.trace_id,
            parent_id=draft.parent_id,
            name=draft.name,
            type=draft.type,
            start=draft.start,
            end=self._end(),
            model=draft.model,
            input=parsed(draft.input),
            output=parsed(draft.output),
            level=draft.level,
            status_message=draft.status_message,
            usage=counted.usage,
            cost=counted.cost,
            estimated=counted.estimated,
            priced=counted.priced,
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

    def _end(self) -> datetime | None:
        end = self._draft.end
        return max(end, self._draft.start) if end and self._old else end

    def _prompt(self) -> tuple[str | None, int | None]:
        """The prompt link: on a GENERATION only, and a version that exists."""
        draft = self._draft
        if draft.prompt_name is None and draft.prompt_version is None:
            return None, None
        if draft.type != "GENERATION":
            self._lose("prompt-type", f"prompt {draft.prompt_name!r} on a {draft.type}: no link")
            return None, None
        linked = prompt_link(
            draft.prompt_name, draft.prompt_version, self._prompt_exists, strict=self._old
        )
        if linked is None:
            self._lose("prompt", f"no prompt {draft.prompt_name!r} version {draft.prompt_version}")
        return linked or (None, None)

    def _count(self) -> Counted:
        draft = self._draft
        # The JSON batch and the older storage have the schema, which takes no cost below 0.
        usage = usage_details(draft.usage)
        cost = cost_details(draft.cost, negative=not (self._old or draft.is_event))
        if bad := unread(draft.usage or {}, usage) + unread(draft.cost or {}, cost):
            self._lose("value", f"usage or cost of {', '.join(bad)} is no number it takes")
        # An error is not tokenised there either; the current storage does not look at the level.
        spared = draft.level == "ERROR" and (self._old or draft.is_event)
        texts = None if spared or draft.model is None else (draft.input, draft.output)
        counted = count(usage, cost, self._prices, texts)
        if counted.uncounted:
            self._lose("cost", counted.uncounted)
        return counted

    def _short(self, what: str, value: str | None) -> str | None:
        if value is None or len(value) <= MAX_ID or not self._old:
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


def environment(value: str) -> str:
    """An environment's name as Langfuse keeps it: lower case, short, not starting "langfuse"."""
    stripped = re.sub(r"^(?:langfuse[-_]?)+", "", value.lower())[:_MAX_ENVIRONMENT]
    return stripped if re.fullmatch(r"[a-z0-9_-]+", stripped) else "default"
