"""A comparison of runs, laid out as tables: settings that differ, figures, and differences on the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nnfs_cli.config.yaml import dump_value
from nnfs_cli.display.text import number, numbers, row_count

if TYPE_CHECKING:
    from nnfs_cli.workflows.compare_runs import RunComparison

BEST = "*"  # marks the best figure


class Table(NamedTuple):
    """A header and rows, perhaps with a title above them."""

    header: list[str]
    rows: list[list[str]]
    title: str = ""


def settings_table(found: RunComparison) -> Table:
    """Return a row for each setting that differs, and a column for each run; "-" where a run lacks the setting."""
    rows = []
    for key, values in found.settings.items():
        cells = (dump_value(values[name]) if values.get(name) is not None else "-" for name in found.runs)
        rows.append([key, *cells])
    return Table(["setting", *found.runs], rows)


def figure_tables(found: RunComparison) -> Iterator[Table]:
    """Yield a table for each split, with a row for each run; the best figures are marked."""
    for split, figures in found.figures.items():
        names = [name for name in figures if name != "rows"]
        best = {name: found.best(split, name) for name in names}
        rows = []
        for run in found.runs:
            values = [number(figures[name].get(run)) + (BEST if run in best[name] else " ") for name in names]
            rows.append([run, number(figures.get("rows", {}).get(run)), *values])
        yield Table([split, "rows", *(f"{name} " for name in names)], rows)


def difference_tables(found: RunComparison) -> Iterator[Table]:
    """Yield a table for each run and split, with the differences from the first run on the same rows."""
    first = next(iter(found.runs))
    words = {True: "better", False: "worse", None: "not clearly"}
    for run, of_run in found.differences.items():
        for split, (rows, figures) in of_run.items():
            title = f"{run} - {first}, on the same {row_count(rows, out_of_fold=False)}"
            lines = []
            for name, one in figures.items():
                mean, low, high = numbers(one)
                lines.append([name, mean, f"{low} to {high}", words[found.better(name, one)]])
            yield Table([split, "difference", "95 % interval", "different?"], lines, title)
