"""Run the interactive sessions of a page in one interpreter, and fill in what they print.

`python -m tests.session` reads the sessions from stdin, one JSON text in a line, and writes each one to stdout in the
same way, with its outputs. A name stays defined for the sessions below. An exception ends the program unless the
session shows a traceback there. A warning of nnfs is an output; any other one is an exception.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import traceback
import warnings
from code import InteractiveInterpreter
from typing import Any

from nnfs_cli import NnfsWarning

EXAMPLE = re.compile(r"^>>> (?P<source>.*\n(?:\.\.\.(?: .*)?\n)*)(?P<shown>(?:(?!>>> ).*\n)*)", re.MULTILINE)
TRACEBACK = "Traceback (most recent call last):\n  ...\n"


class Python(InteractiveInterpreter):
    """An interpreter that lets exceptions pass."""

    def showtraceback(self) -> None:
        raise

    def showsyntaxerror(self, filename: str | None = None, **more: Any) -> None:
        raise


def filled(session: str, names: dict[str, Any]) -> str:
    """Return a session with the outputs that come out today; `names` are those defined above it, and are added to.

    Where an output is shown as a few lines and then `...`, only as many lines are filled in.
    """
    return EXAMPLE.sub(lambda example: f">>> {example['source']}{output(example, names)}", session)


def output(example: re.Match[str], names: dict[str, Any]) -> str:
    """Run an example and return what it prints."""
    printed, shown = io.StringIO(), example["shown"].splitlines()
    with contextlib.redirect_stdout(printed):
        try:
            Python(names).runsource(re.sub(r"(?m)^\.\.\. ?", "", example["source"]))
        except Exception as error:
            if not shown or shown[0] != TRACEBACK.splitlines()[0]:
                raise
            print(TRACEBACK + "".join(traceback.format_exception_only(error)), end="")
    lines = printed.getvalue().splitlines()
    if shown and shown[-1] == "...":
        lines = [*lines[: len(shown) - 1], "..."]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def main() -> None:
    """Run the sessions that come in until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("error")
    warnings.filterwarnings("always", category=NnfsWarning)
    warnings.showwarning = lambda message, category, *_: print(f"{category.__name__}: {message}")
    names: dict[str, Any] = {"__name__": "__session__"}
    for line in sys.stdin:
        print(json.dumps(filled(json.loads(line), names)), file=answers, flush=True)


if __name__ == "__main__":
    main()
