"""The page that compares runs: their curves over each other, what differs in their settings, and their figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.charts.scale import has_wide_range
from nnfs_cli.display.learning_curves import CURVES
from nnfs_cli.display.run_comparison import BEST, Table, difference_tables, figure_tables, settings_table
from nnfs_cli.display.text import ROWS_OF
from nnfs_cli.report.blocks import Block, Charts, Facts, Notice, Rows, Section, Text
from nnfs_cli.report.page import page
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.wording import capitalized, counted, listing
from nnfs_cli.workflows.compare_runs import RunComparison, compare_runs

MOST = 8  # runs whose curves are drawn


def comparison_report(runs: Sequence[RunDirectory], data: Any = None) -> str:
    """Return the page that compares two or more runs with the first of them; the errors are those of `compare_runs`."""
    found = compare_runs(runs, data)
    facts = {name: RunFacts(run) for name, run in found.runs.items()}
    makers: list[Callable[[], Section | None]] = [
        lambda: _figures(found),
        lambda: _differences(found),
        lambda: _settings(found),
        lambda: _curves(facts),
    ]
    sections = [section for make in makers if (section := make()) is not None]
    faults = [Notice("bad", "missing", fault) for each in facts.values() for fault in each.faults]
    summary = [*_summary(facts), *faults]
    return page(f"Comparison of {counted(len(runs), 'run')}", "report.html", summary=summary, sections=sections)


def _summary(facts: Mapping[str, RunFacts]) -> list[Block]:
    """Return a line for each run."""
    lines = []
    for name, each in facts.items():
        about = [each.state]
        if each.log is not None:
            about.append(counted(int(each.log["epoch"][-1]), "epoch"))
        if each.best_epoch is not None:
            about.append(f"best epoch {each.best_epoch:,}")
        if each.data is not None:
            about.append(f"data {each.data.get('name', 'unknown')}")
        lines.append((name, ", ".join(about)))
    return [Facts(lines)]


def _figures(found: RunComparison) -> Section:
    """Return the figures of each split, a row for each run; the best of each figure is marked."""
    blocks: list[Block] = []
    for table in figure_tables(found):
        split = table.header[0]
        blocks.append(_rows(table, f"Figures of the {ROWS_OF.get(split, split)}; {BEST} marks the best"))
    return Section("figures", "Figures", blocks or [Text("None of the runs has final figures.")])


def _differences(found: RunComparison) -> Section:
    """Return the paired differences to the first run."""
    blocks: list[Block] = [_rows(table, table.title) for table in difference_tables(found)]
    if blocks:
        why = "Both nets predict the same rows, so the choice of the rows hardly affects the difference between them."
        seeds = "The interval says nothing of other seeds: trained again, the same config may differ by more."
        blocks.insert(0, Text(f"{why} {seeds}"))
    for run, fault in found.unpaired.items():
        blocks.append(Notice("plain", "note", f"{run} cannot be compared row by row: {fault}."))
    return Section("differences", "Paired differences", blocks)


def _settings(found: RunComparison) -> Section:
    """Return the settings that differ, a row for each."""
    table = settings_table(found)
    same: list[Block] = [Text("All settings are the same.")]
    caption = "Settings that differ; all others are the same"
    blocks = [_rows(table, caption, labels=len(table.header))] if table.rows else same
    return Section("settings", "Settings that differ", blocks)


def _rows(table: Table, caption: str, labels: int = 1) -> Rows:
    """Return a table of a comparison as one of a page."""
    header, *rows = ([cell.strip() for cell in row] for row in (table.header, *table.rows))
    return Rows(caption, header, rows, labels)


def _curves(facts: Mapping[str, RunFacts]) -> Section | None:
    """Return each logged figure of all runs over each other."""
    logs = {name: each.log for name, each in facts.items() if each.log is not None}
    drawn = dict([*logs.items()][:MOST])
    columns = dict.fromkeys(column for log in drawn.values() for column in log if column.startswith(("train_", "val_")))
    charts = [(chart, "") for column in sorted(columns, key=_order) for chart in _curve(column, drawn)]
    if not charts:
        return None
    blocks: list[Block] = [Charts(charts)]
    if len(logs) > MOST:
        blocks.append(Text(f"The curves of {listing([*logs][MOST:])} are not drawn.", soft=True))
    return Section("curves", "Learning curves", blocks)


def _curve(column: str, logs: Mapping[str, Mapping[str, Any]]) -> Iterator[Chart]:
    """Yield the chart of a figure; nothing if it is never finite."""
    of, _, name = column.partition("_")
    lines = [Line(log["epoch"], log[column], run) for run, log in logs.items() if column in log]
    together = np.concatenate([line.y for line in lines])
    if np.isfinite(together).any():
        title = f"{capitalized(name)}, {CURVES[of]}"
        yield Chart(title, "epoch", name, lines, y_log=has_wide_range(together))


def _order(column: str) -> tuple[bool, bool, str]:
    """Return where a figure stands: losses first, validation rows first."""
    return not column.endswith("_loss"), column.startswith("train_"), column
