"""`nnfs predict`: the answers of a run to new rows."""

from __future__ import annotations

import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from nnfs_cli.cli.options import Code, Weights, load
from nnfs_cli.cli.terminal import fact, from_threshold, note, number, table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted, percent

if TYPE_CHECKING:
    from nnfs_cli.data.profile import Drift
    from nnfs_cli.prediction.batch_predict import Predictions
    from nnfs_cli.prediction.calibration import Calibration

SHOWN = 20  # columns of the table of drift
FEW = 200  # rows whose population stability index chance alone moves by 0.1


class OnErrorChoice(StrEnum):
    """What becomes of a row that cannot be used."""

    stop = "stop"
    skip = "skip"
    null = "null"


def predict(
    input: Annotated[
        Path, typer.Option(help="The rows: a CSV, Parquet or npz file with the columns trained on; - for CSV on stdin.")
    ],
    run: Annotated[Path | None, typer.Option(help="The run directory; the newest one unless given.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where to write, as .csv or .parquet; CSV to stdout unless given.")
    ] = None,
    weights: Weights = "best",
    keep: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN,...", help="Columns of the input to put beside the predictions.")
    ] = None,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="Put all columns of the input there.")] = False,
    on_error: Annotated[
        OnErrorChoice,
        typer.Option(help="A row that cannot be used stops all, is skipped, or has an empty (null) prediction."),
    ] = OnErrorChoice.stop,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="LEVEL",
            help="Put bounds beside each number, or sets of classes, that hold the truth with this probability, as 0.9,"
            " and calibrate probabilities.",
        ),
    ] = None,
    drift: Annotated[
        bool, typer.Option("--drift", help="Say how far the rows are from what was trained on, column by column.")
    ] = False,
    runs: Annotated[Path, typer.Option(help="The folder in which the newest run is looked for.")] = Path("runs"),
    code: Code = None,
) -> None:
    """Predict the target of every row of a file, as CSV or Parquet.

    Columns are matched by name, in any order; others, the target among them, are ignored.
    """
    load(code)
    import tempfile

    from nnfs_cli import workflows
    from nnfs_cli.data.write_table import SUFFIXES
    from nnfs_cli.runs.run import Run
    from nnfs_cli.system.files import write_atomically
    from nnfs_cli.system.matching import matching_files

    opened = Run.open(run) if run else Run.newest(runs)
    if run is None:
        fact("run", f"{opened.path.as_posix()}, the newest")
    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output}: predictions are written as .csv or .parquet; name such a file")
    if output is not None and output.exists() and any(map(output.samefile, filter(Path.exists, matching_files(input)))):
        raise UserError(f"{output} is the input; name another file for the predictions")
    if weights == "best" and (decision := opened.decision()):
        fact("threshold", f"{from_threshold(decision)}, as it was chosen by nnfs evaluate")
    if interval is not None:
        if not 0 < interval < 1:
            raise UserError(f"--interval takes a probability between 0 and 1, such as 0.9, found {interval:g}")
        _say_calibration(opened.calibration(), interval)
    kept = [name for names in keep or () for name in _names(names)]
    predictions = workflows.predictions(
        opened,
        input,
        weights,
        on_error=on_error.value,
        keep="all" if keep_all else kept,
        drift=drift,
        interval=interval,
    )
    if output is None:
        with tempfile.SpooledTemporaryFile(max_size=1 << 24) as spool:  # printed whole or not at all
            _write(predictions, cast(BinaryIO, spool), ".csv")
            spool.seek(0)
            sys.stdout.flush()
            shutil.copyfileobj(spool, sys.stdout.buffer)
            sys.stdout.flush()
    else:
        write_atomically(output, lambda file: _write(predictions, file, output.suffix.lower()))
        fact("output", f"{output.as_posix()}, {counted(predictions.written, 'prediction')}")
    if predictions.drift:
        _say_drift(predictions.drift, predictions.rows)


def _say_calibration(calibration: Calibration, level: float) -> None:
    """By which rows, and what is reached on others."""
    bound, test = calibration.scores.bound(level), calibration.test
    if bound is None:
        return  # which the prediction says
    how = "to validate" if calibration.how == "validation" else "out of fold"
    text = f"of {100 * level:g} %, by {counted(calibration.scores.rows, 'row')} {how}"
    if test is not None:
        reached = ", ".join(percent(share, 1) for share in test.coverage(bound))
        text += f"; hold the truth in {reached} of {counted(test.rows, 'test row')}"
    fact("intervals", text)
    if calibration.temperature is not None and calibration.errors:
        before, after = calibration.errors
        where = "test rows" if test is not None else "the same rows"
        errors = f"calibration error {number(before)} without and {number(after)} with it on {where}"
        fact("calibrated", f"by a temperature of {number(calibration.temperature)}; {errors}")


def _names(text: str) -> list[str]:
    """Names with commas between them; one that holds a comma itself stands in quotes, as in CSV."""
    import csv
    import io

    records = csv.reader(io.StringIO(text, newline="")) if '"' in text else [map(str.strip, text.split(","))]
    return [name for record in records for name in record if name]


def _write(predictions: Predictions, file: BinaryIO, suffix: str) -> None:
    from nnfs_cli.data.write_table import writer_for

    with writer_for(suffix, file) as writer:
        for answers in predictions:
            writer.write(answers)


def _say_drift(drift: Drift, n_rows: int) -> None:
    """How far each column is from the training rows, those that are furthest first."""
    rows = sorted(drift.report(), key=lambda row: -(row.psi or 0))
    header = ["column", "psi", "unseen", "outside", "empty", "(before)", "drift"]
    cells = [[row.column[:30], number(row.psi), *map(_share, row[2:6]), row.verdict] for row in rows[:SHOWN]]
    note(f"\n{table(header, cells)}")
    if len(rows) > SHOWN:
        note(f"and {counted(len(rows) - SHOWN, 'more column')}, nearer to what was trained on")
    if n_rows < FEW:
        note(f"of {counted(n_rows, 'row')} a psi says little: chance alone moves it")


def _share(share: float | None) -> str:
    return "-" if share is None else percent(share, 1)
