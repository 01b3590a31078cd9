"""Programs: the instructions of a step as a table of numbers, and the kernel that runs them, step after step.

A program has two parts, the pass that computes the gradient and the update of the weights. There is one for each size
of a batch. They belong to one member, whose arrays they name by their addresses.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.intrinsics import call
from nnfs_cli.system.machine_code.kernel import Ints, kernel
from nnfs_cli.system.machine_code.loader import load
from nnfs_cli.training.compiled.recorder import Instruction, address

HEAD = 4  # words of an instruction before its operands: the kernel, the next instruction, lo and hi
STEP, FAILED, WORDS = range(3)  # places in the array `step`: the index of the step, whether it failed; its length

Part = Sequence[Instruction]
Entry = Callable[..., int]


@kernel
def run(lo: int, hi: int, words: Ints, base: int, step: Ints, which: Ints, parts: Ints) -> None:
    """Make the steps lo to hi of a chunk; `which` names the program of each, whose parts are ranges of `words`."""
    for s in range(lo, hi):
        step[0] = s
        at, end = parts[2 * which[s]], parts[2 * which[s] + 1]
        while at < end:
            call(words[at], base + 8 * (at + 4), words[at + 2], words[at + 3])
            if step[1]:
                return
            at = words[at + 1]


class Machine:
    """The programs of one member, and the steps they make.

    `step` is what its kernels may ask: the index of the step in its chunk, and whether one has failed.
    """

    def __init__(
        self, dtype: np.dtype[Any], which: Ints, compiling: Callable[[int], None] = lambda kernels: None
    ) -> None:
        self.dtype, self.which, self._compiling = dtype, which, compiling
        self.step: Array = np.zeros(WORDS, np.int64)
        self._programs: list[list[Instruction]] = []
        self._entry: Entry | None = None

    def add(self, instructions: Part) -> int:
        """Add a program, and return its number."""
        self._programs.append([*instructions])
        self._entry = None
        return len(self._programs) - 1

    def run(self, lo: int, hi: int) -> int:
        """Make the steps lo to hi, without the GIL, and return how many of them could be made."""
        enter = self._entry = self._entry or self._assembled()
        self.step[FAILED] = 0
        enter(lo, hi)
        return int(self.step[STEP]) - lo if self.step[FAILED] else hi - lo

    def _assembled(self) -> Entry:
        kernels = [instruction.kernel for program in self._programs for instruction in program]
        addresses = load([run, *kernels], self.dtype, self._compiling)
        words: list[int] = []
        parts: list[int] = []
        for program in self._programs:
            parts.append(len(words))
            for called, lo, hi, operands in program:
                following = len(words) + HEAD + len(operands)
                words += [addresses[called], following, lo, hi, *map(_word, operands)]
            parts.append(len(words))
        self._words = np.array(words, np.int64)
        self._parts = np.array(parts, np.int64)
        operands = (self._words, address(self._words), self.step, self.which, self._parts)
        self._operands = np.array([*map(_word, operands)], np.int64)
        return entry(addresses[run], self._operands)


def entry(at: int, operands: Array) -> Entry:
    """Return the function of lo and hi that calls the kernel at an address with these operands."""
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 3, ctypes.c_int64, ctypes.c_int64)
    function, spare, first = kind(at), (ctypes.c_int64 * 2)(), address(operands)
    unused = ctypes.addressof(spare)

    def enter(lo: int, hi: int, _keep: Any = (spare, operands)) -> int:
        status: int = function(unused, unused, first, lo, hi)
        return status

    return enter


def _word(operand: Any) -> int:
    """Return an operand as a word: the address of an array, a whole number, or the bits of a float."""
    if isinstance(operand, np.ndarray):
        if not operand.flags.c_contiguous:
            raise ValueError(f"an operand of shape {operand.shape} is not contiguous")
        return address(operand)
    if isinstance(operand, float):
        (bits,) = struct.unpack("<q", struct.pack("<d", operand))
        return int(bits)
    return int(operand)
