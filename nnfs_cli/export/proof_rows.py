"""The rows that an exported model must predict as the run does: held-out rows, and made-up edge cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import DAY
from nnfs_cli.data.table import Column, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, RunError
from nnfs_cli.explain.explained_rows import ExplainedRows
from nnfs_cli.export.turning_points import turning_points
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.prediction.cells import cells_of
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.random import random_stream
from nnfs_cli.workflows.run_predictions import RunPredictions

HELD_OUT, MADE_UP = 1_000, 1_000  # rows
TYPICAL = 0.5  # share of the made-up rows without an edge case
TURNED = 250  # of the typical rows, how many have numbers at turning points
LARGEST = float(np.finfo(np.float32).max)
NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-30, 1e6, -1e6, 1e15, -1e15, LARGEST, -LARGEST)
WORDS = ("", " ", "a word that no row held", "ünïcödé 🦊", "0", "nan", "'\"\\`<>&;|,\t\n", "nul \0 inside", "x" * 300)
ALIKE = 5  # words of a column that words are made like
WHOLE = 0.7  # share of the made-up numbers that are whole, where those of the training rows may be
YEARS = 4  # of a column of dates whose ends are rows
DATES = (
    *("0001-01-03", "1582-10-15", "1900-02-28", "1900-12-31", "1969-12-31T23:59:59.999999", "2000-02-29"),
    *("2000-12-31", "2100-03-01", "9999-12-29"),
)


class ProofRows(NamedTuple):
    """The rows as a table, and how many of them, the first ones, were held out; the others are made up."""

    table: Table
    held_out: int

    @property
    def made_up(self) -> int:
        """How many rows are made up."""
        return self.table.n_rows - self.held_out


def proof_rows(run: RunDirectory, predictor: Predictor, pipeline: Pipeline, data: Any = None) -> ProofRows:
    """Return up to 1,000 held-out rows of a run, if its data is there, and 1,000 made-up rows.

    `pipeline` is that of the predictor: some made-up rows lie on both sides of its turning points. `data` holds the
    rows of the run, if they are not where the config says.
    """
    kinds = dict(predictor.encoder.kinds)
    exposure = predictor.encoder.exposure
    held_out = _held_out(run, data)
    if held_out is not None and exposure is not None:
        kinds[exposure] = "number"
    some = {} if held_out is None else {name: held_out.column(name) for name in kinds}
    inputs = run.records.data()["inputs"]
    made = made_up(inputs, predictor.config.seed)
    if exposure is not None:
        made[exposure] = np.resize([1.0, 0.5, 12.0], MADE_UP)
    made |= _turned(made, inputs, predictor, pipeline)
    n = 0 if held_out is None else held_out.n_rows
    columns = {name: _joined(some[name], made[name], kinds[name]) if n else made[name] for name in made}
    return ProofRows(Table("the rows of the proof", columns), n)


def _turned(
    made: Mapping[str, Column], inputs: Sequence[Mapping[str, Any]], predictor: Predictor, pipeline: Pipeline
) -> dict[str, Array]:
    """Return made-up columns of numbers whose first cells lie on both sides of turning points."""
    row = cells_of(predictor.encoder, Table("", {name: column[:1] for name, column in made.items()}))
    ranges = {}
    for one in inputs:
        if one["kind"] == "number" and one.get("min") != one.get("max"):
            span = one["max"] - one["min"]
            ranges[one["name"]] = (one["min"] - span, one["max"] + span)
    rng = random_stream(predictor.config.seed, "turning points")
    points = turning_points(pipeline, row, ranges, rng)
    turned: dict[str, Array] = {name: np.asarray(made[name]).copy() for name in points}
    for name, column in turned.items():
        column[:TURNED] = rng.choice(points[name], TURNED)
    return turned


def _held_out(run: RunDirectory, data: Any) -> Table | None:
    try:
        predictions = RunPredictions.of_run(run, data)
    except (DataError, RunError):  # the data is gone, or a run that diverged has no best weights
        return None
    return ExplainedRows.of_run(predictions, HELD_OUT).table


def _joined(first: Column, second: Column, kind: str) -> Column:
    table = [Table("", {"x": column}) for column in (first, second)]
    if kind == "category":
        return Texts.concatenate([one.texts("x") for one in table])
    of = Table.dates if kind == "date" else partial(Table.numbers, gaps=True)
    return np.concatenate([of(one, "x") for one in table])


def made_up(inputs: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Column]:
    """Return made-up columns by name, each (rows,), for the input columns that a run describes.

    Half of the rows are as the training rows could be; in the others, one cell in four at least is a gap, a word that
    no row held, or a number or date far outside.
    """
    rng = random_stream(seed, "proof")
    edge = rng.random((len(inputs), MADE_UP)) < 1 / max(4, len(inputs))
    edge[rng.integers(len(inputs), size=MADE_UP), np.arange(MADE_UP)] = True
    edge[:, : int(TYPICAL * MADE_UP)] = False
    return {one["name"]: _column(one, edge[i], rng) for i, one in enumerate(inputs)}


def _column(about: Mapping[str, Any], edge: Array, rng: Any) -> Column:
    if about["kind"] == "category":
        known = list(about.get("counts") or {"a": 1})
        usual = rng.choice(len(known), len(edge))
        words = [None, *WORDS, *_like(known[:ALIKE])]
        cells = [words[rng.integers(len(words))] if odd else known[k] for k, odd in zip(usual, edge, strict=True)]
        return Texts.of(cells)
    if about["kind"] == "date":
        first, last = (int(np.datetime64(about.get(end) or "2000-01-01", "us").astype(int)) for end in ("min", "max"))
        days = rng.integers(first, last + 1, len(edge)).astype("datetime64[us]")
        odd = np.concatenate([_turns(first, last, rng), np.array([*DATES, "NaT"], "datetime64[us]")])
        return np.asarray(np.where(edge, rng.choice(odd, len(edge)), days))
    low, high = (float(about.get(end) or 0.0) for end in ("min", "max"))
    found = low + (high - low) * rng.random(len(edge))
    found = np.where(rng.random(len(edge)) < 0.3, rng.choice(about.get("edges") or [low], len(edge)), found)
    if float(low).is_integer() and float(high).is_integer():
        found = np.where(rng.random(len(edge)) < WHOLE, np.round(found), found)
    beyond = [end + far * (high - low) for end, far in ((low, -10), (low, -0.1), (high, 0.1), (high, 10))]
    far = np.array([*beyond, *NUMBERS, np.nan])
    return np.asarray(np.where(edge, rng.choice(far, len(edge)), found))


def _like(words: Sequence[str]) -> list[str]:
    """Return words that only a careless comparison takes for some known ones."""
    made = (new for word in words for new in (word.swapcase(), f" {word}", f"{word}x", word[:-1], f"{word};{word}x"))
    return [*dict.fromkeys(made)]


def _turns(first: int, last: int, rng: Any) -> Array:
    """Return the ends of some years and of their Februaries, among them a leap year, near dates in microseconds.

    Far from the dates of the training rows, a prediction may say nothing about the day.
    """
    low, high = (np.array([first, last], "datetime64[us]").astype("datetime64[Y]").astype(int)).tolist()
    years = {*rng.integers(low, high + 1, YEARS).tolist(), high - (high - 2) % 4}  # 1972, year 2, was a leap year
    months = np.array(sorted(12 * year + month for year in years for month in (0, 2)), "datetime64[M]")
    found = np.concatenate([months.astype("datetime64[us]") + step for step in (-DAY, -1, 0)])
    return found[(found > np.datetime64(DATES[0])) & (found < np.datetime64(DATES[-1]))]
