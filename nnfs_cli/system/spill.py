"""A copy of a vector that is kept on disk if it is large."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.files import unnamed_file, write_all


class SpilledCopy:
    """A copy of a vector. A large one is kept in a temporary file, so that it takes no memory."""

    large = 1_000_000  # bytes

    def __init__(self, like: Array) -> None:
        self._like = like.dtype, like.shape
        self._copy = np.empty_like(like) if like.nbytes <= self.large else unnamed_file(self)

    def store(self, vector: Array) -> None:
        """Copy the vector."""
        if isinstance(self._copy, np.ndarray):
            np.copyto(self._copy, vector)
            return
        self._copy.seek(0)
        write_all(self._copy, vector.data)

    @property
    def vector(self) -> Array:
        """The vector that was stored last. Do not write to it."""
        if isinstance(self._copy, np.ndarray):
            return self._copy
        dtype, shape = self._like
        return np.memmap(self._copy, dtype, "r", shape=shape)
