"""The line that says what is being done."""

from __future__ import annotations

import io
import sys

import pytest

from nnfs_cli.display.status_line import status_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_is_being_done_and_nothing_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "12")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with status_line() as told:
        told("shuffling\x1b[2J age")
        assert screen.getvalue().startswith("shuffling\\x")
        told("b")
    assert screen.getvalue().endswith("\r\x1b[J")
    assert "\x1b[2J" not in screen.getvalue()


@pytest.mark.parametrize("wanted", [True, False])
def test_a_pipe_shows_nothing(wanted: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with status_line(wanted) as told:
        told("shuffling")
    assert capsys.readouterr().err == ""
