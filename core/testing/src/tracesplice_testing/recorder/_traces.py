"""What a trace says of itself, from all that was written about it, in both storages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_view import parsed

from ._rules import MAX_ID, environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ._draft import TraceWrite
    from ._model import Storage

_TEXTS = ("input", "output")


def said(arrived: Sequence[TraceWrite], storage: Storage) -> dict[str, Any]:
    """The trace's own fields; `arrived` in the order in which the writes did."""
    if not arrived:
        return {}
    fields = _said_old(arrived) if storage == "old" else _said(arrived)
    fields |= {key: parsed(fields[key]) for key in _TEXTS if key in fields}
    return fields | {"environment": environment(fields.get("environment") or "default")}


def _said(arrived: Sequence[TraceWrite]) -> dict[str, Any]:
    """Field by field what arrived last; input and output only of what has no parent.

    EVENTS_AGGREGATION_FIELDS in
    https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/queries/clickhouse-sql/event-query-builder.ts
    and the name: https://github.com/langfuse/langfuse/blob/main/packages/shared/src/eventsTable.ts
    """
    roots = (w.own for w in arrived if w.parentless or w.is_app_root)
    told = ({"name": w.told.get("name")} for w in arrived)
    name = _last(told) or _last({"name": own.get("name")} for own in roots)
    shown = _last({key: w.own.get(key) for key in _TEXTS} for w in arrived if w.parentless)
    return {**name, **shown, **_last(w.about for w in arrived)}


def _said_old(arrived: Sequence[TraceWrite]) -> dict[str, Any]:
    """Later-starting writes win, field by field; tags add up; the first environment stays.

    overwriteObject in
    https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/utils.ts
    """
    writes = sorted(arrived, key=lambda write: write.at)
    fields = _last({**(_given(w.own) if w.is_root else {}), **_given(w.told)} for w in writes)
    fields |= _last(w.about for w in writes)
    fits = {k: v for k, v in fields.items() if not k.endswith("_id") or len(v) <= MAX_ID}
    return {
        **fits,
        "tags": tuple(sorted({tag for w in writes for tag in w.about.get("tags") or ()})),
        "environment": arrived[0].about.get("environment"),
    }


def _last(said: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The last value of each field that is more than empty."""
    return {key: value for fields in said for key, value in fields.items() if value}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}
