"""Compile kernels with Numba into object files that need nothing from outside: neither Numba nor a library."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types

from nnfs_cli.system.machine_code import intrinsics
from nnfs_cli.system.machine_code.kernel import Device, Kernel, real
from nnfs_cli.system.machine_code.llvm_code import ENTRY, I64, Flat, code_of
from nnfs_cli.system.machine_code.target import target_machine

LIBC = {"memcpy", "memset"}  # which LLVM makes of loops, and every process has
OPTIONS = {"error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compile_kernel(kernel: Kernel, dtype: np.dtype[Any], symbol: str) -> bytes:
    """Return an object file with the kernel as `int32 symbol(void*, void*, int64 operands, int64 lo, int64 hi)`."""
    kinds = [types.int64, types.int64, *_kinds(kernel, numba.from_dtype(dtype))]
    compiled = numba.njit(types.void(*kinds), **OPTIONS)(_specialized(kernel, dtype))
    (result,) = compiled.overloads.values()
    module = llvm.parse_assembly(result.library.get_llvm_str())
    module.link_in(llvm.parse_assembly(str(_entry(result, kinds, symbol))))
    for defined in (*module.functions, *module.global_variables):
        if not defined.is_declaration and defined.name != symbol:
            defined.linkage = llvm.Linkage.internal
    code: bytes = target_machine().emit_object(module)
    if outside := sorted(_names_outside(code) - LIBC):
        raise TypeError(f"the kernel {kernel.function.__name__} calls {', '.join(outside)}")
    return code


def _names_outside(code: bytes) -> set[str]:
    """Return what an object file needs from outside, such as a function of libm, if it is of the format ELF."""
    sections = {each.name(): each.data() for each in llvm.ObjectFileRef.from_data(code).sections()}
    symbols, names = sections.get(b".symtab", b""), sections.get(b".strtab", b"")
    starts = [start for start, _, _, section, _, _ in struct.iter_unpack("<IBBHQQ", symbols) if not section]
    return {names[start : names.index(b"\0", start)].decode() for start in starts} - {""}


def _kinds(kernel: Kernel, number: Any) -> list[Any]:
    """Return Numba's types of the operands of a kernel."""
    # A kernel that calls others by their addresses cannot know what they change while it runs.
    calls_others = any(value is intrinsics.call for each in kernel.called() for value in each.read().values())
    array = types.CPointer if calls_others else Flat
    entries = {"f*": number, "d*": types.float64, "i*": types.int64, "j*": types.int32}
    of_kind = {"i": types.int64, "f": number} | {kind: array(entry) for kind, entry in entries.items()}
    return [of_kind[kind] for kind in kernel.kinds]


def _entry(result: Any, kinds: Sequence[Any], symbol: str) -> ir.Module:
    """Return a module with the function `symbol`, which reads the operands from words of 64 bits at an address."""
    module = ir.Module()
    kind = result.target_context.call_conv.get_function_type(types.none, kinds)
    body = ir.Function(module, kind, result.fndesc.llvm_func_name)
    entry = ir.Function(module, ENTRY, symbol)
    builder = ir.IRBuilder(entry.append_basic_block())
    returned, raised, address, lo, hi = entry.args
    words = builder.inttoptr(address, I64.as_pointer())
    values = [builder.bitcast(returned, kind.args[0]), builder.bitcast(raised, kind.args[1]), lo, hi]
    for i, wanted in enumerate(kind.args[len(values) :]):
        word = builder.load(builder.gep(words, [I64(i)]))
        if isinstance(wanted, ir.PointerType):
            word = builder.inttoptr(word, wanted)
        elif wanted != I64:
            word = builder.bitcast(word, ir.DoubleType())
            word = builder.fptrunc(word, wanted) if isinstance(wanted, ir.FloatType) else word
        values.append(word)
    builder.ret(builder.call(body, values))
    return module


def _specialized(device: Device[..., Any], dtype: np.dtype[Any]) -> FunctionType:
    """Return a copy of a function that sees the dtype, compiled `device` functions and real intrinsics."""
    function, single = device.function, dtype == np.float32
    found: dict[str, Any] = {}
    for name, value in device.read().items():
        if value is real:
            found[name] = dtype.type
        elif name == "SINGLE":
            found[name] = single
        elif isinstance(value, Device):
            found[name] = _compiled(value, dtype)
        elif getattr(value, "__module__", None) == intrinsics.__name__:
            found[name] = code_of(value, single)
    return FunctionType(function.__code__, {**function.__globals__, **found}, function.__name__, function.__defaults__)


@functools.cache
def _compiled(device: Device[..., Any], dtype: np.dtype[Any]) -> Any:
    """Return a compiled `device` function; kernels that call the same one share it, which halves their time."""
    free = {"reassoc", "nsz"} if device.any_order else False
    return numba.njit(forceinline=True, fastmath=free, **OPTIONS)(_specialized(device, dtype))
