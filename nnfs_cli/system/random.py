"""Random numbers without global state: each use has its own stream, derived from (seed, role, epoch, batch).

So one use never changes the numbers of another use, and any epoch can be repeated by itself.
"""

from __future__ import annotations

import zlib

import numpy as np


def random_stream(seed: int, role: str, epoch: int = 0, batch: int = 0) -> np.random.Generator:
    """Return the random stream of one role ("weights", "split", "batches", ...) in one epoch or for one batch."""
    entropy = [seed, zlib.crc32(role.encode()), epoch, batch]
    return np.random.default_rng(np.array(entropy, np.uint32) if max(entropy) < 2**32 else entropy)  # a list is slower
