"""The command line: mistakes end as one clear message with the right exit code."""

import errno
import os
import subprocess
import sys

import click
import pytest

from kit import cli, console
from kit.errors import CheckFailed, KitError
from kit.paths import ROOT


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(words)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch):
    """Replace the verb `doctor` by a function."""

    def replace(action) -> None:
        command = click.Command("doctor", callback=action)
        monkeypatch.setattr(cli._Verbs, "get_command", lambda *_: command)

    return replace


def raiser(error: BaseException):
    def action() -> None:
        raise error

    return action


def test_an_error_is_a_message_and_an_indented_hint(capsys, verb) -> None:
    verb(raiser(KitError("it broke", hint="mend it\nor not")))
    code, out, err = run(capsys, "doctor")
    assert code == 2
    assert out == ""
    assert err == "percepnet: it broke\n           mend it\n           or not\n"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CheckFailed("too slow"), 1, "too slow"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "x", "/a/b"), 2, "no space left on the disk: /a/b"),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), 2, "permission denied: /a"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/a"), 2, "is a directory: /a"),
    ],
)
def test_errors_have_their_exit_code(capsys, verb, error, code, words) -> None:
    verb(raiser(error))
    result, _, err = run(capsys, "doctor")
    assert result == code
    assert err.lstrip("\n") == f"percepnet: {words}\n"


def test_brackets_in_messages_are_printed_as_they_are(capsys, verb) -> None:
    verb(raiser(KitError("shape [1,70] of [bold]x[/]")))
    assert "shape [1,70] of [bold]x[/]" in run(capsys, "doctor")[2]


def test_words_that_would_act_on_the_terminal_are_spelled_out(capsys, verb) -> None:
    verb(raiser(KitError("device `\x1b[2J`", hint="says\r\u202e\x9b nothing")))
    shown = run(capsys, "doctor")[2]
    assert "device `\\x1b[2J`" in shown
    assert "\\u202e\\x9b nothing" in shown
    assert not set(shown) & set("\x1b\r\u202e\x9b")


def test_our_own_bugs_are_not_hidden(verb) -> None:
    verb(raiser(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


def test_an_unknown_verb_is_answered_with_the_nearest(capsys) -> None:
    code, _, err = run(capsys, "buidl")
    assert code == 2
    assert "unknown verb `buidl`" in err
    assert "did you mean `build`?" in err


@pytest.mark.parametrize("words", [["build"], ["run"], ["build", "--nonsense"], ["--nonsense"]])
def test_wrong_use_exits_2_and_points_to_help(capsys, words: list[str]) -> None:
    code, _, err = run(capsys, *words)
    assert code == 2
    assert err.startswith("percepnet: ")
    assert "--help" in err


def test_an_unknown_target_exits_2(capsys) -> None:
    code, _, err = run(capsys, "build", "mps3")
    assert code == 2
    assert "`mps3_an547`" in err


@pytest.mark.parametrize("name", cli._Verbs().list_commands(None))
def test_every_verb_has_help_with_an_example(capsys, name: str) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert "Example" in out
    assert "./tools/percepnet" in out


def test_what_looks_like_an_emoji_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.info("scaled.c:100: line")
    console.table(["place"], [["a:100:"]])
    console.error("b:100:", "c:100:")
    shown = capsys.readouterr()
    assert "scaled.c:100: line" in shown.out
    assert "a:100:" in shown.out
    assert "b:100:" in shown.err
    assert "c:100:" in shown.err


def test_no_verb_at_all_shows_the_help_and_is_wrong_use(capsys) -> None:
    code, out, _ = run(capsys)
    assert code == 2
    assert "Usage: percepnet" in out


def test_a_verb_that_starts_with_a_dash_is_none(capsys) -> None:
    code, _, err = run(capsys, "--", "-x")
    assert code == 2
    assert "-x" in err


def test_a_reader_that_goes_away_is_no_fault_to_tell() -> None:
    """As in `targets | head -1`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "kit", "targets"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, timeout=100)
    os.close(write)
    assert (done.returncode, b"Traceback" in done.stderr) == (cli.EXIT_BROKEN_PIPE, False)
