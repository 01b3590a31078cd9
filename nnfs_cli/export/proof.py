"""The proof that an exported model predicts what its run does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import ExportError
from nnfs_cli.export.format import Predictions
from nnfs_cli.export.proof_rows import ProofRows
from nnfs_cli.export.rounding import overflowing, rounding_errors
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.prediction.calibration import ClassCalibration
from nnfs_cli.prediction.cells import cells_of
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.wording import counted, named

TOLERANCES = {"float32": 1e-5, "float64": 1e-9}  # the largest relative difference, by the type of the net's numbers
ROUNDINGS = 4  # how many times what rounding alone may do is accepted, if that is more
LABELS = 10  # how many times as close a decision between labels may be, so that either is accepted


@dataclass(frozen=True)
class Proof:
    """What the comparison of an exported model with its run found.

    `difference` is the largest relative difference of a number, and `tolerance` what it may be at most. It is relative
    to the number, or to the typical size of the column if the number is smaller; probabilities are compared as they
    are. Of `held_out` and `made_up` rows together, the run refuses `refused` rows. `extreme` rows lie so far outside
    that rounding alone may move their predictions by more than the tolerance; these count for `difference` as far as
    rounding does not explain it. If a format has no float32, rows are extreme, too, for which a number inside the net
    is too large for float32; these are not compared.
    """

    held_out: int
    made_up: int
    refused: int
    extreme: int
    difference: float
    tolerance: float

    def __str__(self) -> str:
        rows = f"{self.held_out:,} held-out and {self.made_up:,} made-up rows"
        extreme = f"; {counted(self.extreme, 'row')} far outside, where rounding decides" if self.extreme else ""
        return f"{rows}; largest difference {self.difference:.1e}, allowed {self.tolerance:.0e}{extreme}"


def prove(
    predictor: Predictor, pipeline: Pipeline, rows: ProofRows, found: Predictions, overflows: bool = True
) -> Proof:
    """Compare the predictions of an exported model for some rows with those of the run.

    `overflows` is that of the format.
    Raises `ExportError` for the first output that differs by more than the tolerance: 1e-5 for a net of float32, 1e-9
    for one of float64. The label of a row may differ if its decision is about as close as that, or as rounding.
    """
    tolerance = TOLERANCES[predictor.model.parameter_type]
    marks = np.zeros(rows.table.n_rows, bool)
    expected = predictor.predict(rows.table, marks)
    cells = cells_of(predictor.encoder, rows.table)
    beyond = np.zeros(len(marks), bool) if overflows else overflowing(pipeline, cells)
    usable = ~marks & ~beyond
    if not usable.any():
        raise ExportError(
            f"nothing was written: the run itself has no prediction for any of {len(usable):,} rows, so nothing shows"
            " that the exported model is right; are its weights finite?"
        )
    if list(found.outputs) != list(expected):
        raise ExportError(f"the exported model predicts {list(found.outputs)}, and the run {list(expected)}")
    wrong = np.flatnonzero((usable != found.usable) & ~beyond)
    if len(wrong):
        what = "refuses" if usable[wrong[0]] else "accepts"
        raise _difference(rows, wrong[0], f"{what} it, unlike the run")
    largest, extreme, errors = 0.0, beyond, rounding_errors(pipeline, cells)
    slack = LABELS * np.max([np.full(len(marks), tolerance), *(ROUNDINGS * error for error in errors.values())], axis=0)
    for name, column in expected.items():
        if _is_number(column):
            scale = _scale(np.asarray(column), usable, name)
            rounding = ROUNDINGS * errors[name] / scale
            extreme |= (rounding > tolerance) & usable
            differences = _differences(found.outputs[name], np.asarray(column), usable) / scale
            unexplained = np.where(rounding > tolerance, np.maximum(differences - rounding, 0.0), differences)
            row = int(np.argmax(unexplained))
            largest = max(largest, float(unexplained[row]))
            if not largest <= tolerance:
                told = f"predicts {found.outputs[name][row]!s} for {named(name)}, and the run {column[row]!s}"
                raise _difference(rows, row, told)
        else:
            _compare_words(predictor, rows, found, expected, name, usable, slack)
    return Proof(rows.held_out, rows.made_up, int(marks.sum()), int(extreme.sum()), largest, tolerance)


def _is_number(column: object) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "f"


def _scale(expected: Array, usable: Array, name: str) -> Array:
    """Return what differences are relative to, (rows,): 1 for probabilities."""
    expected = np.abs(expected.astype(np.float64))
    if name.startswith("probability_"):
        return np.ones(len(expected))
    typical = float(np.median(expected[usable])) if usable.any() else 1.0
    return np.where(usable, np.maximum(expected, typical or 1.0), 1.0)


def _differences(found: Array, expected: Array, usable: Array) -> Array:
    """Return the differences of the usable rows, (rows,), 0 elsewhere; infinite where one is not a number."""
    found, expected = np.asarray(found, np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        differences = np.abs(found - expected)
    same = (found == expected) | ~usable
    return np.where(same, 0.0, np.where(np.isnan(differences), np.inf, differences))


def _compare_words(
    predictor: Predictor,
    rows: ProofRows,
    found: Predictions,
    expected: Mapping[str, object],
    name: str,
    usable: Array,
    slack: Array,
) -> None:
    """Raise `ExportError` for a label, or a set of labels, that is another one although its decision is not close.

    A decision is close within `slack` (rows,).
    """
    column = expected[name]
    words = column.tolist() if isinstance(column, Texts | np.ndarray) else []
    others = found.outputs[name].tolist()
    for row in np.flatnonzero(usable).tolist():
        if words[row] != others[row] and not _is_close(predictor, rows.table, row, float(slack[row])):
            raise _difference(rows, row, f"predicts {others[row]!r} for {named(name)}, and the run {words[row]!r}")


def _is_close(predictor: Predictor, table: Table, row: int, slack: float) -> bool:
    """Return whether two answers to a row are nearly as good, so that rounding decides between them."""
    answer = predictor.outputs(table.take(np.array([row])))[0].astype(np.float64)
    threshold, interval = predictor.label_thresholds, predictor.decision.interval
    if interval is not None and isinstance(interval.calibration, ClassCalibration):
        p = interval.calibration.scale(answer[None])[0]
        if (np.abs(1 - p - interval.calibration.bound(interval.level)) <= slack).any():
            return True  # a label is nearly in the set, or nearly not
    if predictor.encoder.pairs:
        return bool((np.abs(answer - (0.5 if threshold is None else threshold)) <= slack).any())
    if threshold is not None:
        return bool(np.abs(answer[1] - threshold) <= slack)
    first, second = np.sort(answer)[::-1][:2]
    return bool(first - second <= slack)


def _difference(rows: ProofRows, row: int, told: str) -> ExportError:
    kind = "held-out" if row < rows.held_out else "made-up"
    cells = {name: _shown(column, row) for name, column in rows.table.columns.items()}
    return ExportError(
        f"nothing was written: for a {kind} row the exported model {told}. The row is {str(cells)[:500]}. Please report"
        " this as a bug"
    )


def _shown(column: object, row: int) -> object:
    return column.at(row) if isinstance(column, Texts) else np.asarray(column)[row].item()
