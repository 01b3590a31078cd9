"""Data sets in files of `numpy.savez`."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Count
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.source import with_kinds
from nnfs_cli.data.table import Kind, Table, from_arrays
from nnfs_cli.errors import DataError


class Npz(FileSource, name="npz", main="path"):
    """NumPy arrays `X` (rows, n_features) and `y`, saved by `numpy.savez`.

    The array `feature_names` names the inputs; without it they are x0, x1, ... With `targets: n` the array `y` has the
    shape (rows, n) and its columns are the targets y0, y1, ...
    """

    examples = ("npz: arrays.npz", "npz: {path: arrays.npz, targets: 3}")
    suffixes = (".npz",)

    targets: Count = 1
    """Number of columns of `y`."""

    def target_columns(self) -> tuple[str, ...]:
        """Return y, or y0, y1, ... if there are several targets."""
        return ("y",) if self.targets == 1 else tuple(f"y{j}" for j in range(self.targets))

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        arrays = self._arrays(name)
        X, y = arrays.get("X"), _decoded(arrays.get("y"))
        if X is None or X.ndim != 2 or not X.size or X.dtype.kind not in "iufb":
            raise DataError(f"{name} should hold an array X of numbers with the shape (rows, n_features), {_found(X)}")
        features = self._features(name, X, _decoded(arrays.get("feature_names")))
        if y is not None:
            expected = (len(X),) if self.targets == 1 else (len(X), self.targets)
            if y.shape not in (expected, (*expected, 1)) or y.dtype.kind not in "iufbU":
                several = f"; if it has several targets, set  targets: {y.shape[1]}" if y.ndim == 2 else ""
                raise DataError(
                    f"{name}: y should hold numbers or texts with the shape {expected}, {_found(y)}{several}"
                )
            y = y.reshape(expected)
            y = y.astype(object) if y.dtype.kind == "U" else y
        table = from_arrays(name, X, features, y, list(self.target_columns()), sha256=self.sha256())
        return with_kinds(table, kinds)

    def _arrays(self, name: str) -> dict[str, Array]:
        """Return the arrays that the file holds under these names. Nothing is unpickled."""
        damaged = DataError(f"{name} is damaged or is not an npz file of plain arrays; write it with numpy.savez")
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in ("X", "y", "feature_names") if key in archive}
        except (ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
            raise damaged from None
        except OSError as error:
            if error.errno:
                raise
            raise damaged from None
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise damaged
        return arrays

    def _features(self, name: str, X: Array, names: Array | None) -> list[str]:
        n = X.shape[1]
        if names is None:
            return [f"x{j}" for j in range(n)]
        if names.shape != (n,) or names.dtype.kind != "U" or len(set(names.tolist())) != n or not all(names.tolist()):
            raise DataError(f"{name}: feature_names should hold {n} different texts, one for each column of X")
        shared = set(names.tolist()) & set(self.target_columns())
        if shared:
            raise DataError(f"{name}: an input has the name of the target '{shared.pop()}'; rename the input")
        return [str(feature) for feature in names]


def _decoded(array: Array | None) -> Array | None:
    """Decode bytes as UTF-8 texts; return other arrays, and bytes that are not UTF-8, unchanged."""
    if array is not None and array.dtype.kind == "S":
        with contextlib.suppress(UnicodeDecodeError):
            return np.char.decode(array, "utf-8")
    return array


def _found(array: Array | None) -> str:
    return "found none" if array is None else f"found {array.dtype} with the shape {array.shape}"
