"""How things look on the terminal: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "interrupted": "\x1b[1;33m", "dim": "\x1b[2m"}
RESET = "\x1b[0m"


def visible(text: str) -> str:
    """The text with control characters and terminal sequences shown instead of obeyed."""
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def in_a_line(text: str) -> str:
    """The same, with line breaks and tabs shown too."""
    return visible(text).translate({9: "\\t", 10: "\\n"})


def coloured(style: str, text: str) -> str:
    """The text in a colour, on a terminal that shows colours and to a person who wants them."""
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        return f"{COLOURS[style]}{text}{RESET}"
    return text


def note(text: str) -> None:
    """A line for the person watching."""
    _say(f"{visible(text)}\n")


def _say(text: str) -> None:
    """On stderr, at once: what interrupts it begins on a line of its own."""
    try:
        sys.stderr.write(text)
    except BrokenPipeError:  # whoever listened has heard enough, and what is done goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def complain(kind: str, message: str = "") -> None:
    """An error, a warning or an interruption. A message with a place of its own says `error:` itself."""
    message = visible(message)
    with contextlib.suppress(OSError):  # when nobody can be told, the exit code still tells
        _print_complaint(kind, message)


def _print_complaint(kind: str, message: str) -> None:
    if f" {kind}: " in message.partition("\n")[0]:
        print(message.replace(f" {kind}: ", f" {coloured(kind, kind + ':')} "), file=sys.stderr)
    else:
        print(f"{coloured(kind, kind)}: {message}" if message else coloured(kind, kind), file=sys.stderr)


def fact(label: str, text: str) -> None:
    """A labelled line, folded under itself on a terminal and left whole in a file."""
    line = f"{label:<12}{in_a_line(text)}"
    if sys.stderr.isatty():
        width = max(os.get_terminal_size(sys.stderr.fileno()).columns, 40)
        line = textwrap.fill(line, width, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False)
    _say(f"{line}\n")


def number(value: float | None) -> str:
    """A figure with four decimals, fewer where it is large, and in scientific form where decimals say nothing."""
    if value is None or value != value:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or 1e-3 <= abs(value) < 100:
        return f"{value:.4f}"
    if 100 <= abs(value) < 1e9:
        return f"{value:.{max(0, 5 - math.floor(math.log10(abs(value))))}f}"
    return f"{value:.4g}"


def splits_in_words(rows: Mapping[str, int]) -> str:
    """As in "455 to train, 114 to validate"."""
    verbs = {"train": "to train", "validation": "to validate", "test": "to test"}
    return ", ".join(f"{n:,} {verbs[split]}" for split, n in rows.items())


def say_weights(data: Mapping[str, Any]) -> None:
    """A line on how much each row counts, unless they count alike; `data` is what a run keeps of its data."""
    kept = data.get("weights", {})
    ways = []
    if kept.get("classes"):
        ways.append(f"its class ({', '.join(f'{label} {weight:.4g}' for label, weight in kept['classes'].items())})")
    if kept.get("column"):
        ways.append(f"the column '{kept['column']}'")
    if ways:
        fact("weights", f"a row counts by {' and '.join(ways)}, in the losses and metrics too")


def from_threshold(decision: Mapping[str, Any]) -> str:
    """What a threshold between two classes means."""
    return f"{decision['class']} from a probability of {number(decision['threshold'])} on"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Right-aligned columns; the first is left-aligned."""
    rows = [[in_a_line(cell) for cell in row] for row in (header, *rows)]
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([label.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))])
        for label, *cells in rows
    )


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    import json

    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    print("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text))
