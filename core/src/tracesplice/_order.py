"""The order in which the observations of a batch are settled."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tracesplice._calls import Place

__all__ = ["inside_out"]


def inside_out(around: Mapping[Place, Place | None], last: Collection[Place] = ()) -> list[Place]:
    """Put a batch's observations in order, each before the one around it.

    Args:
        around: For each the observation around it, whether it is in the batch or not.
        last: Those to come after the others that are directly in the same one. Nothing is in them.
    """
    unsettled = Counter(outer for place, outer in around.items() if place not in last)
    later: defaultdict[Place | None, list[Place]] = defaultdict(list)
    for place in last:
        later[around[place]].append(place)
    settled: list[Place] = []
    ready = [place for place in around if not unsettled[place] and place not in last]
    for place in ready:  # grows meanwhile
        settled += (*later.pop(place, ()), place)
        outer = around[place]
        unsettled[outer] -= 1
        if outer in around and outer is not None and not unsettled[outer]:
            ready.append(outer)
    for left in later.values():
        settled += left
    return settled
