"""Compile kernels with Numba into object files that need nothing from outside: neither Numba nor a library."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model

from nnfs_cli.system.machine_code import intrinsics
from nnfs_cli.system.machine_code.kernel import Device, Kernel, real
from nnfs_cli.system.machine_code.target import target_machine

I32, I64 = ir.IntType(32), ir.IntType(64)
POINTER = ir.IntType(8).as_pointer()
ENTRY = ir.FunctionType(I32, [POINTER, POINTER, I64, I64, I64])  # of every kernel
PROCEDURE = ir.FunctionType(ir.VoidType(), [])
FLUSH_BITS = 1 << 15 | 1 << 6  # of the register MXCSR: flush results to zero, take operands for zero
BY_ROWS, PLAIN = 101, 111  # CBLAS' numbers for matrices that are stored by rows, and are not transposed
OPTIONS = {"error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compile_kernel(kernel: Kernel, dtype: np.dtype[Any], symbol: str) -> bytes:
    """Return an object file with the kernel as `int32 symbol(void*, void*, int64 operands, int64 lo, int64 hi)`."""
    kinds = [types.int64, types.int64, *_kinds(kernel, numba.from_dtype(dtype))]
    compiled = numba.njit(types.void(*kinds), **OPTIONS)(_specialized(kernel.function, dtype))
    (result,) = compiled.overloads.values()
    module = llvm.parse_assembly(result.library.get_llvm_str())
    module.link_in(llvm.parse_assembly(str(_entry(result, kinds, symbol))))
    outside = [f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")]
    if outside:
        raise TypeError(f"the kernel {kernel.function.__name__} calls {', '.join(outside)}")
    for defined in (*module.functions, *module.global_variables):
        if not defined.is_declaration and defined.name != symbol:
            defined.linkage = llvm.Linkage.internal
    code: bytes = target_machine().emit_object(module)
    return code


def _kinds(kernel: Kernel, number: Any) -> list[Any]:
    """Return Numba's types of the operands of a kernel."""
    array = types.CPointer if _calls_others(kernel) else Flat
    entries = {"f*": number, "d*": types.float64, "i*": types.int64}
    of_kind = {"i": types.int64, "f": number} | {kind: array(entry) for kind, entry in entries.items()}
    return [of_kind[kind] for kind in kernel.kinds]


def _calls_others(kernel: Kernel) -> bool:
    """Return whether other kernels may change the operands of this one while it runs."""
    return any(kernel.function.__globals__.get(name) is intrinsics.call for name in kernel.function.__code__.co_names)


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


def _specialized(function: FunctionType, dtype: np.dtype[Any]) -> FunctionType:
    """Return a copy of a function that sees the dtype, compiled `device` functions and real intrinsics."""
    found: dict[str, Any] = {}
    single = dtype == np.float32
    for name, value in function.__globals__.items():
        if name not in function.__code__.co_names:
            continue
        if value is real:
            found[name] = dtype.type
        elif name == "SINGLE":
            found[name] = single
        elif isinstance(value, Device):
            found[name] = _compiled(value, dtype)
        elif getattr(value, "__module__", None) == intrinsics.__name__:
            found[name] = _intrinsic(value, single)
    return FunctionType(function.__code__, {**function.__globals__, **found}, function.__name__, function.__defaults__)


@functools.cache
def _compiled(device: Device[..., Any], dtype: np.dtype[Any]) -> Any:
    """Return a compiled `device` function; kernels that call the same one share it, which halves their time."""
    free = {"reassoc", "nsz"} if device.any_order else False
    return numba.njit(forceinline=True, fastmath=free, **OPTIONS)(_specialized(device.function, dtype))


class Flat(types.CPointer):  # type: ignore[misc]
    """A flat array in memory that no other operand of the kernel overlaps. Unlike Numba's arrays it is a plain pointer.

    An index of a Numba array may be negative, which keeps loops from being vectorized.
    """


register_model(Flat)(models.PointerModel)


