"""A run that answers requests: its net, its columns, and what it has seen lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnfs_cli.data.table import Column, Kind
from nnfs_cli.errors import NnfsError
from nnfs_cli.explain.attributions import Attributor
from nnfs_cli.explain.reasons import MainReasons
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.prediction.predictor import MoreColumns, Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.serve.drift_window import DriftWindow
from nnfs_cli.serve.formats import Format
from nnfs_cli.serve.json_rows import check_columns, json_objects, json_rows
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.serve.row_schema import RowSchema
from nnfs_cli.serve.rows import Rows, joined
from nnfs_cli.serve.table_rows import arrow_source, csv_source, source_rows, table_source
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.workflows.background import background_of
from nnfs_cli.workflows.load_run import calibration_of
from nnfs_cli.workflows.predict import predictor_of

KEPT = 16  # predictors with an interval, of different levels, that are kept

Predictions = list[dict[str, Column]]  # of blocks of rows that follow each other


@dataclass(frozen=True)
class Question:
    """The rows of a request, and what it asks for beside predictions."""

    rows: Rows
    interval: float | None = None
    reasons: int | None = None


class Model:
    """A trained run. Any number of threads may ask it at once.

    Raises `RunError` if the run is damaged.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.run, self.stamp = run, run.status_file.stamp()
        self.predictor = predictor_of(run)
        self.inputs: Sequence[dict[str, Any]] = run.records.data()["inputs"]
        self.schema = RowSchema.of(self.predictor, self.inputs)
        self.drift = DriftWindow(self.inputs)
        self._by_level: dict[float, Predictor] = {}
        self._attributors: dict[bool, Attributor] = {}
        encoder = self.predictor.encoder
        self._kinds: dict[str, Kind] = dict(encoder.kinds)
        if encoder.exposure is not None:
            self._kinds[encoder.exposure] = "number"

    # Reading a body

    def read(self, body: bytes, form: Format, limits: Limits) -> Rows:
        """Return the rows of a body. Raises `Refusal`."""
        like = self.predictor.config.dataset
        if form is Format.json:
            objects = json_objects(body, limits.rows)
            if not like.parsers:
                return json_rows(objects, self.schema)
            check_columns(objects, self.schema)
            source = table_source(objects, like)
        else:
            is_csv = form is Format.csv
            source = csv_source(body, like) if is_csv else arrow_source(body, form is Format.arrow_file, like)
        return source_rows(source, self._kinds, self.schema, limits.rows)

    # Answering

    def answer_together(self, questions: Sequence[Question]) -> list[Predictions | Refusal]:
        """Return the predictions of questions that ask for the same, with rows that are encoded as one table.

        What is wrong with the rows of one question is told to that question alone.
        """
        sizes = [question.rows.n for question in questions]
        try:
            predictor = self._for(questions[0])
            table = joined([question.rows for question in questions])
            marks = np.zeros(table.n_rows, bool)
            found = predictor.predict_parts(table, sizes, marks)
        except NnfsError:
            return [self.answer(question) for question in questions]
        if not marks.any():
            self.drift.add(table)
            return [[columns] for columns in found]
        if not marks.all():
            self.drift.add(table.take(~marks))
        starts = np.cumsum([0, *sizes])
        wrong = [bool(marks[start : start + n].any()) for start, n in zip(starts.tolist(), sizes, strict=False)]
        return [
            self.answer(question) if bad else [columns]
            for question, bad, columns in zip(questions, wrong, found, strict=True)
        ]

    def answer(self, question: Question) -> Predictions | Refusal:
        """Return the predictions of one question."""
        try:
            predictor = self._for(question)
            more = self._more(predictor, question.reasons)
            with ignored_warnings():
                found = [predictor.predict(table, None, more) for table in question.rows.parts]
            for table in question.rows.parts:
                self.drift.add(table)
            return found
        except NnfsError as error:
            return Refusal.of(error, question.rows.n)

    def _for(self, question: Question) -> Predictor:
        """Return the predictor with the interval that a question asks for."""
        return self.predictor if question.interval is None else self.predictor_at(question.interval)

    def predictor_at(self, level: float) -> Predictor:
        """Return the predictor with the interval of a level. Raises `RunError` and `UserError` if there can be none."""
        predictor = self._by_level.get(level)
        if predictor is None:
            with ignored_warnings():
                predictor = self.predictor.with_interval(Interval.at(level, self._calibration, self.predictor.labels))
            if len(self._by_level) >= KEPT:
                self._by_level.clear()
            self._by_level[level] = predictor
        return predictor

    @cached_property
    def _calibration(self) -> NumberCalibration | ClassCalibration:
        return calibration_of(self.run, self.predictor)

    def _more(self, predictor: Predictor, reasons: int | None) -> MoreColumns | None:
        """Return what names the main reasons of predictions, if there should be any."""
        if reasons is None:
            return None
        calibrated = predictor.decision.interval is not None  # which changes what is explained, at any level alike
        if calibrated not in self._attributors:
            with ignored_warnings():
                self._attributors[calibrated] = Attributor(predictor, background_of(self.run, predictor))
        return MainReasons(self._attributors[calibrated], reasons)
