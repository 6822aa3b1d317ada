"""The ``tracesplice`` command."""

from __future__ import annotations

import json
import ssl
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest

from tracesplice import _cli
from tracesplice._hooks import Adapters
from tracesplice._plugins import BLOCK_VARIABLE
from tracesplice_cli import _plugins, command
from tracesplice_cli._failed import reason
from unit.fake_adapters import WORKS, FakeAdapters, fakes

if TYPE_CHECKING:
    from click.testing import Result

__all__ = ["fakes"]


@pytest.fixture
def found(fakes: FakeAdapters, monkeypatch: pytest.MonkeyPatch) -> FakeAdapters:
    """Adapters of which nothing but the fakes are found."""
    monkeypatch.setattr(
        _plugins, "installed_adapters", lambda: Adapters(fakes.points(), ["blocked"])
    )
    return fakes


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (
            18,
            "self-signed certificate",
            "is not trusted, self-signed certificate; for an authority",
        ),
        (64, "IP address mismatch.", "is not trusted, IP address mismatch"),
        (10, "certificate has expired", "is not trusted, certificate has expired"),
    ],
)
def test_a_certificate_that_is_not_trusted(code: int, message: str, said: str) -> None:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1006)")
    error.verify_code, error.verify_message = code, message
    assert f"its certificate {said}" in reason(URLError(error))
    # Another authority does not help where the certificate is another server's, or out of date.
    assert ("SSL_CERT_FILE" in reason(URLError(error))) == (code == 18)
    assert "_ssl" not in reason(URLError(error))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("WRONG_VERSION_NUMBER", True),
        ("RECORD_LAYER_FAILURE", True),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", False),
        ("TLSV1_ALERT_PROTOCOL_VERSION", False),
    ],
)
def test_a_server_that_speaks_tls_is_not_advised_to_speak_none(name: str, plain: bool) -> None:
    error = ssl.SSLError(1, f"[SSL: {name}] (_ssl.c:1006)")
    error.reason = name
    said = reason(URLError(error))
    assert name in said
    assert ("http://" in said) == plain
    assert ("no TLS" in said) == plain


def forget(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        monkeypatch.delitem(sys.modules, name)


def run(*args: str) -> Result:
    from click.testing import CliRunner

    return CliRunner().invoke(command, args)


def test_plugins_shows_what_each_adapter_splices(found: FakeAdapters) -> None:
    found.add("wordy", WORKS)
    result = run("plugins")
    for text in ("wordy", "adapter-wordy 1.2", "words", "ok"):
        assert text in result.output
    assert result.exit_code == 0


def test_the_help_says_what_each_command_does() -> None:
    lines = run("--help").output.splitlines()
    assert "  check    Say of each call in a trace what holds, and what does not." in lines
    assert not [line for line in lines[2:] if line.endswith("...")]


def test_on_a_narrow_terminal_no_word_is_cut(
    found: FakeAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    found.add("wordy", WORKS)
    monkeypatch.setenv("COLUMNS", "30")
    output = run("plugins").output
    assert "…" not in output
    assert max(map(len, output.splitlines())) <= 30
    assert output.splitlines() == ["wordy  ok", "  adapter-wordy 1.2", "  words"]


def test_a_problem_is_shown_on_one_line_and_fails(found: FakeAdapters) -> None:
    found.add("wordy", WORKS)
    found.add("broken", WORKS, requires=["a-package-with-quite-a-long-name[and,extras]>=12.34,<56"])
    result = run("plugins")
    window = "a-package-with-quite-a-long-name<56,>=12.34"
    line = f"broken needs {window}, found nothing: pip install '{window}'"
    assert line in result.output.splitlines()
    assert result.exit_code == 1


def test_markup_in_a_problem_is_shown_as_it_is(found: FakeAdapters) -> None:
    found.add("broken", "raise ValueError('[red]x[/nope]')")
    result = run("plugins")
    assert "ValueError: [red]x[/nope];" in result.output
    assert result.exit_code == 1


def test_a_blocked_adapter_is_shown_and_does_not_fail(found: FakeAdapters) -> None:
    found.add("blocked", WORKS)
    result = run("plugins")
    assert "│ blocked │" in result.output
    assert f"unset {BLOCK_VARIABLE}" in result.output
    assert result.exit_code == 0


def test_without_adapters_it_names_the_install_commands(found: FakeAdapters) -> None:
    result = run("plugins")
    assert "pip install 'tracesplice[openai]'" in result.output
    assert "[cli]" not in result.output
    assert "[testing]" not in result.output
    assert result.exit_code == 0


def test_json_has_every_adapter_and_its_state(found: FakeAdapters) -> None:
    found.add("blocked", WORKS)
    found.add("broken", "raise ValueError('x')")
    found.add("wordy", WORKS)
    result = run("plugins", "--json")
    answer = json.loads(result.output)
    assert answer["version"] == version("tracesplice")
    assert [row["state"] for row in answer["adapters"]] == ["blocked", "problem", "ok"]
    assert "ValueError: x" in answer["adapters"][1]["problem"]
    assert answer["adapters"][2] == {
        "name": "wordy",
        "package": "adapter-wordy",
        "version": "1.2",
        "splices": "words",
        "state": "ok",
        "problem": None,
    }
    assert result.exit_code == 1


def test_the_installed_adapters_are_found_and_work() -> None:
    adapters = json.loads(run("plugins", "--json").output)["adapters"]
    assert {"openai": "ok"}.items() <= {row["name"]: row["state"] for row in adapters}.items()


def test_version_is_the_package_s() -> None:
    result = run("--version")
    assert version("tracesplice") in result.output
    assert result.exit_code == 0


@pytest.mark.parametrize("missing", ["click", "rich", "tracesplice_cli"])
def test_without_the_extra_it_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget(monkeypatch, "tracesplice_cli", missing)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr(sys, "argv", ["tracesplice", "plugins"])
    with pytest.raises(SystemExit) as caught:
        _cli.main()
    # Python prints a text and exits with 1.
    assert str(caught.value.code).endswith("pip install 'tracesplice[cli]'")
    assert "\n" not in str(caught.value.code)
    assert capsys.readouterr().out == ""


def test_with_the_extra_it_runs(
    found: FakeAdapters, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found.add("wordy", WORKS)
    monkeypatch.setattr(sys, "argv", ["tracesplice", "plugins"])
    with pytest.raises(SystemExit) as caught:
        _cli.main()
    assert caught.value.code == 0
    assert "adapter-wordy" in capsys.readouterr().out


def test_another_missing_module_is_not_blamed_on_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, "tracesplice_cli")
    monkeypatch.setitem(sys.modules, "tracesplice._hooks", None)
    with pytest.raises(ModuleNotFoundError, match=r"tracesplice\._hooks"):
        _cli.main()