@lower_builtin(operator.getitem, Flat, types.Integer)
def _get(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.load(_place(builder, *arguments))


@lower_builtin(operator.setitem, Flat, types.Integer, types.Any)
def _set(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array, index, number = arguments
    builder.store(number, _place(builder, array, index))
    return context.get_dummy_value()


def _place(builder: Any, array: Any, index: Any) -> Any:
    """Return the address of an entry, and say that no array overlaps another, so that loops need no tests for it."""
    for argument in builder.function.args:
        if argument.type == array.type:
            argument.add_attribute("noalias")
    return builder.gep(array, [index], inbounds=True)


@intrinsic
def _call(typing: Any, address: Any, operands: Any, lo: Any, hi: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        at, *values = arguments
        spare = builder.bitcast(cgutils.alloca_once(builder, I64), POINTER)
        builder.call(builder.inttoptr(at, ENTRY.as_pointer()), [spare, spare, *values])
        return I64(0)

    return types.int64(*[types.int64] * 4), generate


@intrinsic
def _sgemm(
    typing: Any, address: Any, turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any,
    a: Any, lda: Any, b: Any, ldb: Any, c: Any, ldc: Any,
) -> Any:  # fmt: skip
    return types.void(*[types.int64] * 12), _generate_gemm(ir.FloatType())


@intrinsic
def _dgemm(
    typing: Any, address: Any, turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any,
    a: Any, lda: Any, b: Any, ldb: Any, c: Any, ldc: Any,
) -> Any:  # fmt: skip
    return types.void(*[types.int64] * 12), _generate_gemm(ir.DoubleType())


def _generate_gemm(number: ir.Type) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        at, turn_a, turn_b, m, n, k, a, lda, b, ldb, c, ldc = arguments
        kind = ir.FunctionType(ir.VoidType(), [I32] * 3 + [I64] * 3 + [number, I64, I64, I64, I64, number, I64, I64])
        turns = [builder.add(I32(PLAIN), builder.trunc(turn, I32)) for turn in (turn_a, turn_b)]
        function = builder.inttoptr(at, kind.as_pointer())
        builder.call(function, [I32(BY_ROWS), *turns, m, n, k, number(1.0), a, lda, b, ldb, number(0.0), c, ldc])
        return context.get_dummy_value()

    return generate


@intrinsic
def _load_shared(typing: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_word_at(builder, arguments[0]), "acquire", 8)

    return types.int64(types.int64), generate


@intrinsic
def _store_shared(typing: Any, address: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _word_at(builder, arguments[0]), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _add_shared(typing: Any, address: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _word_at(builder, arguments[0]), arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _exchange_shared(typing: Any, address: Any, expected: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, *words = arguments
        found = builder.cmpxchg(_word_at(builder, address), *words, "seq_cst", "seq_cst")
        return builder.extract_value(found, 0)

    return types.int64(*[types.int64] * 3), generate


@intrinsic
def _pause(typing: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if builder.module.triple.startswith(("x86_64", "i686")):
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), PROCEDURE), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _sleep(typing: Any, function: Any, microseconds: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        at, microseconds = arguments
        kind = ir.FunctionType(I32, [I32])
        builder.call(builder.inttoptr(at, kind.as_pointer()), [builder.trunc(microseconds, I32)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _set_rounding_mode(typing: Any, mode: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        module = builder.module
        if not module.triple.startswith(("x86_64", "i686")):
            return I64(0)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
        register = cgutils.alloca_once(builder, I32)
        pointer = builder.bitcast(register, ir.IntType(8).as_pointer())
        builder.call(module.declare_intrinsic("llvm.x86.sse.stmxcsr", (), kind), [pointer])
        before = builder.load(register)
        flush = builder.icmp_signed("==", arguments[0], I64(intrinsics.FLUSH))
        wanted = builder.select(flush, builder.or_(before, I32(FLUSH_BITS)), builder.trunc(arguments[0], I32))
        builder.store(wanted, register)
        builder.call(module.declare_intrinsic("llvm.x86.sse.ldmxcsr", (), kind), [pointer])
        return builder.zext(before, I64)

    return types.int64(types.int64), generate


def _word_at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, I64.as_pointer())


@intrinsic
def _multiply_wide(typing: Any, a: Any, b: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*[builder.zext(argument, wide) for argument in arguments])
        halves = builder.trunc(product, I64), builder.trunc(builder.lshr(product, wide(64)), I64)
        return context.make_tuple(builder, signature.return_type, halves)

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), generate


@intrinsic
def _float_of_bits(typing: Any, bits: Any) -> Any:
    return _bitcast({32: types.float32, 64: types.float64}[bits.bitwidth], bits)


@intrinsic
def _bits_of_float(typing: Any, number: Any) -> Any:
    return _bitcast({types.float32: types.int32, types.float64: types.int64}[number], number)


@intrinsic
def _square_root(typing: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [arguments[0].type]), arguments)

    return x(x), generate


@intrinsic
def _multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = arguments[0].type
        kind = ir.FunctionType(number, [number] * 3)
        return builder.call(builder.module.declare_intrinsic("llvm.fmuladd", [number], kind), arguments)

    return a(a, a, a), generate


def _bitcast(result: Any, argument: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(result))

    return result(argument), generate


def _intrinsic(placeholder: Any, single: bool) -> Any:
    """Return what a placeholder stands for."""
    return {
        intrinsics.call: _call,
        intrinsics.gemm: _sgemm if single else _dgemm,
        intrinsics.load_shared: _load_shared,
        intrinsics.store_shared: _store_shared,
        intrinsics.add_shared: _add_shared,
        intrinsics.exchange_shared: _exchange_shared,
        intrinsics.pause: _pause,
        intrinsics.set_rounding_mode: _set_rounding_mode,
        intrinsics.sleep: _sleep,
        intrinsics.multiply_wide: _multiply_wide,
        intrinsics.multiply_add: _multiply_add,
        intrinsics.float_of_bits: _float_of_bits,
        intrinsics.bits_of_float: _bits_of_float,
        intrinsics.square_root: _square_root,
    }[placeholder]
