"""Write to the terminal: results go to stdout, everything else to stderr.

Colours appear only on a terminal, and only if neither NO_COLOR nor TERM=dumb is set.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from nnfs_cli.display.stderr import write
from nnfs_cli.display.summary import SHOWN
from nnfs_cli.display.text import fold
from nnfs_cli.system.wording import in_a_line, visible

if TYPE_CHECKING:
    from nnfs_cli.workflows.verdicts import Verdict

STYLES = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "interrupted": "\x1b[1;33m",
    "label": "\x1b[1;36m",
    "heading": "\x1b[1m",
    "dim": "\x1b[2m",
    "negative": "\x1b[33m",
}
RESET = "\x1b[0m"
INDENT = 12  # characters that the label of a fact takes
EXCERPT = " | "  # between the number of a line and its text
NARROWEST = 40  # columns; a narrower terminal has to fold the lines itself


# Text


def styled(style: str, text: str, stream: TextIO | None = None) -> str:
    """Return the text in a style if `stream` (stderr by default) is a terminal that shows colours."""
    stream = stream or sys.stderr
    if stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        return f"{STYLES[style]}{text}{RESET}"
    return text


def width_of(stream: TextIO) -> int | None:
    """Return the number of columns of the terminal that `stream` writes to, or None for a file or a pipe."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(int(columns), NARROWEST)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns or 80, NARROWEST)
    except OSError:
        return 80


# Messages on stderr


def fact(label: str, text: str, style: str = "label") -> None:
    """Write a labelled line to stderr; on a terminal, fold it and indent the lines that follow.

    `style` is that of the label.
    """
    write(_labelled(label, text, style, sys.stderr) + "\n")


def print_fact(label: str, text: str, style: str = "label") -> None:
    """Print a labelled line to stdout, as `fact` does to stderr; a file or a pipe gets lines of 80 columns."""
    print(_labelled(label, text, style, sys.stdout, 80))


def _labelled(label: str, text: str, style: str, stream: TextIO, width: int | None = None) -> str:
    line, width = f"{label:<{INDENT}}{in_a_line(text)}", width_of(stream) or width
    lines = fold(line, width, " " * INDENT) if width else [line]
    return styled(style, label, stream) + "\n".join(lines)[len(label) :]


def suggest(text: str, quiet: bool = False) -> None:
    """Write to stderr what to do next, unless `quiet`."""
    if not quiet:
        fact("next", text)


def complain(kind: str, message: str = "") -> None:
    """Write an error, a warning or an interruption to stderr.

    A message that already contains ``file:line:column: error:`` gets no second label.
    """
    message = visible(message)
    labelled = f" {kind}: " in message.partition("\n")[0]
    if width := width_of(sys.stderr):
        message = _folded(message, width, 0 if labelled else len(kind) + 2)
    if labelled:
        text = message.replace(f" {kind}: ", f" {styled(kind, kind + ':')} ")
    else:
        text = f"{styled(kind, kind)}: {message}" if message else styled(kind, kind)
    with contextlib.suppress(OSError):  # if stderr is closed, the exit code still reports the failure
        print(text, file=sys.stderr)


def _folded(message: str, width: int, label: int) -> str:
    """Fold the lines of a message that are too wide, and cut the excerpts of a file.

    The first line follows a label of `label` columns.
    """
    first, *others = message.split("\n")
    lines = fold(" " * label + first, width)
    lines[0] = lines[0][label:]
    skipped = 0
    for i, line in enumerate(others):
        if line[5:8] == EXCERPT:
            if line[:5].strip():  # the line of the file; the next line has the carets
                skipped = _skipped(others[i + 1] if i + 1 < len(others) else "", width - 8)
            lines.append(line[:8] + line[8 + skipped :][: width - 8])
        else:
            lines += [line] if len(line) <= width else fold(line, width)
    return "\n".join(lines)


def _skipped(carets: str, width: int) -> int:
    """Return how many characters to leave out of an excerpt so that the carets below it are within the width."""
    first, last = carets.find("^") - 8, carets.rfind("^") - 8
    return 0 if last < width else max(0, min(first, last + 1 - width))


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on one line of stdout."""
    import json

    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    print("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text))


# Phrases that several commands share


def report_row_weights(data: Mapping[str, Any]) -> None:
    """Write a line about the weights of the rows, unless all rows weigh the same; `data` is the record of a run."""
    weights = data.get("weights", {})
    by = []
    if weights.get("classes"):
        by.append(f"class ({', '.join(f'{label} {weight:.4g}' for label, weight in weights['classes'].items())})")
    if weights.get("column"):
        by.append(f"the column '{weights['column']}'")
    if weights.get("exposure"):
        exposure = weights["exposure"]
        fact(
            "exposure",
            f"the net learns counts per unit of '{exposure}'; figures are those of this rate, weighted by exposure",
        )
    if by:
        fact("weights", f"rows are weighted by {' and '.join(by)}, in the loss and in the metrics")


def report_verdict(verdicts: Sequence[Verdict]) -> None:
    """Write a line for each of the most important verdicts on a net."""
    for verdict in verdicts[:SHOWN]:
        fact("verdict", str(verdict), "warning" if verdict.severity == "warning" else "label")
