"""`nnfs predict`: predict the target of new rows with a run."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from nnfs_cli.cli.completion import complete_run, complete_table
from nnfs_cli.cli.decide import threshold_rule
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Query, Quiet, Weights, load, split_names
from nnfs_cli.cli.paths import open_run, rows_at, run_meant
from nnfs_cli.cli.terminal import fact, suggest, width_of
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import number, numbers, table
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.system.wording import counted, named, percent, shown

if TYPE_CHECKING:
    from nnfs_cli.data.drift import Drift, DriftRow
    from nnfs_cli.data.sql.source import QuerySource
    from nnfs_cli.prediction.batch_predict import BatchPredictor
    from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.system.remote.file import Location

SHOWN = 20  # columns in the table of drift, at most


class OnErrorChoice(StrEnum):
    """What `--on-error` does with a row that cannot be predicted."""

    stop = "stop"
    skip = "skip"
    null = "null"


InputFiles = Annotated[
    list[str],
    typer.Option(
        metavar="FILE",
        help="Table with the input columns: a file, a folder, or the URL of a file or a database; - reads CSV from"
        " stdin. Repeatable: of several files, or of a pattern such as 'part-*.csv', the column `file` of the output"
        " names the file of each row.",
        autocompletion=complete_table,
    ),
]

OnError = Annotated[
    OnErrorChoice,
    typer.Option(
        metavar="ACTION",
        help="For a row that cannot be predicted: stop, skip the row, or null (write an empty prediction).",
    ),
]

Interval = Annotated[
    float | None,
    typer.Option(
        metavar="LEVEL",
        help="Add a prediction interval, or a set of classes, that contains the truth with this probability, such as"
        " 0.9. Predicted probabilities are calibrated, too.",
    ),
]

Explain = Annotated[
    int | None,
    typer.Option(
        metavar="[K=3]",
        min=1,
        help="Add the K main reasons of each prediction: the columns that raised or lowered it most, with their cells"
        " and effects. The effects of all columns lead from `base` to the prediction.",
    ),
]

Samples = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1000,
        help="With --explain: samples that the effects of a row are averaged over, by default 4. More are more exact"
        " and take as many times longer.",
    ),
]

Output = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="File to write (.csv, .parquet, .feather, .jsonl, .xlsx), its URL in a store such as s3://, or the URL of"
        " a database, with --table; by default CSV to stdout.",
    ),
]

Into = Annotated[
    str | None,
    typer.Option("--table", metavar="NAME", help="Table to add the predictions to, if the output is a database."),
]

Keep = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN,...", help="Copy these columns of the input to the output. Repeatable."),
]


@manual(
    "nnfs predict --input configs/examples/new_rows.csv --run runs/breast_cancer-1",
    "nnfs predict --input configs/examples/new_rows.csv --output out.csv --drift",
    "nnfs predict --input configs/examples/new_rows.csv --explain 3",
    guide="predictions",
)
def predict(
    input: InputFiles,
    run: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Run directory; by default the newest run.", autocompletion=complete_run),
    ] = None,
    query: Query = None,
    output: Output = None,
    into: Into = None,
    weights: Weights = "best",
    keep: Keep = None,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="Copy all columns of the input to the output.")] = False,
    on_error: OnError = OnErrorChoice.stop,
    interval: Interval = None,
    explain: Explain = None,
    samples: Samples = None,
    drift: Annotated[
        bool, typer.Option("--drift", help="Report for each column how much the rows differ from the training rows.")
    ] = False,
    runs: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder that holds the newest run.")] = Path("runs"),
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Predict the target of every row of a table.

    Columns are matched by name, in any order. The target and the columns that the config drops are ignored; other
    columns that the run was not trained on are ignored with a warning.
    """
    load(code)
    from nnfs_cli import workflows

    opened = open_run(run_meant(run, quiet, folder=runs))
    files = _found(input, query)
    _refuse_output(output, into, files)
    if weights == "best" and not quiet and (decision := opened.records.decision()):
        fact("threshold", f"{threshold_rule(decision)} (kept by `nnfs decide`)")
    if interval is not None and not 0 < interval < 1:
        raise UserError(f"--interval takes a probability between 0 and 1, such as 0.9, found {interval:g}")
    if samples is not None and explain is None:
        raise UserError("--samples is for reasons; add --explain")
    predictions = workflows.batch_predictor(
        opened,
        files if len(files) > 1 else files[0],
        weights,
        on_error=on_error.value,
        keep="all" if keep_all else (),
        drift=drift,
        interval=interval,
    )
    if (asked := predictions.predictor.decision.interval) is not None and not quiet:
        _report_calibration(asked.calibration, asked.level, predictions.predictor.labels)
    if explain is not None:
        from nnfs_cli.explain.attributions import SAMPLES
        from nnfs_cli.explain.reasons import MainReasons

        predictions.more = MainReasons.of_run(opened, predictions.predictor, explain, samples or SAMPLES)
    with _naming_run(opened if run is None and quiet else None):
        if not keep_all:
            predictions.keep = _columns_to_keep(keep or (), predictions)
        _write_predictions(predictions, output, into)
    if output is not None and not quiet:
        from nnfs_cli.system.remote.file import location

        place = f"{output}, table {named(into)}" if into else location(output)
        fact("output", f"{place}, {counted(predictions.written, 'prediction')}")
    if predictions.drift:
        _report_drift(predictions.drift, predictions.rows)
    _suggest(output, drift, quiet)


