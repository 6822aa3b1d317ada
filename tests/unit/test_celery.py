"""What the Celery adapter puts into a task's message, and when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from langfuse import propagate_attributes

import tracesplice
import tracesplice_celery
from tracesplice_wire import decode_carrier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse


def work() -> None:
    """A task."""


@pytest.fixture
def app() -> Iterator[Celery]:
    tracesplice_celery.install()
    with Celery("work", broker="memory://", set_as_current=False) as app:
        yield app
    tracesplice_celery.uninstall()


def headers(app: Celery, **options: Any) -> dict[str, Any]:
    """Those of the message that handing out a task makes."""
    app.send_task("work", **options)
    with app.connection_for_read() as connection, connection.channel() as channel:
        message = app.amqp.queues["celery"](channel).get(no_ack=True)
    return dict(message.headers)


def test_a_task_carries_the_place_where_it_is_handed_out(app: Celery, langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="s") as span, propagate_attributes(user_id="u"):
        link = decode_carrier(json.loads(headers(app)["tracesplice"])).link
    assert (link.trace_id, link.parent_id, link.user_id) == (span.trace_id, span.id, "u")


def test_installing_twice_is_installing_once(app: Celery, langfuse: Langfuse) -> None:
    tracesplice_celery.install()
    tracesplice_celery.uninstall()
    with langfuse.start_as_current_observation(name="s"):
        assert "tracesplice" not in headers(app)


def test_where_nothing_is_open_there_is_nothing_to_carry(app: Celery) -> None:
    assert "tracesplice" not in headers(app)


def test_the_callers_own_carrier_stays(app: Celery, langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="s"):
        carrier = tracesplice.capture()
    with langfuse.start_as_current_observation(name="another"):
        assert headers(app, headers={"tracesplice": carrier})["tracesplice"] == carrier


def test_splicing_an_app_says_what_to_type(app: Celery) -> None:
    with pytest.raises(tracesplice.TracespliceError, match=r"tracesplice_celery\.install\(\)"):
        tracesplice.splice(app)
    with pytest.raises(tracesplice.TracespliceError, match=r"tracesplice_celery\.install\(\)"):
        tracesplice.splice(app.task(work))
