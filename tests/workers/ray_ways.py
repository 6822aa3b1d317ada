"""The ways in which Ray is given work, with the calls that each makes; without Ray."""

__all__ = ["BATCH", "FEW", "ITEMS", "RAY_CALLS", "TRACE"]

RAY_CALLS = {
    "a task": 1,
    "a task with options": 1,
    "a generator": 2,
    "from inside a task": 1,
    "a retry": 1,
    "an actor": 5,
    "an asynchronous actor": 6,
    "an actor with threads": 3,
    "a queue, by hand": 1,
    "a dataset": 4,
    "a dataset, by an object": 5,
}
FEW = ("a task", "a generator", "an asynchronous actor")
"""What a second driver does at the same time."""
BATCH = {"tasks": 500, "actors": 120}
ITEMS = 6
TRACE = "trace:"
"""What a driver prints before the id of one; Ray prints more."""
