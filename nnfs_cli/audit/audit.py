"""Audit a data set: find its faults with the predictions of nets that have not seen the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.audit.audited_rows import MOST_COMPARED, AuditedRows
from nnfs_cli.audit.columns import ColumnFinding, columns_without_use
from nnfs_cli.audit.duplicates import duplicates
from nnfs_cli.audit.finding import RowFinding
from nnfs_cli.audit.fold_config import in_folds
from nnfs_cli.audit.near_duplicates import near_duplicates
from nnfs_cli.audit.outliers import far_cells, far_rows
from nnfs_cli.audit.run_slices import slices_of_run
from nnfs_cli.audit.slices import Slices
from nnfs_cli.audit.wrong_answers import wrong_answers
from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.wording import counted, cut
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.workflows.evaluation import Evaluation
from nnfs_cli.workflows.fit import fit
from nnfs_cli.workflows.run_predictions import RunPredictions

LONGEST = 16  # characters of a cell that is shown with a row


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found: kinds of faulty rows, the most important first, columns without use, and slices.

    Slices are groups of rows in which the net is clearly worse. `notes` are sentences about what was
    not looked at.
    """

    rows: AuditedRows
    findings: tuple[RowFinding, ...]
    columns: ColumnFinding | None
    slices: Slices
    notes: tuple[str, ...] = ()

    def plain(self, most: int) -> dict[str, Any]:
        """Return the audit for JSON, with at most so many rows of each finding."""
        return {
            "rows": len(self.rows),
            "judged": len(self.rows.judged),
            "findings": [one.plain(self.rows.number, most) for one in self.findings],
            "columns": self.columns and self.columns.plain(),
            "slices": self.slices.plain(),
            "notes": list(self.notes),
        }

    @property
    def looked_at(self) -> str:
        """How many rows there are, and how many of them nets have predicted without having seen them."""
        n, judged, nets = len(self.rows), len(self.rows.judged), "predicted by nets that have not seen"
        return f"{counted(n, 'row')}, " + (f"each {nets} it" if judged == n else f"{judged:,} of them {nets} them")

    @property
    def summary(self) -> str:
        """How many rows were found of each kind, as in "2 label_errors, 13 copies"; "none" without any."""
        return ", ".join(f"{len(one):,} {one.code}" for one in self.findings) or "none"

    def examples(self, one: RowFinding, most: int) -> tuple[list[str], list[list[str]]]:
        """Return the header and the cells of a table of the worst rows of a finding, with cells that matter most."""
        places = one.rows[:most]
        columns = {"row": [f"{number:,}" for number in self.rows.number[places].tolist()]}
        if self.rows.several_splits:
            columns["split"] = self.rows.split[places].tolist()
        columns |= {name: cells for name in ("given", "likely") if (cells := list(getattr(one, name)[:most]))}
        columns["reason"] = list((one.brief or one.reasons)[:most])
        names = self.columns.main if self.columns is not None and one.given else ()
        columns |= {name: [cut(cell, LONGEST) for cell in self.rows.texts(name, places)] for name in names}
        return [*columns], [list(row) for row in zip(*columns.values(), strict=True)]

    def table(self) -> dict[str, Any]:
        """Return all rows that were found as columns of a table: row, finding, score, given, likely and reason.

        With several splits, `split` follows `row`. A row that has several faults comes several times.
        """
        places = np.concatenate([np.empty(0, np.intp), *(one.rows for one in self.findings)])
        columns: dict[str, Any] = {"row": self.rows.number[places]}
        if self.rows.several_splits:
            columns["split"] = self.rows.split[places]
        columns["finding"] = np.array([one.code for one in self.findings for _ in one.reasons], object)
        columns["score"] = np.concatenate([np.empty(0), *(one.score for one in self.findings)])
        for name in ("given", "likely"):
            cells = (getattr(one, name) or [None] * len(one) for one in self.findings)
            columns[name] = np.array([cell for of_finding in cells for cell in of_finding], object)
        columns["reason"] = np.array([reason for one in self.findings for reason in one.reasons], object)
        return columns


def audit_run(run: RunDirectory, data: Any = None) -> Audit:
    """Audit the rows of a run with its own held-out predictions; `data` is that of `evaluate`.

    Raises `RunError` if the run has no weights or is damaged, `DataError` if its data is missing or does not fit into
    memory.
    """
    return audit_predictions(RunPredictions.of_run(run, data))


def audit_config(
    config: Config,
    announce: Callable[[Experiment], Sequence[Callback]] = lambda _: (),
) -> Audit:
    """Audit the rows of a config: train its net in folds, without writing anything, so that all rows are judged.

    `announce` is called before the training, and returns the callbacks that watch it.
    Raises `ConfigError` if the net cannot be trained in folds, and the errors of training.
    """
    folded = in_folds(config)
    loaded = load_data(folded)
    experiment = prepare(folded, loaded)
    outcome = fit(experiment, last=announce(experiment))
    evaluation = Evaluation(outcome.scored, experiment.predictor)
    found = RunPredictions(experiment.predictor, experiment.splits, evaluation, outcome.calibration, loaded, False)
    left = [path for split, path in config.split.files.items() if split not in folded.split.files]
    return audit_predictions(found, [f"the validation rows, {path.name}, are not looked at" for path in left])


def audit_predictions(found: RunPredictions, notes: Sequence[str] = ()) -> Audit:
    """Audit rows with the predictions of nets that have not seen them; `notes` say what is left out from the start."""
    with thread_limit(found.predictor.config.threads), np.errstate(over="ignore"):
        rows = AuditedRows.of(found)
        findings, columns, slices = tuple(_findings(rows)), columns_without_use(found), slices_of_run(found)
        return Audit(rows, findings, columns, slices, (*notes, *_notes(rows)))


def _findings(rows: AuditedRows) -> Iterator[RowFinding]:
    """Yield what is wrong with the rows, the most important first."""
    yield from wrong_answers(rows)
    yield from duplicates(rows)
    if near := near_duplicates(rows):
        yield near
    if cells := far_cells(rows):
        yield cells
    if far := far_rows(rows, cells.rows if cells else np.empty(0, np.intp)):
        yield far


def _notes(rows: AuditedRows) -> Iterator[str]:
    """Yield what the audit did not look at."""
    left = len(rows) - len(rows.judged)
    if left:
        yield (
            f"the answers of {counted(left, 'row')} are not judged, since the net has learned from them;"
            " `nnfs audit CONFIG` trains nets in folds, and judges all rows"
        )
    if not rows.predictor.config.loss.probabilistic and rows.predictor.encoder.classes:
        yield f"labels are not judged: {rows.predictor.config.loss.name} gives no probabilities"
    if len(rows) > MOST_COMPARED:
        yield f"far rows and near duplicates were looked for among {MOST_COMPARED:,} of the rows, evenly spaced"
