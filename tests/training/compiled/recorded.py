"""Run what a twin records, as machine code or as the Python that it is compiled from."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.training.compiled.program import Machine
from nnfs_cli.training.compiled.recorder import Recorder


def run(recorder: Recorder, *, compiled: bool) -> None:
    """Run the instructions that were recorded since the last call."""
    if compiled:
        machine = Machine(recorder.dtype, np.zeros(1, np.int64))
        machine.add(recorder.taken())
        assert machine.run(0, 1) == 1
        return
    with np.errstate(all="ignore"):
        for kernel, lo, hi, _, operands in recorder.taken():
            flat: list[Any] = [each.reshape(-1) if isinstance(each, np.ndarray) else each for each in operands]
            kernel(lo, hi, *flat)


def buffer_of(recorder: Recorder, content: Array) -> Array:
    """Return a buffer of the recorder with this content."""
    buffer = recorder.empty(content.shape)
    buffer[...] = content
    return buffer
