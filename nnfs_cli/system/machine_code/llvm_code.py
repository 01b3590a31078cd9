"""What kernels become that Python cannot say: LLVM's instructions for flat arrays and for `intrinsics`."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model

from nnfs_cli.system.machine_code import intrinsics

I32, I64 = ir.IntType(32), ir.IntType(64)
POINTER = ir.IntType(8).as_pointer()
ENTRY = ir.FunctionType(I32, [POINTER, POINTER, I64, I64, I64])  # of every kernel
FLUSH_BITS = 1 << 15 | 1 << 6  # of the register MXCSR: flush results to zero, take operands for zero
BY_ROWS, PLAIN = 101, 111  # CBLAS' numbers for matrices that are stored by rows, and are not transposed
X86 = ("x86_64", "i686")

_compiled: dict[Any, Any] = {}  # what Numba puts in place of an intrinsic; for `gemm` by whether numbers are float32


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


def code_of(function: Callable[..., Any], single: bool) -> Any:
    """Return what Numba puts in place of a function of `intrinsics`; `single` says that numbers are float32."""
    return _compiled[single if function is intrinsics.gemm else function]


def _becomes(
    function: Callable[..., Any], kind: Callable[..., Any] | None = None, key: object = None
) -> Callable[[Callable[..., Any]], object]:
    """Declare `generate(builder, *values)`, which makes the code of an intrinsic.

    `kind` is its signature for such types of arguments; without it, all are whole numbers.
    """
    described = inspect.signature(function)
    result = types.void if described.return_annotation == "None" else types.int64
    words = result(*[types.int64] * len(described.parameters))

    def declare(generate: Callable[..., Any]) -> object:
        def typed(typing: Any, *found: Any) -> Any:
            def call(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                value = generate(builder, *values)
                return context.get_dummy_value() if value is None else value

            return kind(*found) if kind else words, call

        first = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        vars(typed)["__signature__"] = described.replace(parameters=[first, *described.parameters.values()])
        _compiled[function if key is None else key] = intrinsic(typed)
        return generate

    return declare


@_becomes(intrinsics.call)
def _call(builder: Any, address: Any, *values: Any) -> Any:
    spare = builder.bitcast(cgutils.alloca_once(builder, I64), POINTER)
    builder.call(builder.inttoptr(address, ENTRY.as_pointer()), [spare, spare, *values])
    return I64(0)


def _gemm_of(number: ir.Type) -> Callable[..., None]:
    numbers = [number, I64, I64, I64, I64, number, I64, I64]
    kind = ir.FunctionType(ir.VoidType(), [*[I32] * 3, *[I64] * 3, *numbers])

    def gemm(builder: Any, at: Any, turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any, *matrices: Any) -> None:
        turns = [builder.add(I32(PLAIN), builder.trunc(turn, I32)) for turn in (turn_a, turn_b)]
        *of_a_and_b, c, ldc = matrices
        function = builder.inttoptr(at, kind.as_pointer())
        builder.call(function, [I32(BY_ROWS), *turns, m, n, k, number(1.0), *of_a_and_b, number(0.0), c, ldc])

    return gemm


_becomes(intrinsics.gemm, key=True)(_gemm_of(ir.FloatType()))
_becomes(intrinsics.gemm, key=False)(_gemm_of(ir.DoubleType()))


@_becomes(intrinsics.load_shared)
def _load_shared(builder: Any, address: Any) -> Any:
    return builder.load_atomic(_word_at(builder, address), "acquire", 8)


@_becomes(intrinsics.store_shared)
def _store_shared(builder: Any, address: Any, word: Any) -> None:
    builder.store_atomic(word, _word_at(builder, address), "seq_cst", 8)


@_becomes(intrinsics.add_shared)
def _add_shared(builder: Any, address: Any, number: Any) -> Any:
    return builder.atomic_rmw("add", _word_at(builder, address), number, "seq_cst")


@_becomes(intrinsics.exchange_shared)
def _exchange_shared(builder: Any, address: Any, expected: Any, word: Any) -> Any:
    found = builder.cmpxchg(_word_at(builder, address), expected, word, "seq_cst", "seq_cst")
    return builder.extract_value(found, 0)


def _word_at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, I64.as_pointer())


@_becomes(intrinsics.pause)
def _pause(builder: Any) -> None:
    if builder.module.triple.startswith(X86):
        _call_llvm(builder, "x86.sse2.pause", ir.VoidType())


@_becomes(intrinsics.sleep)
def _sleep(builder: Any, function: Any, microseconds: Any) -> None:
    kind = ir.FunctionType(I32, [I32])
    builder.call(builder.inttoptr(function, kind.as_pointer()), [builder.trunc(microseconds, I32)])


@_becomes(intrinsics.set_float_mode)
def _set_float_mode(builder: Any, mode: Any) -> Any:
    if not builder.module.triple.startswith(X86):
        return I64(0)
    register = cgutils.alloca_once(builder, I32)
    pointer = builder.bitcast(register, POINTER)
    _call_llvm(builder, "x86.sse.stmxcsr", ir.VoidType(), pointer)
    before = builder.load(register)
    flush = builder.icmp_signed("==", mode, I64(intrinsics.FLUSH))
    builder.store(builder.select(flush, builder.or_(before, I32(FLUSH_BITS)), builder.trunc(mode, I32)), register)
    _call_llvm(builder, "x86.sse.ldmxcsr", ir.VoidType(), pointer)
    return builder.zext(before, I64)


@_becomes(intrinsics.float_of_bits, lambda bits: {32: types.float32, 64: types.float64}[bits.bitwidth](bits))
def _float_of_bits(builder: Any, bits: Any) -> Any:
    return builder.bitcast(bits, ir.FloatType() if bits.type == I32 else ir.DoubleType())


@_becomes(intrinsics.bits_of_float, lambda x: {types.float32: types.int32, types.float64: types.int64}[x](x))
def _bits_of_float(builder: Any, number: Any) -> Any:
    return builder.bitcast(number, I32 if number.type == ir.FloatType() else I64)


@_becomes(intrinsics.square_root, lambda x: x(x))
def _square_root(builder: Any, number: Any) -> Any:
    return _call_llvm(builder, "sqrt", number.type, number, of=[number.type])


@_becomes(intrinsics.multiply_add, lambda a, b, c: a(a, a, a))
def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return _call_llvm(builder, "fmuladd", a.type, a, b, c, of=[a.type])


def _call_llvm(builder: Any, name: str, result: ir.Type, *values: Any, of: Any = ()) -> Any:
    """Call a function that LLVM itself knows, the one for the types `of`."""
    kind = ir.FunctionType(result, [value.type for value in values])
    return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", of, kind), values)