def _found(given: list[str], query: str | None) -> list[Location | QuerySource]:
    """Return the files that paths and patterns name, each once, or the query. Raises `DataError` for a missing file."""
    from nnfs_cli.system.matching import matching_files

    found: dict[Location | QuerySource, None] = {}
    for text in given:
        rows = rows_at(text, query)
        found |= dict.fromkeys(matching_files(rows) if isinstance(rows, Path) else [rows])
    if query and len(found) > 1:
        raise UserError("--query gives the rows of one database; give one --input")
    return [*found]


def _refuse_output(output: str | None, table: str | None, files: list[Location | QuerySource]) -> None:
    """Raise `UserError` for an output that cannot be written to or is an input file."""
    from nnfs_cli.system.files import is_one_of
    from nnfs_cli.workflows.write_rows import check_destination

    if output is None:
        if table:
            raise UserError("--table names a table of a database; name the database with --output")
        return
    check_destination(output, table)
    if is_one_of(Path(output), files):
        raise UserError(f"{output} is the input; name another file for the predictions")


@contextlib.contextmanager
def _naming_run(newest: RunDirectory | None) -> Iterator[None]:
    """Name the newest run in an error about the rows, since no other line names it."""
    try:
        yield
    except DataError as error:
        if newest is None:
            raise
        chosen = f"the run is {newest.path.as_posix()}, the newest; --run names another one"
        raise DataError(f"{error}\n{chosen}", error.problem) from error


def _write_predictions(predictions: BatchPredictor, output: str | None, table: str | None) -> None:
    """Write all predictions to a file, to a database or to stdout, or none at all."""
    import tempfile

    from nnfs_cli.workflows.write_rows import write_blocks, write_rows

    if output is not None:
        write_rows(predictions, output, table)
        return
    with tempfile.SpooledTemporaryFile(max_size=1 << 24) as spool:
        write_blocks(predictions, cast(BinaryIO, spool), ".csv")
        spool.seek(0)
        sys.stdout.flush()
        shutil.copyfileobj(spool, sys.stdout.buffer)
        sys.stdout.flush()


def _suggest(output: str | None, drift: bool, quiet: bool) -> None:
    """Suggest an option that was not used. This reads no file: a finished prediction must not fail here."""
    if output is None:
        suggest("--output FILE.csv or FILE.parquet writes the predictions to a file", quiet)
    elif not drift:
        suggest("--drift reports how far these rows are from the training rows", quiet)


