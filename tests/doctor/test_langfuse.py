"""What the doctor says of Langfuse, and of the environment that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doctor.between import between
from tracesplice_cli._settings import LANGFUSE_CLOUD
from tracesplice_testing.gateway._process import free_port

if TYPE_CHECKING:
    from doctor.conftest import Doctor
    from tracesplice_testing.recorder import Recorder

# No gateway is named here, and that is a problem of its own.
NO_GATEWAY = "gateway.server"


def test_langfuse_is_down(doctor: Doctor) -> None:
    outcome = doctor.with_(LANGFUSE_BASE_URL=f"http://127.0.0.1:{free_port()}").run("--probe")
    assert outcome.problems() == {NO_GATEWAY, "langfuse.server"}
    assert "Connection refused" in outcome.text("langfuse.server")
    assert outcome.state("probe.calls") == "unknown"
    assert outcome.code == 1


@pytest.mark.parametrize("address", ["", LANGFUSE_CLOUD])
def test_langfuse_s_cloud_is_down(doctor: Doctor, address: str) -> None:
    away = {"LANGFUSE_HOST": "", "HTTPS_PROXY": "http://127.0.0.1:9"}
    cloud = doctor.with_(LANGFUSE_BASE_URL=address, **away)
    text = cloud.run().text("langfuse.server")
    assert f"No Langfuse answers at {LANGFUSE_CLOUD}" in text
    assert ("LANGFUSE_BASE_URL is not set" in text) == (not address)


def test_the_older_variable_is_read(recorder: Recorder, doctor: Doctor) -> None:
    older = doctor.with_(LANGFUSE_BASE_URL="", LANGFUSE_HOST=f"{recorder.url}/")
    assert older.run().problems() == {NO_GATEWAY}


def test_another_server_is_no_langfuse(doctor: Doctor, recorder: Recorder) -> None:
    with between(recorder.url, answered=lambda body: body.replace(b"version", b"other")) as url:
        outcome = doctor.with_(LANGFUSE_BASE_URL=url).run()
    assert "is no Langfuse (HTTP 200" in outcome.text("langfuse.server")
    assert "langfuse.keys" not in outcome.findings


def test_an_address_of_another_kind(doctor: Doctor) -> None:
    outcome = doctor.with_(LANGFUSE_BASE_URL="file:///etc/hostname").run()
    assert "is no address" in outcome.text("langfuse.server")


def test_wrong_keys(doctor: Doctor, recorder: Recorder) -> None:
    outcome = doctor.with_(LANGFUSE_SECRET_KEY="sk-lf-wrong-and-long-enough").run()
    assert outcome.problems() == {NO_GATEWAY, "langfuse.keys"}
    assert "sk-l…ough" in outcome.text("langfuse.keys")
    assert f"pk-l…{recorder.public_key[-4:]}" in outcome.text("langfuse.keys")
    assert "sk-lf-wrong-and-long-enough" not in outcome.output
    assert recorder.public_key not in outcome.output


def test_keys_in_each_others_place(doctor: Doctor, recorder: Recorder) -> None:
    swapped = {
        "LANGFUSE_PUBLIC_KEY": recorder.secret_key,
        "LANGFUSE_SECRET_KEY": recorder.public_key,
    }
    said = doctor.with_(**swapped).run().text("langfuse.keys")
    assert "each in the other's variable" in said
    assert "each in the other's" not in doctor.with_(
        LANGFUSE_SECRET_KEY="sk-lf-wrong-and-long-enough"
    ).run().text("langfuse.keys")


def test_keys_that_are_not_set(doctor: Doctor) -> None:
    nothing = doctor.with_(LANGFUSE_PUBLIC_KEY="", LANGFUSE_SECRET_KEY="")
    assert "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are" in nothing.run().text("langfuse.keys")
    outcome = doctor.with_(LANGFUSE_SECRET_KEY="").run()
    assert "LANGFUSE_SECRET_KEY is not set" in outcome.text("langfuse.keys")
    assert "export LANGFUSE_PUBLIC_KEY" not in outcome.text("langfuse.keys")


@pytest.mark.parametrize(
    ("check", "variables", "says"),
    [
        ("tracing", {"LANGFUSE_TRACING_ENABLED": "False"}, "unset LANGFUSE_TRACING_ENABLED"),
        ("tracing", {"OTEL_SDK_DISABLED": "TRUE"}, "unset OTEL_SDK_DISABLED"),
        ("sample_rate", {"LANGFUSE_SAMPLE_RATE": "0"}, "unset LANGFUSE_SAMPLE_RATE"),
        ("sample_rate", {"LANGFUSE_SAMPLE_RATE": "50%"}, "is no rate"),
        ("sample_rate", {"LANGFUSE_SAMPLE_RATE": "2"}, "is no rate"),
        ("sampler", {"OTEL_TRACES_SAMPLER": "always_off"}, "unset OTEL_TRACES_SAMPLER"),
        ("sampler", {"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, "No trace is sampled"),
        (
            "sampler",
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"},
            "No trace is sampled",
        ),
    ],
    ids=lambda value: (
        "=".join(*value.items()) if isinstance(value, dict) and len(value) < 2 else ""
    ),
)
def test_what_keeps_traces_from_being_reported(
    doctor: Doctor, check: str, variables: dict[str, str], says: str
) -> None:
    outcome = doctor.with_(**variables).run()
    assert outcome.problems() == {NO_GATEWAY, f"environment.{check}"}
    assert says in outcome.text(f"environment.{check}")


@pytest.mark.parametrize(
    ("check", "variables"),
    [
        ("sample_rate", {"LANGFUSE_SAMPLE_RATE": "0.25"}),
        (
            "sampler",
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
        ),
    ],
)
def test_a_share_of_the_traces_is_no_fault(
    doctor: Doctor, check: str, variables: dict[str, str]
) -> None:
    outcome = doctor.with_(**variables).run()
    assert outcome.problems() == {NO_GATEWAY}
    assert "0.25 of all traces" in outcome.text(f"environment.{check}")


def test_what_a_server_says_cannot_move_the_cursor(doctor: Doctor, recorder: Recorder) -> None:
    def answered(body: bytes) -> bytes:
        return body.replace(b'"version":"', b'"version":"\\u001b]0;mine\\u0007\\u202e\\u009b')

    with between(recorder.url, answered=answered) as url:
        shown = doctor.with_(LANGFUSE_BASE_URL=url).show()
    assert "]0;mine" in shown
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)


def test_a_narrow_terminal_cuts_no_command(doctor: Doctor) -> None:
    shown = doctor.with_(COLUMNS="40", LANGFUSE_SECRET_KEY="").show(
        "--gateway", "http://127.0.0.1:9"
    )
    assert "      export LANGFUSE_SECRET_KEY=sk-lf-...\n" in shown
    assert "      tracesplice doctor --gateway http://localhost:4000\n" in shown
    texts = [line for line in shown.splitlines() if not line.startswith(("      ", "…"))]
    assert max(map(len, texts)) <= 40
    assert "2 to mend." in shown
