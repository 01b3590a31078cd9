"""Arrays saved by `numpy.savez`: `X` (rows, n_features), `y` (rows,) or (rows, n_targets), maybe `feature_names`."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.table import Kind, Table, from_arrays
from nnfs_cli.errors import DataError


class Npz(FileSource, name="npz", main="path"):
    """NumPy arrays `X` and `y`; without `feature_names` the inputs are x0, x1, ...

    Several targets, the columns of `y`, are announced by `targets` and named y0, y1, ...
    """

    examples = ("npz: arrays.npz", "npz: {path: arrays.npz, targets: 3}")
    suffixes = (".npz",)

    targets: PositiveInt = 1
    """How many columns `y` has."""

    def target_columns(self) -> tuple[str, ...]:
        """y, or y0, y1, ... where there are several."""
        return ("y",) if self.targets == 1 else tuple(f"y{j}" for j in range(self.targets))

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        arrays = self._arrays(name)
        X, y = arrays.get("X"), _decoded(arrays.get("y"))
        if X is None or X.ndim != 2 or not X.size or X.dtype.kind not in "iufb":
            raise DataError(f"{name} needs an array X of numbers with the shape (rows, n_features), {_found(X)}")
        features = self._features(name, X, _decoded(arrays.get("feature_names")))
        if y is not None:
            expected = (len(X),) if self.targets == 1 else (len(X), self.targets)
            if y.shape not in (expected, (*expected, 1)) or y.dtype.kind not in "iufbU":
                several = f"; is it targets: {y.shape[1]}?" if y.ndim == 2 else ""
                raise DataError(f"{name}: y should be numbers or texts with the shape {expected}, {_found(y)}{several}")
            y = y.reshape(expected)
            y = y.astype(object) if y.dtype.kind == "U" else y
        table = from_arrays(name, X, features, y, list(self.target_columns()), sha256=self.sha256())
        return with_kinds(table, kinds)

    def _arrays(self, name: str) -> dict[str, Array]:
        """The members that are looked for. Nothing is unpickled."""
        not_one = DataError(f"{name} is not a whole npz file of plain arrays; numpy.savez writes one")
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in ("X", "y", "feature_names") if key in archive}
        except (ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
            raise not_one from None
        except OSError as error:
            if error.errno:
                raise
            raise not_one from None
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise not_one
        return arrays

    def _features(self, name: str, X: Array, names: Array | None) -> list[str]:
        n = X.shape[1]
        if names is None:
            return [f"x{j}" for j in range(n)]
        if names.shape != (n,) or names.dtype.kind != "U" or len(set(names.tolist())) != n or not all(names.tolist()):
            raise DataError(f"{name}: feature_names should be {n} different texts, one for each column of X")
        taken = set(names.tolist()) & set(self.target_columns())
        if taken:
            raise DataError(f"{name}: a feature has the target's name '{taken.pop()}'; rename it")
        return [str(feature) for feature in names]


def _decoded(array: Array | None) -> Array | None:
    """Texts that were saved as bytes, as texts; what cannot be decoded stays as it is."""
    if array is not None and array.dtype.kind == "S":
        with contextlib.suppress(UnicodeDecodeError):
            return np.char.decode(array, "utf-8")
    return array


def _found(array: Array | None) -> str:
    return "found none" if array is None else f"found {array.dtype} with the shape {array.shape}"
