"""Programs: the instructions of a step as a table of numbers, and the kernel that runs them, step after step.

There is a program for each kind of batch. Programs belong to one member, whose arrays they name by their addresses.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.helpers import do_together
from nnfs_cli.system.machine_code.entry import Entry, address, entry, words_of
from nnfs_cli.system.machine_code.intrinsics import FLUSH, call, load_shared, set_float_mode, store_shared
from nnfs_cli.system.machine_code.kernel import Ints, Kernel, kernel
from nnfs_cli.system.machine_code.loader import load
from nnfs_cli.training.compiled import products
from nnfs_cli.training.compiled.recorder import Instruction, aligned
from nnfs_cli.training.compiled.team import BYTES, HEAD, OVER, PRESENT, assist, share

STEP, FAILED, WORDS = range(3)  # places in the array `step`: the index of the step, whether it failed; its length


@kernel
def run(
    lo: int, hi: int, words: Ints, base: int, step: Ints, which: Ints, parts: Ints, team: int, nap: int
) -> None:  # fmt: skip
    """Make the steps lo to hi of a chunk; `which` names their programs, ranges of `words` in `parts`."""
    mode = set_float_mode(FLUSH)
    for s in range(lo, hi):
        step[0] = s
        at, end = parts[2 * which[s]], parts[2 * which[s] + 1]
        while at < end:
            if words[at + 4] and load_shared(team + PRESENT):
                share(words, base, team, nap, at)
            else:
                call(words[at], base + 8 * (at + HEAD), words[at + 2], words[at + 3])
            if step[1]:
                break
            at = words[at + 1]
        if step[1]:
            break
    store_shared(team, OVER)
    set_float_mode(mode)


class Machine:
    """The programs of one member, and the steps they make.

    `step` is what its kernels may ask: the index of the step in its chunk, and whether one has failed.
    """

    _run: Entry  # and what follows are made when the programs are complete
    _assist: Entry
    shared: bool  # whether there is something that helpers can do

    def __init__(
        self, dtype: np.dtype[Any], which: Ints, compiling: Callable[[int], None] = lambda kernels: None
    ) -> None:
        self.dtype, self.which, self._compiling = dtype, which, compiling
        self.step: Array = np.zeros(WORDS, np.int64)
        self._programs: list[list[Instruction]] = []
        self._team: Array = aligned((BYTES // 8,), np.int64)
        self._outdated = True

    def add(self, instructions: Sequence[Instruction]) -> int:
        """Add a program, and return its number."""
        self._programs.append([*instructions])
        self._outdated = True
        return len(self._programs) - 1

    def run(self, lo: int, hi: int, helpers: int = 0) -> int:
        """Make the steps lo to hi, without the GIL, and return how many of them could be made.

        Helpers are threads that do a part of large instructions. Their number changes no byte.
        """
        self.prepare()
        self.step[FAILED] = 0
        if helpers and self.shared:
            self._team[:] = 0
            do_together([partial(self._run, lo, hi), *[partial(self._assist, j, j + 1) for j in range(1, helpers + 1)]])
        else:
            self._run(lo, hi)
        return int(self.step[STEP]) - lo if self.step[FAILED] else hi - lo

    def prepare(self) -> None:
        """Compile and load what the programs call, unless that was done."""
        if self._outdated:
            self._assemble()

    def _assemble(self) -> None:
        kernels = [instruction.kernel for program in self._programs for instruction in program]
        addresses = load([run, assist, *kernels], self.dtype, self._compiling)
        words: list[int] = []
        parts: list[int] = []
        self.shared = False
        for program in self._programs:
            parts.append(len(words))
            for instruction in program:
                called, lo, hi, piece, operands = instruction
                at, following = addresses[called], len(words) + HEAD + len(operands)
                shared = self._may_cut(instruction, at)
                words += [at, following, lo, hi, piece if shared else 0, *words_of(called, operands, self.dtype)]
                self.shared |= shared
            parts.append(len(words))
        self._words = np.array(words, np.int64)
        self._parts = np.array(parts, np.int64)
        own, team = (self._words, address(self._words)), (address(self._team), usleep_address() or 0)
        operands = (*own, self.step, self.which, self._parts, *team)
        self._run = entry(addresses[run], run, operands, self.dtype)
        self._assist = entry(addresses[assist], assist, (*own, *team), self.dtype)
        self._outdated = False

    def _may_cut(self, instruction: Instruction, at: int) -> bool:
        """Return whether an instruction can be done in pieces, to the same bytes: BLAS decides about its products."""
        called, _, hi, piece, operands = instruction
        if not 0 < piece < hi or usleep_address() is None:
            return False
        if called not in (products.product, products.product_by_columns):
            return True
        return cut_product_is_equal(at, called, hi, piece, operands[:5], self.dtype)


@functools.lru_cache(maxsize=1_000)
def cut_product_is_equal(
    at: int, called: Kernel, length: int, piece: int, numbers: tuple[int, ...], dtype: np.dtype[Any]
) -> bool:
    """Return whether a product has the same bytes as a whole and in pieces."""
    function, turn_a, turn_b, other, k = numbers
    m, n = (length, other) if called is products.product else (other, length)
    rng = np.random.default_rng(0)
    a, b, c = rng.standard_normal(m * k, dtype), rng.standard_normal(k * n, dtype), np.empty((m, n), dtype)
    digests = []
    for size in (length, piece):
        places = (address(a), m if turn_a else k, address(b), k if turn_b else n, address(c), n, dtype.itemsize)
        enter = entry(at, called, (function, turn_a, turn_b, other, k, *places), dtype)
        for lo in range(0, length, size):
            enter(lo, min(lo + size, length))
        digests.append(hashlib.sha256(c.data).digest())
    return digests[0] == digests[1]


@functools.cache
def usleep_address() -> int | None:
    """Return the address of C's usleep, if there is one."""
    try:
        return ctypes.cast(ctypes.CDLL(None).usleep, ctypes.c_void_p).value
    except (AttributeError, OSError, TypeError):  # as on Windows
        return None
