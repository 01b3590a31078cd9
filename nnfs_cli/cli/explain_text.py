"""Print an explanation in the terminal: a table with bars, sentences, and a curve for each main column."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnfs_cli.cli.terminal import print_fact, styled, width_of
from nnfs_cli.display.text import fold, number, numbers, table, value
from nnfs_cli.display.text_curves import shows_braille, text_curves
from nnfs_cli.explain.sentences import (
    EFFECTS,
    answer_text,
    cell_text,
    growth_text,
    interval_text,
    of_dependence,
    rows_text,
    sentences,
)
from nnfs_cli.system.wording import capitalized, counted, cut, in_a_line

if TYPE_CHECKING:
    from nnfs_cli.explain.dependence import Dependence
    from nnfs_cli.explain.explanation import Explanation
    from nnfs_cli.explain.importance import ColumnImportance, Importance

GLUE = "\ue000"  # stands for a space where a line must not break; no text contains it, since it is not printable
LINES = 30  # columns of the table
SIZES = (24, 24), (16, 24), (16, 18), (10, 18), (6, 14)  # of the longest bar and name: the first that fit
LONGEST = 24  # characters of a cell
WIDEST = 72  # columns of a curve
HEIGHT = 8
CELLS = 7  # dates in a list


def print_explanation(found: Explanation) -> None:
    """Print the importance of the columns, what it means in words, and how the answers depend on the main columns."""
    heading, *rows = _importance(found.importance)
    print("\n".join([styled("heading", heading, sys.stdout), *rows]))
    if (more := len(found.importance.columns) - LINES) > 0:
        print(f"and {counted(more, 'column')} with less growth; --json prints all of them")
    print()
    for sentence in sentences(found):
        _print_folded(f"- {sentence}", "  ")
    for one in found.dependence:
        print()
        _print_dependence(one)


def _importance(found: Importance) -> list[str]:
    """Return the lines of the table, its heading first; those of closely related columns come last."""
    shown = [*found.columns[:LINES], *found.together]
    largest = max((one.growth for one in shown), default=0.0)
    metrics = numbers([one.metric for one in shown])
    header = ["column", "", "loss grows", "95 % interval", found.metric_name or "", "effect"]
    for size in SIZES:
        lines = [_line(found, one, largest, size, metric) for one, metric in zip(shown, metrics, strict=True)]
        kept = [i for i in range(len(header)) if i != 4 or found.metric_name is not None]
        cells = [[line[i] for i in kept] for line in (header, *lines)]
        drawn = [line.rstrip() for line in table(cells[0], cells[1:], (0, 1, len(kept) - 1)).splitlines()]
        if max(map(len, drawn)) <= _width():
            break
    n = 1 + min(len(found.columns), LINES)
    return [*drawn[:n], "", *drawn[n:]] if found.together else drawn


def _print_folded(sentence: str, indent: str = "") -> None:
    """Print a sentence in lines, none of which begins with a percent sign."""
    glued = in_a_line(sentence).replace(" %", f"{GLUE}%")
    print("\n".join(fold(glued, _width(), indent)).replace(GLUE, " "))


def _width() -> int:
    return min(width_of(sys.stdout) or 80, 100)


def _line(found: Importance, one: ColumnImportance, largest: float, size: tuple[int, int], metric: str) -> list[str]:
    bar, longest = size
    name = cut(in_a_line(one.name), longest)
    growth = "".join(growth_text(found, one.growth))
    return [name, _bar(one.growth, largest, bar), growth, interval_text(found, one), metric, EFFECTS[one.effect]]


def _bar(amount: float, largest: float, length: int) -> str:
    """Return a bar for an amount, where the largest has this length; none for less than nothing."""
    if not (amount > 0 and largest > 0):
        return ""
    if not shows_braille(sys.stdout):
        return "#" * round(length * amount / largest)
    whole, part = divmod(round(8 * length * amount / largest), 8)
    return "\u2588" * whole + (chr(0x2590 - part) if part else "")


def _print_dependence(found: Dependence) -> None:
    answer = found.answers[found.main]
    print(styled("heading", in_a_line(f"{answer} by {found.column}"), sys.stdout))
    _print_folded(capitalized(of_dependence(found)))
    n, mean = len(found.cells) - found.empty, found.mean[found.main]
    if found.is_curve and found.places is not None:
        points = [(float(f"{place:.4g}"), one) for place, one in zip(found.places[:n], mean[:n], strict=True)]
        braille = shows_braille(sys.stdout)
        drawn = text_curves(
            {"": points},
            min(_width(), WIDEST),
            HEIGHT,
            x_label=in_a_line(found.column),
            x_ends=(value(points[0][0]), value(points[-1][0])),  # a year has no comma
            log_y=False,
            braille=braille,
        )
        print("\n".join(line.rstrip() for line in drawn))
        return
    chosen = range(n) if found.places is None else sorted({round(i * (n - 1) / (CELLS - 1)) for i in range(CELLS)})
    _print_list(found, [*chosen, *([n] if found.empty else [])])


def _print_list(found: Dependence, chosen: Sequence[int]) -> None:
    answer, mean = found.answers[found.main], found.mean[found.main]
    low = 0.0 if min(mean) >= 0 else min(mean)
    rows = [
        [
            f"  {cut(in_a_line(cell_text(found, i)), LONGEST)}",
            _bar(mean[i] - low, max(mean) - low, SIZES[0][0]),
            answer_text(answer, mean[i]),
        ]
        for i in chosen
    ]
    for line in table(["", "", ""], rows, (0, 1)).splitlines()[1:]:
        print(line.rstrip())


def print_rows(found: Explanation, name: str) -> None:
    """Print which rows were looked at, and how well they are predicted as they are."""
    matters = found.importance
    print_fact("rows", f"{name}: {rows_text(found)}; cells shuffled {counted(matters.repeats, 'time')}")
    metric = "" if matters.metric_name is None else f", {matters.metric_name} {number(matters.metric)}"
    print_fact("loss", f"{number(matters.loss)}{metric}, with the cells as they are")
