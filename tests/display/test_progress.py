"""The choice of what shows progress: it depends on who watches and where."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from nnfs_cli.display.lines import Lines
from nnfs_cli.display.live import Live
from nnfs_cli.display.notebook import FoldTable, Notebook
from nnfs_cli.display.progress import fold_report, progress_for
from nnfs_cli.training.callbacks import Callback


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def place(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process look like one that runs elsewhere."""
    shell = SimpleNamespace(kernel=1) if name == "notebook" else SimpleNamespace()
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    for interactive in ("console", "ipython", "notebook", "logged console"):
        if name == interactive:
            monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    if name in ("ipython", "notebook"):
        monkeypatch.setitem(sys.modules, "IPython", ipython)  # type: ignore[arg-type]
    else:
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
    on_terminal = name in ("console", "ipython", "script on a terminal")
    monkeypatch.setattr(sys, "stderr", Terminal() if on_terminal else None if name == "window" else io.StringIO())


@pytest.mark.parametrize(
    ("where", "unasked", "asked"),
    [
        ("script", None, Lines),
        ("script on a terminal", None, Live),
        ("console", Live, Live),
        ("logged console", None, Lines),
        ("ipython", Live, Live),
        ("notebook", Notebook, Notebook),
        ("window", None, None),
    ],
)
def test_progress_suits_the_place(
    where: str, unasked: type[Callback] | None, asked: type[Callback] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(where, monkeypatch)
    for verbose, expected in ((None, unasked), (True, asked), (False, None)):
        assert [type(callback) for callback in progress_for(verbose)] == ([expected] if expected else [])
    assert isinstance(fold_report(None, ["a"], 2, 1), FoldTable) == (where == "notebook")


def test_a_thread_is_silent_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    place("console", monkeypatch)
    found: list[list[Callback]] = []
    thread = threading.Thread(target=lambda: found.extend([progress_for(None), progress_for(True)]))
    thread.start()
    thread.join()
    assert [len(callbacks) for callbacks in found] == [0, 1]


def test_folds_are_reported_in_lines_or_not_at_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    for verbose in (None, False, True):
        fold_report(verbose, ["a"], 3, 2)("a", 1, 0, {"accuracy": 0.5})
    assert capsys.readouterr() == ("", "fold 4 of 6: accuracy 0.5000\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_real_console_shows_curves_and_loads_no_ipython() -> None:
    pty = pytest.importorskip("pty")
    control, screen = pty.openpty()
    console = subprocess.Popen([sys.executable, "-i", "-q"], stdin=screen, stdout=screen, stderr=screen)
    os.close(screen)
    lines = [
        "import sys; from nnfs_cli.display.progress import progress_for",
        "print('found', progress_for(None), 'IPython' in sys.modules)",
        "exit()",
    ]
    os.write(control, "\n".join([*lines, ""]).encode())
    shown = b""
    try:
        while select.select([control], [], [], 30)[0]:
            shown += os.read(control, 65_536)
    except OSError:  # the other end is closed
        pass
    finally:
        console.kill()
        console.wait()
        os.close(control)
    assert b"found [<nnfs_cli.display.live.Live object" in shown
    assert b"False" in shown.rpartition(b"found [<")[2]
