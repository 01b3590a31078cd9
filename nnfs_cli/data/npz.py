"""Arrays saved by `numpy.savez`: `X` (rows, n_features), `y` (rows,) or (rows, n_targets), maybe `feature_names`."""

from __future__ import annotations

import zipfile

import numpy as np

from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.table import Table, from_arrays
from nnfs_cli.errors import DataError
from nnfs_cli.parameters import Array
from nnfs_cli.settings import PositiveInt


class Npz(FileSource, name="npz", main="path"):
    """NumPy arrays `X` and `y`; without `feature_names` the inputs are x0, x1, ...

    Several targets, the columns of `y`, are announced by `targets` and named y0, y1, ...
    """

    examples = ("npz: arrays.npz",)
    suffixes = (".npz",)

    targets: PositiveInt = 1

    def target_columns(self) -> tuple[str, ...]:
        """y, or y0, y1, ... where there are several."""
        return ("y",) if self.targets == 1 else tuple(f"y{j}" for j in range(self.targets))

    def _read(self, name: str) -> Table:
        sha256 = self._sha256()
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in ("X", "y", "feature_names") if key in archive}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
            if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
                raise
            raise DataError(f"{name} is not a plain npz file: {error}") from None
        X, y = arrays.get("X"), arrays.get("y")
        if X is None or X.ndim != 2 or not X.size or X.dtype.kind not in "iufb":
            raise DataError(f"{name} needs an array X of numbers with the shape (rows, n_features), {_found(X)}")
        features = [str(feature) for feature in arrays.get("feature_names", _numbered("x", X.shape[1]))]
        if len(features) != X.shape[1] or len(set(features)) != len(features):
            raise DataError(f"{name}: feature_names needs {X.shape[1]} different names, one for each column of X")
        if y is not None:
            y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
            expected = (len(X),) if self.targets == 1 else (len(X), self.targets)
            if y.shape != expected:
                raise DataError(f"{name}: y should have the shape {expected}, {_found(y)}")
            if y.dtype.kind in "US":
                y = y.astype(str).astype(object)
        table = from_arrays(name, X, features, y, list(self.target_columns()))
        return Table(name, table.columns, sha256)


def _numbered(letter: str, n: int) -> list[str]:
    return [f"{letter}{j}" for j in range(n)]


def _found(array: Array | None) -> str:
    return "found none" if array is None else f"found {array.dtype} with the shape {array.shape}"
