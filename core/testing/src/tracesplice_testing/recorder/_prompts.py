"""Prompts: versions count up, a label sits on one version, "latest" on the newest.

https://github.com/langfuse/langfuse/tree/main/web/src/features/prompts/server
https://langfuse.com/docs/prompt-management/features/prompt-version-control
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

Template = str | Sequence[Mapping[str, Any]]


class InvalidPromptError(ValueError):
    """A prompt Langfuse would refuse with 400."""


@dataclass(frozen=True)
class Prompt:
    """One version of a prompt."""

    name: str
    version: int
    template: Template
    config: Any
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    commit_message: str | None
    created: datetime

    @property
    def id(self) -> str:
        """The id Langfuse would give it; here made of name and version."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}@{self.version}"))

    @property
    def type(self) -> str:
        """Text or chat."""
        return "text" if isinstance(self.template, str) else "chat"

    def json(self, project: str) -> dict[str, Any]:
        """The body of `GET /api/public/v2/prompts/{name}`."""
        created = self.created.isoformat()
        return {
            "id": self.id,
            "projectId": project,
            "createdAt": created,
            "updatedAt": created,
            "createdBy": "API",
            "name": self.name,
            "version": self.version,
            "type": self.type,
            "prompt": self.template,
            "config": self.config,
            "labels": list(self.labels),
            "tags": list(self.tags),
            "commitMessage": self.commit_message,
            "resolutionGraph": None,
        }


class Prompts:
    """The prompts of one project."""

    def __init__(self) -> None:
        self._versions: dict[str, list[Prompt]] = {}

    def add(
        self,
        name: str,
        template: Template,
        *,
        config: Any = None,
        labels: Iterable[str] = (),
        tags: Iterable[str] | None = None,
        commit_message: str | None = None,
    ) -> Prompt:
        """Adds the next version; its labels leave the versions that had them."""
        versions = self._versions.get(name, [])
        version = len(versions) + 1
        taken = {"latest", *labels}
        kept_tags = tuple(tags) if tags is not None else versions[-1].tags if versions else ()
        made = Prompt(
            name,
            version,
            template if isinstance(template, str) else [dict(message) for message in template],
            {} if config is None else config,
            tuple(dict.fromkeys([*labels, "latest"])),
            kept_tags,
            commit_message,
            datetime.now(timezone.utc),
        )
        if versions and versions[-1].type != made.type:
            raise InvalidPromptError(
                "Previous versions have different prompt type. Create a new prompt"
            )
        older = (
            replace(p, labels=tuple(x for x in p.labels if x not in taken), tags=kept_tags)
            for p in versions
        )
        self._versions[name] = [*older, made]
        return made

    def find(
        self, name: str, *, version: int | None = None, label: str | None = None
    ) -> Prompt | None:
        """A version by number, or by label; by the label "production" if neither is given."""
        wanted = label or "production"
        for prompt in self._versions.get(name, ()):
            if prompt.version == version or (version is None and wanted in prompt.labels):
                return prompt
        return None

    def exists(self, name: str, version: int) -> bool:
        """Whether an observation that names this version gets linked."""
        return self.find(name, version=version) is not None

    def all(self) -> list[list[Prompt]]:
        """The versions of each prompt, by name."""
        return [self._versions[name] for name in sorted(self._versions)]


def from_request(body: Any) -> dict[str, Any]:
    """The arguments of `Prompts.add` from the body of `POST /api/public/v2/prompts`."""
    if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"]:
        raise InvalidPromptError("Invalid request data")
    wanted = list if body.get("type") == "chat" else str
    if not isinstance(body.get("prompt"), wanted):
        raise InvalidPromptError("Invalid request data")
    return {
        "name": body["name"],
        "template": body["prompt"],
        "config": body.get("config"),
        "labels": body.get("labels") or (),
        "tags": body.get("tags"),
        "commit_message": body.get("commitMessage"),
    }