def _report_calibration(calibration: NumberCalibration | ClassCalibration, level: float, labels: Sequence[str]) -> None:
    """Report which rows intervals or sets are calibrated on, and how often they hold the truth on the test rows."""
    from nnfs_cli.prediction.calibration import ClassCalibration

    if isinstance(calibration, ClassCalibration):
        _report_sets(calibration, level, labels)
        return
    bound, test = calibration.scores.bound(level), calibration.test
    if bound is None:  # predicting raises the error that explains why
        return
    text = f"{100 * level:g} %, calibrated on {_calibration_rows(calibration.how, calibration.scores.rows)}"
    if test is not None:
        coverage = ", ".join(percent(share, 1) for share in test.coverage(bound))
        text += f"; they hold the truth for {coverage} of {counted(test.rows, 'test row')}"
    fact("intervals", text)


def _report_sets(calibration: ClassCalibration, level: float, labels: Sequence[str]) -> None:
    """Report as for intervals; and the temperature, if it changes anything, with the calibration error."""
    # Runs of edition 1 have one threshold for all classes.
    of_what = "each class" if len(calibration.scores) == len(labels) else "all classes together"
    rows = _calibration_rows(calibration.how, calibration.rows)
    text = f"{100 * level:g} % for {of_what}, calibrated on {rows}"
    if calibration.test is not None:
        overall, of_class = calibration.coverage(level)
        rows = counted(sum(scores.rows for scores in calibration.test), "test row")
        text += f"; they hold the truth for {percent(overall, 1)} of {rows}"
        worst, label = min((share, label) for share, label in zip(of_class, labels, strict=False) if share >= 0)
        if worst < overall:
            text += f", of class {shown(label, 30)} for {percent(worst, 1)}"
    if (size := calibration.mean_size(level)) is not None:
        text += f"; a set holds {size:.1f} of {len(labels)} classes on average"
    fact("sets", text)
    if calibration.errors:
        from nnfs_cli.prediction.calibration.error import CHANCE

        before, after = (number(error) if error else CHANCE for error in calibration.errors)
        if before == after and number(calibration.temperature) == "1.0000":
            return
        rows = "the test rows" if calibration.test is not None else f"these {_calibration_rows(calibration.how)}"
        found = f"{CHANCE}, before and after" if before == after == CHANCE else f"{before} before, {after} after"
        errors = f"calibration error (rms, less chance) on {rows}: {found}"
        fact("calibrated", f"with temperature {number(calibration.temperature)}; {errors}")


def _calibration_rows(how: str, rows: int | None = None) -> str:
    """Name the rows of a calibration, with their number."""
    named = "validation rows" if how == "validation" else "validation rows (out of fold)"
    return f"{rows:,} {named}" if rows is not None else named


def _columns_to_keep(values: Sequence[str], predictions: BatchPredictor) -> list[str]:
    """Return the columns that `--keep` names; a value that is the name of a column is not split at its commas."""
    if any("," in value for value in values):
        known = predictions.source.names()
        return [name for value in values for name in ([value] if value in known else split_names(value))]
    return [name for value in values for name in split_names(value)]


def _report_drift(drift: Drift, n_rows: int) -> None:
    """Report the drift of each column from the training rows, the largest first."""
    rows = sorted(drift.report(), key=lambda row: (row.chance or 0) - (row.psi or 0))
    note(f"\n{_drift_table(rows[:SHOWN], width_of(sys.stderr))}")
    if len(rows) > SHOWN:
        note(f"and {counted(len(rows) - SHOWN, 'more column')} with less drift")
    note(f"psi is the population stability index, and (chance) its mean over {counted(n_rows, 'row')} without drift")


def _drift_table(rows: Sequence[DriftRow], width: int | None) -> str:
    """Lay out the drift; leave out shares, the last ones first, until the table fits."""
    header = ["column", "psi", "(chance)", "unseen", "outside", "empty", "(before)", "drift"]
    indices = numbers([row.psi for row in rows]), numbers([row.chance for row in rows])
    cells = [
        [shown(row.column, 30), psi, chance, *map(_share, row[3:7]), row.verdict]
        for row, psi, chance in zip(rows, *indices, strict=True)
    ]
    for left_out in range(6):
        kept = [*range(7 - left_out), 7]
        lines = table([header[i] for i in kept], [[row[i] for i in kept] for row in cells])
        if width is None or len(lines.partition("\n")[0]) <= width:
            break
    return lines


def _share(share: float | None) -> str:
    return "-" if share is None else percent(share, 1)
