"""The effects of all columns on the predictions of some rows, as a table and in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np

from nnfs_cli.api.frame import Frame
from nnfs_cli.arrays import Array
from nnfs_cli.data.several_files import SeveralFiles
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Table
from nnfs_cli.display.html import table_html
from nnfs_cli.display.text import numbers, table
from nnfs_cli.errors import UserError
from nnfs_cli.explain.attributions import Attributor, Effects
from nnfs_cli.explain.explained_values import Unit, explained_class, unit_of
from nnfs_cli.explain.reasons import cells_in_words
from nnfs_cli.prediction.batch_predict import shared_out
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.wording import counted, did_you_mean, listing, named, percent

SHOWN = 10  # reasons in words, the largest


class Reasons(Frame):
    """By how much each column raised or lowered each prediction: a column of effects for each column of the table.

    The effects of a row add up to `explained` - `base`, both (rows,). `explained` is the prediction, or for classes the
    log-odds of `labels` (one for each row), or a score if the loss has no probabilities. `unit` says which. `base` is
    its mean over typical rows.

    >>> from nnfs_cli import train
    >>> table = {"size": [*range(40, 100)], "price": [0.5 + size / 40 for size in range(40, 100)]}
    >>> settings = {"layers": ["linear: 1"], "loss": "mse", "dataset": {"table": "price"}, "epochs": 200}
    >>> run = train(settings, table)
    >>> reasons = run.reasons({"size": [50, 90]})
    >>> reasons.columns
    ('size',)
    >>> bool(abs(reasons["size"] + reasons.base - reasons.explained).max() < 1e-6)
    True
    """

    base: Array
    explained: Array
    unit: Unit
    labels: Sequence[str]

    @classmethod
    def of(
        cls,
        attributor: Attributor,
        rows: DataSource | SeveralFiles,
        target: str | None = None,
        label: str | None = None,
    ) -> Self:
        """Explain the predictions of rows.

        Of several targets, `target` is the one to explain. `label` is a class to explain in place of the predicted one.
        Raises `UserError` if there is no such target or class, `DataError` for a row that cannot be predicted.
        """
        predictor = attributor.predictor
        place, wanted = _target(predictor, target), _label(predictor, label)
        sign = -1.0 if wanted == 0 and len(predictor.labels) == 2 else 1.0  # of two classes, the second is explained
        pieces, tables, labels = [], [], list[str]()
        for block, (effects, chosen) in _explained(attributor, rows):
            if chosen is not None:
                chosen = chosen if wanted is None else np.full(len(chosen), wanted)
                effects = effects.of_class(chosen)
            elif predictor.labels:
                chosen = np.full(block.n_rows, 1 if wanted is None else wanted)
            labels += [] if chosen is None else [predictor.labels[i] for i in chosen.tolist()]
            base = np.broadcast_to(effects.base, effects.explained.shape)
            pieces.append([sign * each[..., place] for each in (effects.values, base, effects.explained)])
            tables.append(block)
        values, base, explained = (np.concatenate(each) for each in zip(*pieces, strict=True))
        found = cls(dict(zip(attributor.columns, values.T, strict=True)))
        found.base, found.explained, found.unit, found.labels = base, explained, unit_of(predictor), labels
        found._predictor, found._tables, found._target = predictor, tables, predictor.encoder.targets[place]
        return found

    _predictor: Predictor
    _tables: Sequence[Table]
    _target: str

    def in_words(self, row: int = 0, most: int = SHOWN) -> str:
        """Return the way from the base value to the prediction of a row, the largest effects first.

        >>> from nnfs_cli import train
        >>> table = {"size": [*range(40, 100)], "price": [0.5 + size / 40 for size in range(40, 100)]}
        >>> settings = {"layers": ["linear: 1"], "loss": "mse", "dataset": {"table": "price"}, "epochs": 200}
        >>> print(train(settings, table).reasons({"size": 90}).in_words())  # doctest: +ELLIPSIS
        base value  ...
        size = 90   ...
        prediction of price ...
        """
        (_, first), *lines = self._lines(row, most)
        return table(["base value", first], lines)

    def _lines(self, row: int, most: int) -> list[tuple[str, str]]:
        """Return what changes the prediction, and by how much, from the base value to the prediction itself."""
        effects = {name: float(self[name][row]) for name in self.columns}
        ordered = sorted(effects, key=lambda name: -abs(effects[name]))
        main, others = ordered[:most], ordered[most:]
        at, blocks = row % len(self), iter(self._tables)
        while at >= (block := next(blocks)).n_rows:
            at -= block.n_rows
        words = [cells_in_words(self._predictor, block, name, np.array([at]))[0] for name in main]
        amounts = [effects[name] for name in main]
        if others:
            words.append(counted(len(others), "other column"))
            amounts.append(sum(effects[name] for name in others))
        first, last, *texts = numbers([float(self.base[row]), float(self.explained[row]), *amounts])
        signed = [text if text.startswith("-") else f"+{text}" for text in texts]
        if self.unit == "units of the target":
            what = f"prediction of {self._target}"
        else:
            what = f"{self.unit} of {self.labels[row] if self.labels else self._target}"
        before, after = (_percent(self.unit, end) for end in (self.base[row], self.explained[row]))
        return [(f"base value{before}", first), *zip(words, signed, strict=True), (f"{what}{after}", last)]

    def __repr__(self) -> str:
        return self.in_words() if len(self) == 1 else super().__repr__()

    def _repr_html_(self) -> str:
        if len(self) != 1:
            return super()._repr_html_()
        lines = self._lines(0, SHOWN)
        return table_html(("", self.unit), lines, bold=len(lines) - 1)


def _percent(unit: Unit, explained: float) -> str:
    """Return the probability that log-odds stand for, in brackets."""
    return f" ({percent(0.5 + 0.5 * math.tanh(0.5 * explained), 1)})" if unit == "log-odds" else ""


def _explained(
    attributor: Attributor, rows: DataSource | SeveralFiles
) -> Iterator[tuple[Table, tuple[Effects, Array | None]]]:
    """Yield the rows block by block, with their effects and the class that is predicted, if there are several."""
    predictor = attributor.predictor
    kinds = dict(predictor.encoder.kinds)

    def explain(block: Table) -> tuple[Effects, Array | None]:
        X = predictor.encoder.encode(block, predictor.model.dtype)
        return attributor.effects(X), explained_class(predictor, predictor.outputs_for(X))

    yield from shared_out(explain, rows.chunks(kinds, (), False))


def _target(predictor: Predictor, name: str | None) -> int:
    targets = predictor.encoder.targets
    if name is None and len(targets) > 1:
        raise UserError(f"there are the targets {listing(map(named, targets))}; name one, as in target={targets[0]!r}")
    if name is not None and name not in targets:
        raise UserError(f"there is no target {named(name)}; there is {listing(map(named, targets))}")
    return 0 if name is None else targets.index(name)


def _label(predictor: Predictor, name: str | None) -> int | None:
    if name is None:
        return None
    if name not in predictor.labels:
        raise UserError(f"there is no class {named(name)}{did_you_mean(name, predictor.labels)}")
    return predictor.labels.index(name)
