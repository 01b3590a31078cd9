"""Run the interactive sessions of a page in one interpreter, and fill in what they print.

`python -m tests.session` reads the sessions from stdin, one JSON text in a line, and writes each one to stdout in the
same way, with its outputs. A name stays defined for the sessions below. An exception ends the program unless the
session shows a traceback there.
"""

from __future__ import annotations

import doctest
import json
import re
import sys
import warnings
from typing import Any

TRACEBACK = "Traceback (most recent call last):\n  ...\n"
STACK = re.compile(r"(?m)^Traceback .*\n(?: .*\n)+")


class Recorder(doctest.DocTestRunner):
    """Runs examples and keeps what each of them prints."""

    def __init__(self) -> None:
        super().__init__(verbose=False, optionflags=doctest.ELLIPSIS)
        self.outputs: list[str] = []

    def report_start(self, out: Any, test: Any, example: Any) -> None:
        """Say nothing."""

    def report_success(self, out: Any, test: Any, example: doctest.Example, got: str) -> None:
        """Keep what is there: an output that is equal, or a traceback with its last line."""
        self.outputs.append(example.want)

    def report_failure(self, out: Any, test: Any, example: doctest.Example, got: str) -> None:
        """Keep the new output; of a traceback only the message."""
        self.outputs.append(STACK.sub(TRACEBACK, got) if example.exc_msg else got)

    def report_unexpected_exception(self, out: Any, test: Any, example: doctest.Example, exc_info: Any) -> None:
        """Fail."""
        raise exc_info[1]


def filled(session: str, names: dict[str, Any]) -> str:
    """Return a session with the outputs that come out today; `names` are those defined above it, and are added to."""
    parts = doctest.DocTestParser().parse(session)
    examples = [part for part in parts if isinstance(part, doctest.Example)]
    test = doctest.DocTest(examples, names, "session", None, 0, None)
    recorder = Recorder()
    recorder.run(test, clear_globs=False, out=lambda text: None)
    names.update(test.globs)
    outputs = iter(recorder.outputs)
    return "".join(
        prompted(part.source) + re.sub(r"(?m)^\n", "<BLANKLINE>\n", next(outputs))
        if isinstance(part, doctest.Example)
        else part
        for part in parts
    )


def prompted(source: str) -> str:
    """Return the source of an example as it was typed."""
    first, *more = source.splitlines()
    return "".join([f">>> {first}\n", *(f"... {line}".rstrip() + "\n" for line in more)])


def main() -> None:
    """Run the sessions that come in until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("error")
    names: dict[str, Any] = {"__name__": "__session__"}
    for line in sys.stdin:
        print(json.dumps(filled(json.loads(line), names)), file=answers, flush=True)


if __name__ == "__main__":
    main()
