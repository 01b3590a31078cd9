"""The table that an estimator trains on: inputs, targets, weights, and validation rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.table import Label, text_of
from nnfs_cli.errors import DataError
from nnfs_cli.experiment.warnings import empty_columns
from nnfs_cli.system.warn import warn


@dataclass(frozen=True)
class Rows:
    """Rows to train or validate on: inputs as an Arrow table, targets (rows,) or (rows, targets), weights (rows,)."""

    X: Any
    y: Array
    weight: Array | None = None


@dataclass(frozen=True)
class TrainingTable:
    """A data set with the columns of an estimator, and the settings that tell what each column is."""

    dataset: InMemory
    split: Mapping[str, Any] | None  # the split by a column, if there are validation rows
    n_rows: int  # rows to train on

    @classmethod
    def of(
        cls,
        rows: Rows,
        validation: Rows | None = None,
        target: Sequence[str] = ("y",),
        labels: Sequence[Label] | None = None,
    ) -> TrainingTable:
        """Put everything into one table. The names of added columns differ from those of the inputs.

        With `labels`, the targets are indices of them. Columns that are empty in all rows to train on are dropped, with
        a warning. Raises `DataError` if the two sets of inputs differ.
        """
        import pyarrow as pa

        taken = set(rows.X.column_names)
        table, weight, split = cls._whole(rows, validation), None, None
        names = tuple(_free(name, taken) for name in target)
        y = np.concatenate([part.y for part in (rows, validation) if part is not None])
        if labels is not None:
            texts = pa.array([text_of(label) for label in labels], pa.string())
            table = table.append_column(names[0], pa.DictionaryArray.from_arrays(pa.array(y.astype(np.int32)), texts))
        else:
            for name, values in zip(names, y.reshape(len(y), -1).T, strict=True):
                table = table.append_column(name, pa.array(np.ascontiguousarray(values)))
        parts = [rows] if validation is None else [rows, validation]
        if any(part.weight is not None for part in parts):
            weight = _free("sample_weight", taken)
            weights = [np.ones(len(part.y)) if part.weight is None else part.weight for part in parts]
            table = table.append_column(weight, pa.array(np.concatenate(weights)))
        if validation is not None:
            column = _free("split", taken)
            split = {"column": column}
            which = np.repeat(np.array(["train", "validation"], object), [len(rows.y), len(validation.y)])
            table = table.append_column(column, pa.array(which, pa.string()))
        drop = tuple(_empty_columns(rows.X))
        if drop:
            warn(empty_columns(drop))
        dataset = InMemory(target=names, drop=drop, weight=weight)
        dataset = dataset.of(table, "X", None if labels is None else tuple(labels))
        return cls(dataset, split, len(rows.y))

    @staticmethod
    def _whole(rows: Rows, validation: Rows | None) -> Any:
        import pyarrow as pa

        if validation is None:
            return rows.X
        if validation.X.column_names != rows.X.column_names:
            raise DataError("the validation rows have other columns than the training rows")
        try:
            return pa.concat_tables([rows.X, validation.X], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise DataError(f"the validation rows have other types than the training rows: {error}") from None


def _empty_columns(X: Any) -> list[str]:
    """Return the names of the columns that hold nothing but gaps."""
    from pyarrow import compute

    return [
        name
        for name, column in zip(X.column_names, X.columns, strict=True)
        if compute.all(compute.is_null(column, nan_is_null=True)).as_py()
    ]


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no other column has, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name
