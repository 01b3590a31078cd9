"""Random numbers without global state: each use has its own stream, derived from (seed, role, epoch, batch, member).

So one use never changes the numbers of another use, and any epoch can be repeated by itself.
"""

from __future__ import annotations

import zlib

import numpy as np


def entropy(seed: int, role: str, epoch: int = 0, batch: int = 0, member: int = 0) -> list[int]:
    """Return the numbers that a random stream is derived from."""
    return [seed, zlib.crc32(role.encode()), epoch, batch, *([member] if member else [])]


def random_stream(seed: int, role: str, epoch: int = 0, batch: int = 0, member: int = 0) -> np.random.Generator:
    """Return the random stream of one role ("weights", "split", "batches", ...) in one epoch, batch or member."""
    numbers = entropy(seed, role, epoch, batch, member)
    return np.random.default_rng(np.array(numbers, np.uint32) if max(numbers) < 2**32 else numbers)  # a list is slower


def member_seeds(members: int | range, edition: int, seed: int) -> list[tuple[int, int]]:
    """Return the seed and the member of the random streams of each member of an ensemble, or of those in a range.

    In edition 1 of the rules member j had the streams of seed + j, which it shared with members of other seeds.
    """
    numbers = range(members) if isinstance(members, int) else members
    return [(seed + j, 0) if edition == 1 else (seed, j) for j in numbers]


def member_streams(
    members: int | range, edition: int, seed: int, role: str, epoch: int = 0, batch: int = 0
) -> list[np.random.Generator]:
    """Return a random stream for each member of an ensemble, or for those in a range."""
    return [random_stream(own, role, epoch, batch, j) for own, j in member_seeds(members, edition, seed)]
