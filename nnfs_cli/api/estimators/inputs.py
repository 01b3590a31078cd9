"""Check what scikit-learn's users give to an estimator: inputs, targets and weights."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Set
from numbers import Number
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import validate_data

from nnfs_cli.api.tables import TableLike, has_names
from nnfs_cli.arrays import Array
from nnfs_cli.data.plain_row import plain_row
from nnfs_cli.data.python_columns import is_gap
from nnfs_cli.data.python_tables import to_arrow_table
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.system.wording import counted, listing, named

ValidationData: TypeAlias = tuple[TableLike, ArrayLike] | tuple[TableLike, ArrayLike, ArrayLike | None]
"""Validation rows: inputs, targets, and weights if there are any."""


class InvalidInputError(UserError, ValueError):
    """Rows or settings that an estimator cannot use. It is also a `ValueError`, as scikit-learn's tools expect.

    >>> from nnfs_cli import InvalidInputError, NetClassifier
    >>> try:
    ...     NetClassifier(lr="fast").fit([[0.0], [1.0]], ["a", "b"])
    ... except InvalidInputError as error:
    ...     print(error)
    lr: expected a number, found 'fast'
    """


class InvalidTypeError(UserError, TypeError):
    """Input of a type that an estimator cannot use. It is also a `TypeError`, as scikit-learn's tools expect."""


@contextlib.contextmanager
def value_errors() -> Iterator[None]:
    """Turn errors about the user's input into `InvalidInputError` with the same text."""
    try:
        yield
    except (InvalidInputError, InvalidTypeError):
        raise
    except UserError as error:
        raise InvalidInputError(str(error)) from error


class InputChecks(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The part of an estimator that checks inputs, with the messages and attributes that scikit-learn expects."""

    _by_name = False  # whether the inputs are found by name in a wider table, in any order

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may expect: gaps are welcome, sparse matrices are not.

        Texts are welcome, too, but the tag `string` would promise that a cell may hold any object.
        """
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _inputs(self, X: Any, reset: bool = False) -> Any:
        """Return inputs as an Arrow table whose columns have the names that the net knows; `reset` learns them."""
        if reset:
            self._by_name = False
        if not has_names(X):
            _refuse_other_than_arrays(X)
            table = self._from_array(validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan"))
        else:
            table = to_arrow_table(X, "X")
            if not table.num_columns:
                raise DataError("X has no columns")
            if self._by_name:
                return self._found_by_name(table)
            validate_data(self, X if hasattr(X, "iloc") else table, reset=reset, skip_check_array=True)
        names = self._input_names()
        return table if table.column_names == names else table.rename_columns(names)  # renaming loses the metadata

    def _single_row(self, X: Any, only_numbers: bool) -> Mapping[str, Any] | None:
        """Return the cells of one row by the names that the net knows, if none of the checks can object; else None."""
        row = plain_row(X, only_numbers)
        if row is None:
            return None
        if not has_names(X):
            plain = not hasattr(self, "feature_names_in_") and {float, int}.issuperset(map(type, row.values()))
            return row if plain and len(row) == self.n_features_in_ else None
        return row if self._by_name or [*row] == [*getattr(self, "feature_names_in_", ())] else None

    def _input_names(self) -> list[str]:
        """Return the names of the inputs, which are x0, x1, ... if the estimator was fitted on an array."""
        if hasattr(self, "feature_names_in_"):
            return list(self.feature_names_in_)
        return [f"x{j}" for j in range(self.n_features_in_)]

    def _found_by_name(self, table: Any) -> Any:
        """Return the inputs of a table that may have other columns, too. Raises `DataError` if one is missing."""
        names = self._input_names()
        if missing := [name for name in names if name not in table.column_names]:
            raise DataError(f"X lacks {counted(len(missing), 'column')}: {listing(map(named, missing))}")
        return table.select(names)

    @staticmethod
    def _from_array(array: Array) -> Any:
        try:
            return to_arrow_table(array, "X")
        except DataError as error:
            if array.dtype.kind != "O":
                raise
            cells = "a cell of this argument must be a string, a number or a date"
            raise InvalidTypeError(f"{error}; {cells}") from None

    def _target(self, y: Any, numeric: bool = False) -> Array:
        """Return the target (rows,), or also (rows, n_targets) if `numeric`, checked as scikit-learn checks it."""
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        if not isinstance(y, np.ndarray) and hasattr(y, "__arrow_c_stream__") and not hasattr(y, "__array__"):
            y = np.column_stack([column.to_numpy() for column in to_arrow_table(y, "y").columns])
        _refuse_gaps(y)
        if not numeric:
            y = column_or_1d(y, warn=True)
        found: Array = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=self)
        return found

    def _weight(self, sample_weight: Any, inputs: Any) -> Array | None:
        """Return weights (rows,), if there are any."""
        if sample_weight is None:
            return None
        weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
        if weight.ndim > 1:
            raise DataError(f"sample_weight should have the shape (rows,), found {weight.shape}: it must be 1D")
        if (weight < 0).any():
            row = int(np.argmax(weight < 0))
            raise DataError(f"sample_weight[{row}] is negative, {weight[row]:g}; a weight is 0 or more")
        if not weight.any():
            raise DataError("every sample_weight is zero, so no row counts")
        return self._of_equal_length(weight, inputs, "sample_weight")

    @staticmethod
    def _of_equal_length(values: Array, inputs: Any, name: str) -> Array:
        """Return the values if there is one for each row. Raises `DataError` otherwise."""
        if len(values) != inputs.num_rows:
            raise DataError(f"inconsistent numbers of rows: X has {inputs.num_rows:,}, {name} has {len(values):,}")
        return values

    def _validation(self, validation_data: ValidationData) -> tuple[Any, Any, Array | None]:
        """Return the inputs, the unchecked target and the weights of `validation_data`."""
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise DataError("validation_data should be (X, y) or (X, y, sample_weight)")
        X, y, *weight = validation_data
        inputs = self._inputs(X)
        return inputs, y, self._weight(weight[0] if weight else None, inputs)

    @staticmethod
    def _name_of(y: Any) -> str:
        """Return the name of the target: that of a series, else y."""
        name = getattr(y, "name", None)
        return name if isinstance(name, str) and name.strip() else "y"


def _refuse_other_than_arrays(X: Any) -> None:
    """Raise `DataError` for anything that is neither a table nor an array, before scikit-learn asks for a 2D array."""
    lazy = callable(getattr(X, "collect", None))
    if X is None or lazy or isinstance(X, str | bytes | os.PathLike | Number | Set) or (isinstance(X, list) and not X):
        to_arrow_table(X, "X")


def _refuse_gaps(y: Any) -> None:
    """Raise `DataError` for the first cell of a target that is empty, in a list or a column of objects."""
    cells = y
    if getattr(getattr(y, "dtype", None), "kind", "O") == "O":  # of objects, or of a type that is not NumPy's
        to_list = getattr(y, "to_list", None) or getattr(y, "tolist", None)
        cells = to_list() if callable(to_list) else y
    if not isinstance(cells, list | tuple):
        return
    for row, cell in enumerate(cells, 1):
        if is_gap(cell):
            raise DataError(f"y, row {row} is missing; leave out the rows without a target")
