"""Statements for operations that compute each number by one expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nnfs_cli.export.c.places import Place, Walk, loops, nested, row_major, shape_of, size_of
from nnfs_cli.export.c.program import Program
from nnfs_cli.pipeline.elementwise import BINARY, SPECIAL, UNARY
from nnfs_cli.pipeline.value import DType, Value

LIBRARY = {
    "absolute": "fabs",
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "sqrt": "sqrt",
    "sin": "sin",
    "cos": "cos",
    "tanh": "tanh",
    "power": "pow",
    "sign_of": "copysign",
}
SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "less": "<",
    "less_equal": "<=",
    "equal": "==",
    "logical_and": "&&",
    "logical_or": "||",
}
OF_TRUTHS = {"add": "||", "multiply": "&&", "maximum": "||", "minimum": "&&"}
ONLY_FLOATS = {*LIBRARY, *SPECIAL, "divide", "sigmoid", "is_nan", "is_finite"} - {"absolute"}


def converted(program: Program, expression: str, given: DType, wanted: DType) -> str:
    """Return an expression of one type as one of another."""
    if given == wanted:
        return expression
    if wanted == "bool":
        return f"({expression} != 0)"
    if wanted == "int64":
        return (
            f"(int64_t){expression}" if given == "bool" else f"{program.functions.use('whole')}((double){expression})"
        )
    return f"({'double' if wanted == 'float64' else 'float'}){expression}"


def computing_type(value: Value) -> DType:
    """Return the type in which NumPy computes an operation on numbers."""
    found = np.result_type(*(np.dtype(one.dtype) for one in value.inputs)).name
    if value.operation in ONLY_FLOATS and found in ("bool", "int64"):
        return "float64"
    dtype: DType = found  # type: ignore[assignment]  # the names are those of NumPy
    return dtype


def arithmetic(program: Program, value: Value, given: Sequence[str]) -> tuple[str, DType]:
    """Return the expression of an operation of `elementwise`, and its type."""
    dtype, name = computing_type(value), value.operation
    args = [
        converted(program, text, one.dtype, dtype if not name.startswith("logical_") else "bool")
        for text, one in zip(given, value.inputs, strict=True)
    ]
    if name in ("less", "less_equal", "equal", "logical_and", "logical_or"):
        return f"{args[0]} {SIGNS[name]} {args[1]}", "bool"
    if name == "logical_not":
        return f"!{args[0]}", "bool"
    if name in ("is_nan", "is_finite"):
        return f"{name.replace('_', '')}({args[0]}) != 0", "bool"
    if dtype == "int64":
        return _whole(program, name, args), dtype
    if dtype == "bool":
        return f"{args[0]} {OF_TRUTHS[name]} {args[1]}", dtype
    return _float(program, name, dtype, args), dtype


def _whole(program: Program, name: str, args: Sequence[str]) -> str:
    use = program.functions.use
    if name == "negative":
        return f"{use('subtract', 'int64')}(0, {args[0]})"
    if name == "absolute":
        return f"{use('maximum', 'int64')}({args[0]}, {use('subtract', 'int64')}(0, {args[0]}))"
    return f"{use(name, 'int64')}({', '.join(args)})"


def _float(program: Program, name: str, dtype: DType, args: Sequence[str]) -> str:
    single = dtype == "float32"
    if name in SIGNS:
        return f"{args[0]} {SIGNS[name]} {args[1]}"
    if name == "negative":
        return f"-{args[0]}"
    if name in LIBRARY:
        return f"{LIBRARY[name]}{'f' if single else ''}({', '.join(args)})"
    if name in SPECIAL:  # in double, as SciPy does
        function = name if name == "erf" else program.functions.use(name)
        return f"(float){function}((double){args[0]})" if single else f"{function}({args[0]})"
    return f"{program.functions.use(name, dtype)}({', '.join(args)})"


def where(program: Program, value: Value, given: Sequence[str]) -> tuple[str, DType]:
    """Return the expression of a choice."""
    condition, a, b = given
    return f"{condition} ? {a} : {b}", value.dtype


def cast(program: Program, value: Value, given: Sequence[str]) -> tuple[str, DType]:
    """Return the expression of a number in another type."""
    return converted(program, given[0], value.inputs[0].dtype, value.dtype), value.dtype


def date_part(program: Program, value: Value, given: Sequence[str]) -> tuple[str, DType]:
    """Return the expression of a part of a date."""
    program.functions.use("calendar")
    return f"day_of({given[0]}).{value.settings['part']}", "int64"


def label_of(program: Program, value: Value, given: Sequence[str]) -> tuple[str, DType]:
    """Return the expression of a label that is a number, or of the index of one that is a text."""
    labels = value.settings["labels"]
    row = f"{program.functions.use('row_at')}({given[0]}, {len(labels)})"
    if value.dtype == "text":
        return f"(int64_t){row}", "int64"
    return program.declare(np.array(labels), value.dtype, name="labels").at(row), value.dtype


def count_below(program: Program, value: Value, given: Sequence[str]) -> tuple[str, DType]:
    """Return the expression of the number of knots below a number."""
    x, knots = value.inputs
    function = program.functions.use("count_up_to" if value.settings["or_equal"] else "count_below", x.dtype)
    return f"{function}({program.array(knots).address()}, {size_of(knots)}, {given[0]})", "int64"


Expression = Callable[[Program, Value, Sequence[str]], tuple[str, DType]]
EXPRESSIONS: dict[str, Expression] = {
    **dict.fromkeys([*UNARY, *BINARY, *SPECIAL, "sigmoid"], arithmetic),
    "where": where,
    "cast": cast,
    "date_part": date_part,
    "label_of": label_of,
    "count_below": count_below,
}


def entrywise(program: Program, value: Value) -> Place:
    """Write an operation whose expression is the same for all numbers."""
    expression = EXPRESSIONS[value.operation]
    operands = value.inputs[:1] if value.operation == "count_below" else value.inputs
    places = [program.place(one) for one in operands]
    stored: DType = "int64" if value.operation == "label_of" and value.dtype == "text" else value.dtype
    if size_of(value) == 1:
        text, dtype = expression(program, value, [place.at("0") for place in places])
        return program.single(value, converted(program, _enclosed(text, dtype, stored), dtype, stored), stored)
    shape = shape_of(value)
    y = program.buffer(value, stored)
    walks = [Walk(place, row_major(shape_of(one))) for place, one in zip(places, operands, strict=True)]
    variables, (target, *given) = loops(shape, [Walk(y, row_major(shape)), *walks])
    text, dtype = expression(program, value, given)
    text = converted(program, _enclosed(text, dtype, stored), dtype, stored)
    program.lines += nested(variables, [f"{target} = {text};"])
    return y


def _enclosed(text: str, given: DType, wanted: DType) -> str:
    return text if given == wanted else f"({text})"
