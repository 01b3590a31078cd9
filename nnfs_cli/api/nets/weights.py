"""Weights for a `Sequential`: arrays by name, from Python or from an npz file."""

from __future__ import annotations

import contextlib
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import DataError
from nnfs_cli.nn.layers import Layer, ShapeError
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import ParameterLayout
from nnfs_cli.system.wording import named, shown

NamedArrays: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]
"""Arrays by name, or the path of an npz file that holds them."""


def named_arrays(given: NamedArrays) -> dict[str, Array]:
    """Return arrays by name. Raises `DataError` for anything else, and unless all of their numbers are finite."""
    if isinstance(given, str | os.PathLike):
        arrays = _from_file(Path(given))
    elif isinstance(given, Mapping):
        arrays = {str(name): np.asarray(given[name]) for name in given}
    else:
        example = 'arrays by name, such as {"0.weight": ..., "0.bias": ...}'
        raise DataError(f"weights should be {example}, or the path of an npz file; found {shown(given)}")
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise DataError(f"{name} should be an array of finite numbers")
    return arrays


def _from_file(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive}
    except FileNotFoundError:
        raise DataError(f"there is no file {named(str(path))}") from None
    except (ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
        found = f"{named(str(path))} is damaged or is not an npz file of plain arrays"
        raise DataError(f"{found}; write it with numpy.savez") from None


def count_features(layers: Sequence[Layer], arrays: Mapping[str, Array]) -> int:
    """Return the number of inputs with which the net has arrays of these names and shapes.

    If there is no such number, it is the number of rows of the first matrix, so that the error can name what differs.
    """
    shapes = {name: array.shape for name, array in arrays.items()}
    rows: list[int] = [
        shape[0] for shape in sorted(shapes.values(), key=lambda shape: len(shape) != 2) if shape and shape[0]
    ]
    for n in dict.fromkeys(rows):
        with contextlib.suppress(ShapeError):
            layout = ParameterLayout(Sequential(layers=tuple(layers)).build((n,))[1])
            if {name: spec.shape for name, spec in layout.specs.items()} == shapes:
                return n
    return rows[0] if rows else 1
