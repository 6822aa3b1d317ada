"""The calls in some traces: which observations of both sides tell of the same one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tracesplice_view._call import Call
from tracesplice_view._pairing import TIME, paired, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracesplice_view._model import Observation
    from tracesplice_view._seen import Seen

__all__ = ["calls"]


def calls(seen: Seen) -> list[Call]:
    """Every call of which either side arrived, the application's first, by start."""
    return sorted(_Found(seen).calls(), key=lambda each: (each.own or each.gateway[0]).start)


class _Found:
    """Puts together what tells of the same call."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._leaves = {each.id: each for each in seen.leaf_calls}
        self._children: dict[str | None, list[Observation]] = {}
        for each in seen.by_id.values():
            self._children.setdefault(each.parent_id, []).append(each)

    def calls(self) -> Iterator[Call]:
        """One for each of the application's observations, and for what belongs to none."""
        under: dict[str, list[Observation]] = {}
        stray = []
        for generation in self._seen.gateway:
            owner = self._seen.owner(generation)
            if owner is not None and owner.id in self._leaves:
                under.setdefault(owner.id, []).append(generation)
            else:
                stray.append(generation)
        yield from (self._call(self._leaves[id_], found) for id_, found in under.items())
        yield from self._of_strays([o for o in self._leaves.values() if o.id not in under], stray)

    def _of_strays(self, free: list[Observation], stray: list[Observation]) -> Iterator[Call]:
        pairs = paired(free, stray)
        together: dict[str, list[Observation]] = {}
        for generation in stray:
            if generation.id in pairs:
                together.setdefault(pairs[generation.id][0].id, []).append(generation)
        for own in free:
            found = together.get(own.id, [])
            shared = pairs[found[-1].id][1] if found else None
            yield self._call(own, found, shared)
        yield from (self._alone(each) for each in stray if each.id not in pairs)

    def _alone(self, generation: Observation) -> Call:
        """What no generation of the application's tells of: it belongs to the span around it."""
        owner = self._seen.owner(generation)
        if owner is not None:
            return self._call(owner, [generation])
        around = self._around(generation)
        return self._call(around, [generation], TIME if around else None)

    def _around(self, generation: Observation) -> Observation | None:
        """The shortest span of an application that traces no calls, at that time."""
        if self._leaves:
            return None
        spans = [each for each in self._seen.client if within(generation, each)]
        return max(spans, key=lambda each: each.start, default=None)

    def _call(
        self, own: Observation | None, gateway: list[Observation], shared: str | None = None
    ) -> Call:
        by_id = {each.id: each for each in self._of_call(own, gateway)}
        expected = dataclasses.replace(self._seen.expected, observations=None, traces=1)
        seen = dataclasses.replace(self._seen, expected=expected, by_id=by_id, gateway=gateway)
        return Call(own, tuple(gateway), seen, shared)

    def _of_call(
        self, own: Observation | None, gateway: Iterable[Observation]
    ) -> Iterator[Observation]:
        if own is not None:
            yield own
            yield from self._seen.above(own)
        for generation in gateway:
            above = list(self._seen.above(generation))
            yield from above
            # The gateway's own spans around it, and all in them.
            tops = [each for each in (generation, *above) if each.id not in self._seen.own]
            yield from self._with_all_below(tops[-1])
        if own is not None and own.id in self._leaves:
            yield from self._with_all_below(own)

    def _with_all_below(self, top: Observation) -> Iterator[Observation]:
        waiting, passed = [top], set()
        while waiting:
            each = waiting.pop()
            if each.id not in passed:
                passed.add(each.id)
                yield each
                waiting += self._children.get(each.id, ())
