"""Hands out tasks in one span: `python -m workers.hand_out USER [WAY [COUNT]]`; all ways else."""

from __future__ import annotations

import gc
import sys

from langfuse import propagate_attributes

from workers.celery_app import WAYS, tracer
from workers.ways import CALLS


def main() -> None:
    """Print the trace's id."""
    user, ways, [count, *_] = sys.argv[1], sys.argv[2:3] or list(CALLS), [*sys.argv[3:], "1"]
    with (
        tracer.start_as_current_observation(name="request") as span,
        propagate_attributes(
            user_id=user,
            session_id=f"session of {user}",
            tags=[f"tag of {user}"],
            prompt=tracer.get_prompt("spread"),
        ),
    ):
        for way in ways:
            for number in range(int(count)):
                WAYS[way](f"{user} {way} {number}")
    tracer.flush()
    gc.collect()  # Celery's results mind being collected at exit
    print(span.trace_id)


if __name__ == "__main__":
    main()
