"""The recorder: the server, its projects, and what tests ask of them."""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from . import _otlp
from ._app import application, store
from ._prices import PRICES, Prices
from ._server import Server
from ._state import State
from ._store import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from tracesplice_view import Observation, Trace

    from ._model import Problem, Storage
    from ._otlp import Span

T = TypeVar("T")


class RecorderTimeout(AssertionError):  # noqa: N818 - an assertion about time
    """What was waited for did not come; the text shows what did."""


class Recorder:
    """A stand-in for a Langfuse server, for as long as the `with` block runs.

    `prices` maps a model the server knows to USD for a unit of each kind of usage; with
    `default_prices` it knows every other one, too. `storage` is Langfuse's current one, or the
    tables it had before. Everything is read under one lock, so a predicate sees a consistent state.
    """

    def __init__(
        self,
        *,
        prices: Mapping[str, Prices] = PRICES,
        default_prices: Prices | None = None,
        storage: Storage = "v4",
    ) -> None:
        self._prices = prices
        self._default_prices = default_prices
        self._storage: Storage = storage
        self._state = State()
        self._server: Server | None = None
        self.reset()

    def __enter__(self) -> Recorder:
        self._server = Server(application(self._state))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        if self._server is None:
            raise RuntimeError("the recorder runs only inside its with block")
        return self._server.url

    @property
    def requests(self) -> Counter[str]:
        """How often each endpoint was called, as "METHOD path", with the status if it refused."""
        with self._state.changed:
            return Counter(self._state.requests)

    def env(self) -> dict[str, str]:
        """The environment variables that point a Langfuse client or a gateway here."""
        return {
            "LANGFUSE_HOST": self.url,
            "LANGFUSE_BASE_URL": self.url,
            "LANGFUSE_PUBLIC_KEY": self.public_key,
            "LANGFUSE_SECRET_KEY": self.secret_key,
        }

    def add_project(self, public_key: str, secret_key: str) -> None:
        """Another project with its own keys, prompts and data; its id is its public key."""
        with self._state.changed:
            self._state.projects[public_key] = Project(
                public_key, secret_key, self._prices, self._default_prices, self._storage
            )

    def add_prompt(
        self,
        name: str,
        template: str | Sequence[Mapping[str, Any]],
        *,
        config: Any = None,
        labels: Iterable[str] = (),
        tags: Iterable[str] | None = None,
        commit_message: str | None = None,
        project: str | None = None,
    ) -> int:
        """Adds a prompt version and returns its number; clients ask for label "production"."""
        with self._state.changed:
            prompts = self._state.projects[project or self.public_key].prompts
            made = prompts.add(
                name,
                template,
                config=config,
                labels=tuple(labels),
                tags=tags,
                commit_message=commit_message,
            )
            return made.version

    def traces(self) -> list[Trace]:
        """The traces of every project."""
        with self._state.changed:
            return [
                trace for project in self._state.projects.values() for trace in project.traces()
            ]

    def trace(self, trace_id: str) -> Trace | None:
        """The trace of an id; the first project's, should two have it."""
        return next((trace for trace in self.traces() if trace.id == trace_id), None)

    def observations(self) -> list[Observation]:
        """The observations of every project, by start time in each."""
        with self._state.changed:
            return [o for project in self._state.projects.values() for o in project.observations()]

    def problems(self) -> list[Problem]:
        """What Langfuse would drop of what was sent."""
        with self._state.changed:
            return [p for project in self._state.projects.values() for p in project.problems()]

    def cost_by_user(self) -> dict[str, float]:
        """USD by user id; an observation counts only if it carries the id itself."""
        return self._cost_by(lambda observation: observation.user_id)

    def cost_by_session(self) -> dict[str, float]:
        """USD by session id; an observation counts only if it carries the id itself."""
        return self._cost_by(lambda observation: observation.session_id)

    def wait_for(self, predicate: Callable[[Recorder], T | None], timeout: float = 60.0) -> T:
        """What the predicate returns once that is neither None nor False.

        It is asked again after every request, not on a clock; `timeout` is in seconds.
        """
        deadline = time.monotonic() + timeout
        with self._state.changed:
            while True:
                result = predicate(self)
                if result is not None and result is not False:
                    return result
                left = deadline - time.monotonic()
                if left <= 0:
                    raise RecorderTimeout(f"not within {timeout:g} s; recorded:\n{self.report()}")
                self._state.changed.wait(left)

    def report(self) -> str:
        """All traces as trees, then problems and requests."""
        parts = [trace.tree() for trace in self.traces()]
        parts += [f"problem: {problem}" for problem in self.problems()]
        parts += [f"{count} x {request}" for request, count in sorted(self.requests.items())]
        return "\n".join(parts) or "nothing"

    def reset(self) -> None:
        """As new, at the same address: other keys, no other projects, no prompts, no data."""
        with self._state.changed:
            # Langfuse's SDK keeps one client per public key and process, so a new start needs
            # new keys; what the last test's client still sends is refused.
            self.public_key = f"pk-lf-{secrets.token_hex(8)}"
            self.secret_key = f"sk-lf-{secrets.token_hex(8)}"
            self._state.projects.clear()
            self._state.requests.clear()
            self.add_project(self.public_key, self.secret_key)

    def take(self, body: bytes) -> None:
        """Takes spans as an OTLP protobuf body, for the first project."""
        with self._state.request():
            for span in _otlp.decode(body, "application/x-protobuf", ""):
                store(self._state.projects[self.public_key], span)

    def keep(self, span: Span) -> None:
        """Takes one span, for the first project."""
        with self._state.request():
            store(self._state.projects[self.public_key], span)

    def clear(self, *, for_good: bool = False) -> None:
        """Forgets what was sent and counted; prompts and projects stay.

        `for_good` says that what still comes of the traces so far is not kept either: a gateway
        may report late.
        """
        with self._state.changed:
            for project in self._state.projects.values():
                project.clear(for_good=for_good)
            self._state.requests.clear()

    def _cost_by(self, key: Callable[[Observation], str | None]) -> dict[str, float]:
        sums: defaultdict[str, float] = defaultdict(float)
        for observation in self.observations():
            owner = key(observation)
            if owner is not None:
                sums[owner] += observation.cost
        return dict(sums)
