"""The ways in which Celery is given work, with the calls that each makes."""

__all__ = ["CALLS"]

CALLS = {
    "delay": 1,
    "apply_async, with an ETA": 1,
    "send_task": 1,
    "retry": 1,
    "from inside a task": 1,
    "chain": 2,
    "group": 2,
    "chord": 3,
    "eager": 1,
}
