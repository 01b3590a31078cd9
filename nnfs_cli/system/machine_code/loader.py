"""Load compiled kernels into this process. Numba is imported only to compile what the cache does not have."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from nnfs_cli.errors import UserError
from nnfs_cli.system.extras import install
from nnfs_cli.system.machine_code import cache
from nnfs_cli.system.machine_code.kernel import Device, Kernel

COMPILER = ("compiler.py", "intrinsics.py", "kernel.py", "llvm_code.py", "target.py")  # what makes the code of a kernel
CONSTANTS = (int, float, tuple, np.generic, type)  # whose values are in the key of a kernel
KNOWN = (Device, FunctionType, ModuleType)  # other values that a kernel may read: device functions, intrinsics, NumPy

_lock = threading.Lock()  # a new one in a process that was forked, where nobody could open that of its parent
_addresses: dict[tuple[Kernel, str], int] = {}
_engines: list[Any] = []  # they own the memory of the machine code


def why_not_compile() -> str:
    """Return why kernels cannot be compiled here and what to do about it, or the empty string."""
    if not all(importlib.util.find_spec(name) for name in ("numba", "llvmlite")):
        return f"it needs `{install('fast')}`"
    off = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}
    return "the environment variable NUMBA_DISABLE_JIT switches Numba off; remove it" if off else ""


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def load(
    kernels: Sequence[Kernel], dtype: np.dtype[Any], compiling: Callable[[int], None] = lambda number: None
) -> dict[Kernel, int]:
    """Return the address of each kernel for numbers of this dtype; compile those that the cache does not have.

    `compiling` is called with their number before. The code at an address is
    `int32 kernel(int64* result, void*, int64 operands, int64 lo, int64 hi)`. Raises `UserError` if Numba has to compile
    and cannot be imported.
    """
    with _lock:
        missing = [kernel for kernel in dict.fromkeys(kernels) if (kernel, dtype.char) not in _addresses]
        if missing:
            _load(missing, dtype, compiling)
        return {kernel: _addresses[kernel, dtype.char] for kernel in kernels}


def _load(kernels: Sequence[Kernel], dtype: np.dtype[Any], compiling: Callable[[int], None]) -> None:
    symbols = {kernel: f"nnfs_{_key(kernel, dtype)}" for kernel in kernels}
    cached = {kernel: cache.read(symbol) for kernel, symbol in symbols.items()}
    objects = {kernel: code for kernel, code in cached.items() if code is not None}
    absent = [kernel for kernel in kernels if kernel not in objects]
    if absent:
        compiling(len(absent))
        try:
            from nnfs_cli.system.machine_code.compiler import compile_kernel
        except ImportError as error:  # as for a NumPy that is newer than this Numba
            raise UserError(f"Numba cannot be imported: {error}; set engine: numpy, or install another Numba") from None
        for kernel in absent:
            objects[kernel] = compile_kernel(kernel, dtype, symbols[kernel])
            cache.write(symbols[kernel], objects[kernel])
    import llvmlite.binding as llvm

    from nnfs_cli.system.machine_code.target import target_machine

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    for code in objects.values():
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    for kernel, symbol in symbols.items():
        _addresses[kernel, dtype.char] = engine.get_function_address(symbol)


def _key(kernel: Device[..., Any], dtype: np.dtype[Any]) -> str:
    """Return a digest of all that decides what the code of a kernel is."""
    about = [*_surroundings(), dtype.str, *map(repr, _parts(kernel))]
    return hashlib.sha256("\n".join(about).encode()).hexdigest()[:32]


@functools.cache
def _surroundings() -> tuple[str, ...]:
    """Return what decides about the code of every kernel: our compiler, the versions, and the processor."""
    from nnfs_cli.system.machine_code.target import processor

    ours = [hashlib.sha256(Path(__file__).with_name(name).read_bytes()).hexdigest() for name in COMPILER]
    versions = map(importlib.metadata.version, ("numba", "llvmlite"))
    return *ours, processor(), sys.version, np.__version__, *versions


def _parts(kernel: Device[..., Any]) -> Iterator[tuple[Any, ...]]:
    """Yield what a kernel is made of: its own code, that of all that it calls, and the constants that they read.

    Byte code is found in a hundredth of the time that Python takes to find the source.
    """
    for device in kernel.called():
        code: CodeType = device.function.__code__
        about = device.any_order, getattr(device, "kinds", ())
        yield code.co_name, code.co_code, code.co_consts, code.co_names, code.co_varnames, about
        for name, value in device.read().items():
            if isinstance(value, CONSTANTS):
                yield name, value
            elif not isinstance(value, KNOWN):
                raise TypeError(f"{code.co_name} reads {name}, which is of type {type(value).__name__}: use numbers")
