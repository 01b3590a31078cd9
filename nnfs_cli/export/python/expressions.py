"""Operations as expressions of Python, with no more parentheses than they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nnfs_cli.export.python.stored import Stored, number_code, packed, quoted
from nnfs_cli.pipeline.elementwise import TRUTHS, UNARY
from nnfs_cli.pipeline.value import Value

COMPARE, OR, AND, SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 9)  # how closely operators bind
TYPES = {"float64": "np.float64", "float32": "np.float32", "int64": "np.int64", "bool": "bool", "text": "object"}
SOME = 24  # indices that are written out


class Expression(NamedTuple):
    """Python code of an expression, and how closely its outermost operator binds."""

    text: str
    level: int = ATOM

    def within(self, level: int) -> str:
        """Return the code as an operand: in parentheses unless it binds at least as closely as the level says."""
        return self.text if self.level >= level else f"({self.text})"


Arguments = Sequence[Expression]

INFIX = {
    "add": ("+", SUM),
    "subtract": ("-", SUM),
    "multiply": ("*", PRODUCT),
    "divide": ("/", PRODUCT),
    "floor_divide": ("//", PRODUCT),
    "remainder": ("%", PRODUCT),
    "matmul": ("@", PRODUCT),
    "power": ("**", POWER),
    "less": ("<", COMPARE),
    "less_equal": ("<=", COMPARE),
    "equal": ("==", COMPARE),
    "logical_and": ("&", AND),
    "logical_or": ("|", OR),
}
PREFIX = {"negative": "-", "logical_not": "~"}
CALLS = {  # functions of arrays that need nothing else
    **{name: f"np.{name}" for name in UNARY if name not in PREFIX},
    "is_nan": "np.isnan",
    "is_finite": "np.isfinite",
    "minimum": "np.minimum",
    "maximum": "np.maximum",
    "sign_of": "np.copysign",
    "where": "np.where",
    **{name: name for name in ("sigmoid", "softmax", "erf", "normal_cdf", "normal_quantile", "is_gap")},
}
ENTRYWISE = ({*INFIX, *PREFIX, *CALLS} - {"matmul", "softmax", "is_gap"}) | {"cast"}
REDUCTIONS = {"sum_last": "sum", "max_last": "max", "min_last": "min", "all_last": "all", "any_last": "any"}
ALONG_LAST = {"cumulative_sum": "cumsum", "cumulative_max": "maximum.accumulate", "sort_last": "sort"}


def expression(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    """Return the code of an operation, other than a constant or a column, on arguments."""
    name = value.operation
    if name in INFIX:
        sign, level = INFIX[name]
        left, right = (level + 1, level) if name == "power" else (level, level + 1)
        left += level == COMPARE
        second = arguments[1].within(right)
        if level == SUM and second.startswith("-"):  # a + -b is a - b
            sign, second = ("-" if sign == "+" else "+"), second[1:]
        found = Expression(f"{arguments[0].within(left)} {sign} {second}", level)
    elif name in PREFIX:
        found = Expression(f"{PREFIX[name]}{arguments[0].within(SIGN)}", SIGN)
    elif name in CALLS:
        found = call(CALLS[name], *(one.text for one in arguments))
    elif name in REDUCTIONS:
        found = Expression(f"{arguments[0].within(ATOM)}.{REDUCTIONS[name]}(axis=-1, keepdims=True)")
    elif name in ALONG_LAST:
        found = call(f"np.{ALONG_LAST[name]}", arguments[0].text, "axis=-1")
    else:
        found = OTHERS[name](value, arguments, stored)
    return found if _natural_type(value) == value.dtype else _as(value.dtype, found)


def call(function: str, *arguments: str) -> Expression:
    """Return a call, on several lines if its arguments are long."""
    return Expression(f"{function}({packed(arguments, len(function))})")


def _as(dtype: str, x: Expression) -> Expression:
    return Expression(f"{x.within(ATOM)}.astype({TYPES[dtype]})")


def _natural_type(value: Value) -> str:
    """Return the type that NumPy gives to an operation."""
    name, types = value.operation, [one.dtype for one in value.inputs]
    if name in TRUTHS or name not in {*INFIX, *CALLS, "concatenate"} or "text" in types:
        return value.dtype
    if not {*types} & {"float32", "float64"} and (name == "divide" or name in {*UNARY} - {"negative", "absolute"}):
        return "float64"
    return np.result_type(*map(np.dtype, types[1:] if name == "where" else types)).name


def _take(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    indices = value.settings["indices"]
    first, n = indices[0], len(indices)
    if indices == (*range(first, first + n),):
        code = f"{first}:{first + n}"
    elif n <= SOME:
        code = str([*indices])
    else:
        code = stored.array(value.part, "indices", np.array(indices))
    return Expression(f"{arguments[0].within(ATOM)}[..., {code}]")


def _concatenate(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    parts = [one.text for one in arguments]
    if any(one.members != value.members or one.is_constant for one in value.inputs):
        return call("beside", *parts)
    return Expression(f"np.concatenate([{packed(parts, 20)}], axis=-1)")


def _reshape(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    sizes = ", ".join(map(str, [*[value.members] * bool(value.members), -1, *value.features]))
    return Expression(f"{arguments[0].within(ATOM)}.reshape({sizes})")


def _transpose(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    before = 2 if value.members else 1
    axes = [*range(before), *(before + axis for axis in value.settings["axes"])]
    return Expression(f"{arguments[0].within(ATOM)}.transpose({', '.join(map(str, axes))})")


def _sum_members(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    shares = value.settings["shares"]
    if shares is None:
        return Expression(f"{arguments[0].within(ATOM)}.mean(axis=0)")
    return call("np.tensordot", stored.array(value.part, "shares", shares), arguments[0].text, "axes=1")


def _rows_of(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    table, codes = value.inputs
    by = f"{arguments[1].within(ATOM)}[..., 0]"
    if table.members:
        by = f"np.arange({table.members})[:, None], {by}" if codes.members else f":, {by}"
    return Expression(f"{arguments[0].within(ATOM)}[{by}]")


def _count_below(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    side = "right" if value.settings["or_equal"] else "left"
    knots = stored.array(value.part, value.inputs[1].settings["name"] or "knots", value.inputs[1].array)
    return call("np.searchsorted", knots, arguments[0].text, quoted(side))


def _tree_sums(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    arrays = {name: stored.array(value.part, name, array) for name, array in value.settings.items()}
    return call("tree_sums", arguments[0].text, *(f"{name}={code}" for name, code in arrays.items()))


def _label_of(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    labels = stored.words(value.part, "labels", value.settings["labels"])
    return Expression(f"np.array({labels}, {TYPES[value.dtype]})[{arguments[0].text}]")


def _look_up(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    settings = value.settings
    keys = stored.words(value.part, "keys", settings["keys"])
    return call("look_up", arguments[0].text, keys, f"gap={settings['gap']}", f"default={settings['default']}")


def _has_entries(value: Value, arguments: Arguments, stored: Stored) -> Expression:
    keys = stored.words(value.part, "keys", value.settings["keys"])
    return call("has_entries", arguments[0].text, quoted(value.settings["delimiter"]), keys)


OTHERS: dict[str, Callable[[Value, Arguments, Stored], Expression]] = {
    "cast": lambda value, arguments, stored: _as(value.dtype, arguments[0]),
    "take": _take,
    "concatenate": _concatenate,
    "reshape": _reshape,
    "transpose": _transpose,
    "argmax_last": lambda value, arguments, stored: Expression(
        f"{arguments[0].within(ATOM)}.argmax(axis=-1)[..., None]"
    ),
    "sum_members": _sum_members,
    "rows_of": _rows_of,
    "count_below": _count_below,
    "tree_sums": _tree_sums,
    "label_of": _label_of,
    "joined_labels": lambda value, arguments, stored: call(
        "joined_labels", arguments[0].text, stored.words(value.part, "labels", value.settings["labels"])
    ),
    "look_up": _look_up,
    "has_entries": _has_entries,
    "hash_bucket": lambda value, arguments, stored: call(
        "hash_bucket", arguments[0].text, str(value.settings["buckets"])
    ),
    "date_part": lambda value, arguments, stored: call("date_part", arguments[0].text, quoted(value.settings["part"])),
}


def literal(value: Value, beside: Value | None) -> Expression | None:
    """Return a constant of a single number as a literal if it is an operand of the same type beside another one."""
    if value.array.size != 1 or value.members or beside is None or value.dtype != beside.dtype:
        return None
    code = number_code(value.array.reshape(()))
    return Expression(code, SIGN if code.startswith("-") else ATOM)
