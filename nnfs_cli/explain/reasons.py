"""The main reasons of a prediction in words: the columns with the largest effects, and their cells."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Column, Table, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.display.text import value
from nnfs_cli.errors import UserError
from nnfs_cli.explain.attributions import SAMPLES, Attributor
from nnfs_cli.explain.explained_values import explained_class
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.wording import in_a_line
from nnfs_cli.workflows.background import background_of

LONGEST = 40  # characters of a text in a reason


class MainReasons:
    """Name the main reasons of predictions, block by block; see `BatchPredictor.more`.

    `most` is the number of reasons of a row. Raises `UserError` unless it is above 0.
    """

    def __init__(self, attributor: Attributor, most: int) -> None:
        if most < 1:
            raise UserError(f"a prediction has 1 reason or more, found {most}")
        self.attributor, self.most = attributor, min(most, len(attributor.columns))

    @classmethod
    def of_run(cls, run: RunDirectory, predictor: Predictor, most: int, samples: int = SAMPLES) -> MainReasons:
        """Return the reasons of a run, by the training rows that it keeps; see `background_of`."""
        return cls(Attributor(predictor, background_of(run, predictor), samples), most)

    def __call__(self, table: Table, X: Array, y_hat: Array) -> dict[str, Column]:
        """Return the base value, and the reasons with their effects, as named columns for each target.

        X (rows, features) and y_hat (rows, n) are inputs and outputs of the net for the rows of the table.
        """
        effects, chosen = self.attributor.effects(X), explained_class(self.attributor.predictor, y_hat)
        effects = effects if chosen is None else effects.of_class(chosen)
        base = np.broadcast_to(effects.base, (len(X), effects.values.shape[2]))
        targets = self.attributor.predictor.encoder.targets
        columns: dict[str, Column] = {}
        for i, suffix in enumerate([""] if len(targets) == 1 else [f"_{target}" for target in targets]):
            of_target = effects.values[:, :, i]
            order = np.argsort(-np.abs(of_target), axis=1, kind="stable")
            columns[f"base{suffix}"] = base[:, i]
            for k in range(self.most):
                place = order[:, k]
                columns[f"reason_{k + 1}{suffix}"] = self._named(table, place)
                columns[f"effect_{k + 1}{suffix}"] = np.take_along_axis(of_target, place[:, None], axis=1)[:, 0]
        return columns

    def _named(self, table: Table, place: Array) -> Texts:
        """Return a column, by index (rows,), with its cell for each row: `rooms = 8`."""
        texts = np.empty(len(place), object)
        for j in np.unique(place):
            rows = np.flatnonzero(place == j)
            texts[rows] = cells_in_words(self.attributor.predictor, table, self.attributor.columns[j], rows)
        return Texts.of(texts)


def cells_in_words(predictor: Predictor, table: Table, column: str, rows: Array) -> list[str]:
    """Return the cells of a column in some rows, each with the name of the column: `rooms = 8`, `rooms is empty`.

    A column that a parser turns into several shows the cells of these.
    """
    parser = predictor.config.dataset.parsers.get(column)
    names = [column] if parser is None else [name for name in parser.outputs(column) if table.has(name)]
    words = None if parser is None else parser.words
    parts = [[_in_words(name, cell, words) for cell in _cells(table.column(name), rows)] for name in names]
    return [", ".join(cells) for cells in zip(*parts, strict=True)]


def _cells(column: Column, rows: Array) -> list[object]:
    some = column[rows]
    return [*some] if not isinstance(some, Texts) and some.dtype.kind == "M" else [*some.tolist()]


def _in_words(name: str, cell: object, words: tuple[str, str] | None) -> str:
    text = in_a_line(text_of(cell))
    if text and isinstance(cell, float):
        text = value(cell) if words is None else words[int(cell)]
    short = f"{text[: LONGEST - 3]}..." if len(text) > LONGEST else text
    return f"{in_a_line(name)} = {short}" if short else f"{in_a_line(name)} is empty"
