"""Columns that do not help a net to predict rows that it has not seen, or that hurt it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nnfs_cli.arrays import evenly_spaced
from nnfs_cli.explain.importance import ColumnImportance, importance
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from nnfs_cli.inspection.column_relations import list_columns
from nnfs_cli.system.wording import counted
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST_ROWS = 4_000  # whose cells are shuffled, evenly spaced
MOST_PREDICTED = 400_000  # rows that are predicted, of all columns together
FEWEST = 30
MAIN = 3  # columns whose cells are shown with a row


@dataclass(frozen=True)
class ColumnFinding:
    """The columns that hurt, and those without a clear effect, of `tested` columns, with their importance.

    `main` are the names of the most important columns, the largest growth of the loss first.
    """

    hurting: tuple[ColumnImportance, ...]
    unclear: tuple[ColumnImportance, ...]
    main: tuple[str, ...]
    tested: int
    rows: int

    def plain(self) -> dict[str, Any]:
        """Return the columns for JSON."""
        return {
            "tested": self.tested,
            "rows": self.rows,
            "hurt": [_plain(one) for one in self.hurting],
            "unclear": [_plain(one) for one in self.unclear],
        }

    @property
    def remedy(self) -> str:
        """What to do about these columns."""
        return "leave out what does not help, and compare both configs: nnfs cv"

    def __str__(self) -> str:
        """Return what was found as a sentence; the empty string if every column helps, or none does by itself."""
        parts = []
        if self.hurting:
            verb, their = ("hurts", "its") if len(self.hurting) == 1 else ("hurt", "their")
            parts.append(f"{_listed(self.hurting)} {verb}: with {their} cells shuffled, rows are predicted better")
        if self.unclear and len(self.unclear) < self.tested:
            verb, it = ("does", "it tells") if len(self.unclear) == 1 else ("do", "they tell")
            shown = f"as far as {counted(self.rows, 'row')} show, {it} little that other columns do not tell"
            parts.append(f"{_listed(self.unclear)} {verb} not clearly help: {shown}")
        return "; ".join(parts)


def _listed(columns: Sequence[ColumnImportance]) -> str:
    return list_columns([one.name for one in columns])


def _plain(one: ColumnImportance) -> dict[str, Any]:
    return {"column": one.name, "growth": one.growth, "low": one.low, "high": one.high, "p_value": one.p_value}


def columns_without_use(found: RunPredictions) -> ColumnFinding | None:
    """Return the columns that do not clearly help on held-out rows; None if there are too few rows to tell."""
    inputs = inputs_by_column(found.predictor)
    split = found.largest_held_out
    if split is None or len(found.rows[split]) < FEWEST or not inputs:
        return None
    most = max(FEWEST, min(MOST_ROWS, MOST_PREDICTED // (len(inputs) + 1) // 5))
    rows = found.rows[split].take(evenly_spaced(len(found.rows[split]), most))
    judged = importance(found.predictor, rows, inputs).columns
    hurting = tuple(one for one in reversed(judged) if one.effect == "hurts")
    unclear = tuple(one for one in reversed(judged) if one.effect == "unclear")
    return ColumnFinding(hurting, unclear, tuple(one.name for one in judged[:MAIN]), len(judged), len(rows))
