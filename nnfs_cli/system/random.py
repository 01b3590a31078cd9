"""Random numbers without global state: each use has its own stream, derived from (seed, role, epoch, batch, member).

So one use never changes the numbers of another use, and any epoch can be repeated by itself.
"""

from __future__ import annotations

import zlib

import numpy as np


def random_stream(seed: int, role: str, epoch: int = 0, batch: int = 0, member: int = 0) -> np.random.Generator:
    """Return the random stream of one role ("weights", "split", "batches", ...) in one epoch, batch or member."""
    entropy = [seed, zlib.crc32(role.encode()), epoch, batch, *([member] if member else [])]
    return np.random.default_rng(np.array(entropy, np.uint32) if max(entropy) < 2**32 else entropy)  # a list is slower


def member_streams(
    members: int, edition: int, seed: int, role: str, epoch: int = 0, batch: int = 0
) -> list[np.random.Generator]:
    """Return a random stream for each member of an ensemble.

    In edition 1 of the rules member j had the streams of seed + j, which it shared with members of other seeds.
    """
    if edition == 1:
        return [random_stream(seed + j, role, epoch, batch) for j in range(members)]
    return [random_stream(seed, role, epoch, batch, j) for j in range(members)]
