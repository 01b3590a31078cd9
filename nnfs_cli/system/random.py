"""Random numbers without global state: every use has a stream of its own, derived from (seed, role, epoch, batch).

Thus what one part draws never shifts what another part sees, and any epoch can be replayed alone.
"""

from __future__ import annotations

import zlib

import numpy as np


def random_stream(seed: int, role: str, epoch: int = 0, batch: int = 0) -> np.random.Generator:
    """The random stream of one role ("weights", "split", "batches", ...) in one epoch, or for one batch of it."""
    words = [seed, zlib.crc32(role.encode()), epoch, batch]
    return np.random.default_rng(np.array(words, np.uint32) if max(words) < 2**32 else words)  # a list takes longer
