"""A copy of a vector, for later."""

from __future__ import annotations

import numpy as np

from nnfs_cli.files import unnamed_file, write_all
from nnfs_cli.parameters import Array


class Kept:
    """A vector as it was; of a large net in a file without a name, so that it takes no memory."""

    large = 1_000_000  # bytes

    def __init__(self, vector: Array) -> None:
        self._now = vector
        self._copy = np.empty_like(vector) if vector.nbytes <= self.large else unnamed_file(self)

    def keep(self) -> None:
        """Remember the vector as it is now."""
        if isinstance(self._copy, np.ndarray):
            np.copyto(self._copy, self._now)
            return
        self._copy.seek(0)
        write_all(self._copy, self._now.data)

    @property
    def vector(self) -> Array:
        """As it was when it was last kept."""
        if isinstance(self._copy, np.ndarray):
            return self._copy
        return np.memmap(self._copy, self._now.dtype, "r", shape=self._now.shape)
