"""Find what a row would need to get another answer from a trained model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Column, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import UserError
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from nnfs_cli.explain.whatif.answer import LEVEL, Answer, Change, Prediction, WhatIf
from nnfs_cli.explain.whatif.candidates import Candidates
from nnfs_cli.explain.whatif.cells import Cells, NumberCells, cells_of
from nnfs_cli.explain.whatif.given_row import GivenRow
from nnfs_cli.explain.whatif.search import nearest_rows
from nnfs_cli.explain.whatif.unusual import Background
from nnfs_cli.explain.whatif.wanted import Wanted
from nnfs_cli.prediction.calibration import NumberCalibration
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.prediction.far_rows import FarRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.wording import did_you_mean, named
from nnfs_cli.workflows.load_run import BLANK, blame_run, calibration_of, restore


def whatif(
    run: RunDirectory,
    row: Any,
    target: Any,
    *,
    vary: Sequence[str] = (),
    keep: Sequence[str] = (),
    answers: int = 3,
    number: int | None = None,
) -> WhatIf:
    """Return the nearest rows for which the model of a run predicts `target`; see `Wanted.of`.

    `row` is a file or a table of one row, or of several, of which `number` (from 1) is one. `vary` names the columns
    that may change, by default all but those in `keep`. Cells stay in the range, and among the categories, of the
    training rows; the rows themselves are not needed.

    The distance between two rows is the sum over the changed columns of the differences in training quantiles, and 1
    for each category; in the search each changed column costs another 0.1, so that few of them change. This is the
    distance of Gower, "A general coefficient of similarity and some of its properties" (1971), on ranks. Every answer
    is predicted again by itself, with `Predictor.predict`, before it is returned.

    Raises `UserError` for a target or columns that the run does not know, `DataError` for a row that cannot be used,
    and `RunError` for a damaged run.
    """
    predictor = _with_interval(run, restore(run))
    inputs = run.records.data()["inputs"]
    with blame_run(run):
        blank = Table("a row", {name: BLANK[kind] for name, kind in predictor.encoder.kinds.items()})
        for one in filter(None, (cells_of(profile, blank) for profile in inputs)):
            one.distance(one.grid(3))
    background = run.arrays.background(len(predictor.encoder.names))
    return nearest_answers(predictor, inputs, row, target, vary, keep, answers, number, background)


def nearest_answers(
    predictor: Predictor,
    inputs: Sequence[Mapping[str, Any]],
    row: Any,
    target: Any,
    vary: Sequence[str] = (),
    keep: Sequence[str] = (),
    answers: int = 3,
    number: int | None = None,
    background: Array | None = None,
) -> WhatIf:
    """Return what `whatif` does, for a trained net; `inputs` describes its input columns, as a run records them.

    With a `background` (rows, features), the net's inputs for some training rows, answers that are unlike them are
    marked.
    """
    if answers < 1:
        raise UserError(f"the number of answers is 1 or more, found {answers}")
    wanted, given = Wanted.of(predictor, target), GivenRow.read(predictor, row, number)
    varied = _columns(given, vary, keep)
    far = FarRows(inputs)
    far.count(given.table)
    far.warn()
    profiles = {profile["name"]: profile for profile in inputs}
    with thread_limit(1):  # so that the number of cores changes no result
        possible = [
            found
            for name, column in given.column_of.items()
            if column in varied and name in profiles and (found := cells_of(profiles[name], given.table))
        ]
        cells, ranges = _in_ranges(possible, given)
        rows = Candidates(predictor, given.table, cells, wanted, ranges)
        known = None if background is None else Background.of(background, [*inputs_by_column(predictor).values()])
        return _Search(predictor, given, wanted, rows, known).found(varied, answers)


class _Search:
    """The search for one row: what it finds is put into words and confirmed."""

    def __init__(
        self, predictor: Predictor, given: GivenRow, wanted: Wanted, rows: Candidates, background: Background | None
    ) -> None:
        self.predictor, self.given, self.wanted, self.rows = predictor, given, wanted, rows
        self.background = background
        self.cells = given.cells(given.table)

    def found(self, varied: Sequence[str], most: int) -> WhatIf:
        """Return the answers."""
        start = np.full((1, len(self.rows.cells)), np.nan)
        now = self._prediction(start, self.predictor.predict(self.given.table))
        reached = self.wanted.is_reached(now.prediction)
        answers: list[Answer] = []
        nearest: Answer | None = None
        if not reached and self.rows.cells:
            made_of = [self.given.column_of[one.name] for one in self.rows.cells]
            found = nearest_rows(self.rows, most, made_of)
            answers = [answer for one in found.reached if (answer := self._answer(one)) is not None]
            nearest = None if answers or np.isnan(found.best).all() else self._answer(found.best, confirm=False)
        kept = tuple(name for name in dict.fromkeys(self.given.column_of.values()) if name not in varied)
        return WhatIf(self.wanted.text, now, reached, tuple(answers), nearest, tuple(varied), kept, self.rows.tried)

    def _answer(self, codes: Array, confirm: bool = True) -> Answer | None:
        """Return an answer in words; None if `predict` does not confirm it."""
        rows, at = codes[None], np.flatnonzero(~np.isnan(codes)).tolist()
        changed = dict.fromkeys(self.given.column_of[self.rows.cells[j].name] for j in at)
        table = self.rows.table(rows)
        cells = self.given.cells(table, changed)
        again = self.given.read_again(table, cells, changed)
        if again is None:
            return None
        columns = self.predictor.predict(again)
        if confirm and not self.wanted.is_reached(_first(columns[self.wanted.column()])):
            return None
        changes = tuple(self._change(name, cells, codes) for name in changed)
        distance = float(sum(self.rows.cells[j].distance(codes[[j]])[0] for j in at))
        unusual = "" if self.background is None else self.background.about(self.rows.inputs(rows)[0])
        return Answer(changes, cells, distance, self._prediction(rows, columns), unusual)

    def _change(self, name: str, cells: Mapping[str, Any], codes: Array) -> Change:
        of = [j for j, one in enumerate(self.rows.cells) if self.given.column_of[one.name] == name]
        before, after = self.cells[name], cells[name]
        if len(of) > 1:
            return Change(name, before, after)
        one = self.rows.cells[of[0]]
        return Change(name, before, after, one.position(np.nan), one.position(float(codes[of[0]])))

    def _prediction(self, rows: Array, columns: Mapping[str, Column]) -> Prediction:
        """Return what the model predicts for a row (1, columns), and how sure it is."""
        wanted, answer = self.wanted, self.rows.answer(rows)
        probability = wanted.probability(answer)
        members, agree, n = None, None, self.predictor.config.members
        if n > 1:
            single = np.concatenate([self.rows.answer(rows, member) for member in range(n)])
            of_members = wanted.probability(single) if wanted.label is not None else wanted.number(single)
            if of_members is not None:
                members = float(of_members.min()), float(of_members.max())
                agree = int(np.count_nonzero(wanted.shortfall(single) == 0))
        interval = None
        if (low := columns.get(wanted.column("lower"))) is not None:
            interval = _first(low), _first(columns[wanted.column("upper")])
        return Prediction(
            _first(columns[wanted.column()]),
            wanted.label_text,
            None if probability is None else float(probability[0]),
            members,
            agree,
            n,
            interval,
        )


def _with_interval(run: RunDirectory, predictor: Predictor) -> Predictor:
    """Return the net with prediction intervals, if it predicts numbers and is calibrated for them."""
    calibration = calibration_of(run, predictor) if run.records.has_calibration() else None
    if not isinstance(calibration, NumberCalibration) or calibration.scores.bound(LEVEL) is None:
        return predictor
    return predictor.with_interval(Interval(calibration, LEVEL))


def _columns(given: GivenRow, vary: Sequence[str], keep: Sequence[str]) -> list[str]:
    """Return the columns that may change. Raises `UserError` for a name that is no input column."""
    known = [*dict.fromkeys(given.column_of.values())]
    for name in (*vary, *keep):
        if name not in known:
            raise UserError(f"the run has no input column {named(name)}{did_you_mean(name, known)}")
    if both := [name for name in vary if name in keep]:
        raise UserError(f"{named(both[0])} can either change or not; name it once")
    return [name for name in known if (name in vary if vary else True) and name not in keep]


def _in_ranges(cells: Sequence[Cells], given: GivenRow) -> tuple[list[Cells], list[tuple[int, int]]]:
    """Return the cells, and the indices of those that are the ends of a range; without a range that cannot change."""
    outputs = [parser.outputs(name) for name, parser in given.parsers.items() if len(parser.outputs(name)) > 1]
    names = {one.name for one in cells}
    fixed = {end for ends in outputs if not names.issuperset(ends) for end in ends}
    kept = [one for one in cells if one.name not in fixed]
    place = {one.name: j for j, one in enumerate(kept) if isinstance(one, NumberCells)}
    return kept, [(place[low], place[high]) for low, high in outputs if {low, high} <= place.keys()]


def _first(column: Column) -> Any:
    """Return the first entry of a column as a plain value."""
    return column.at(0) if isinstance(column, Texts) else column[0].item()
