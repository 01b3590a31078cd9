"""Statements for operations on whole axes, members and tables."""

from __future__ import annotations

import numpy as np

from nnfs_cli.export.c.entrywise import converted
from nnfs_cli.export.c.places import Place, Walk, loops, nested, row_major, shape_of, size_of
from nnfs_cli.export.c.program import Program
from nnfs_cli.export.c.text import TYPES
from nnfs_cli.pipeline.value import Value

TO_ONE = {
    "sum_last": "sum",
    "max_last": "largest",
    "min_last": "smallest",
    "all_last": "all_true",
    "any_last": "any_true",
    "argmax_last": "place_of_largest",
}
TO_SAME = {
    "cumulative_sum": "cumulative_sum",
    "cumulative_max": "cumulative_max",
    "sort_last": "sorted",
    "softmax": "softmax",
}


def _function(program: Program, value: Value, name: str) -> str:
    return program.functions.use(name, None if name in ("all_true", "any_true") else value.inputs[0].dtype)


def to_one(program: Program, value: Value) -> Place:
    """Write an operation that turns the last axis into one number."""
    (x,) = value.inputs
    place, width = program.array(x), x.width
    function = _function(program, value, TO_ONE[value.operation])
    if size_of(value) == 1:
        return program.single(value, f"{function}({place.address()}, {width})")
    y = program.buffer(value)
    program.lines += nested(
        [("i", size_of(value))], [f"{y.at('i')} = {function}({place.address(_row(width))}, {width});"]
    )
    return y


def to_same(program: Program, value: Value) -> Place:
    """Write an operation that turns the last axis into one of the same length."""
    (x,) = value.inputs
    place, y, width = program.array(x), program.buffer(value), value.width
    function = _function(program, value, TO_SAME[value.operation])
    rows = size_of(value) // width
    at = _row(width) if rows > 1 else "0"
    call = f"{function}({y.address(at)}, {place.address(at)}, {width});"
    program.lines += nested([("i", rows)] if rows > 1 else [], [call])
    return y


def _row(width: int, variable: str = "i") -> str:
    return variable if width == 1 else f"{variable} * {width}"


def copied(program: Program, y: Place, value: Value, target: Walk, source: Walk, shape: tuple[int, ...]) -> None:
    """Write the loops that copy numbers from one place to another, as the type of a value."""
    variables, (to, given) = loops(shape, [target, source])
    text = converted(program, given, source.place.dtype, y.dtype)
    program.lines += nested(variables, [f"{to} = {text};"])


def concatenate(program: Program, value: Value) -> Place:
    """Write the copies of values side by side."""
    y, start = program.buffer(value), 0
    for one in value.inputs:
        shape = (*shape_of(value)[:-1], one.width)
        steps = row_major(shape_of(value))
        steps = (*steps[:-1], 1)
        copied(program, y, value, Walk(y, steps, start), Walk(program.place(one), row_major(shape_of(one))), shape)
        start += one.width
    return y


def take(program: Program, value: Value) -> Place:
    """Write the copy of some entries of the last axis."""
    (x,), indices = value.inputs, value.settings["indices"]
    place = program.place(x)
    if size_of(value) == 1:
        return program.single(value, place.at(str(indices[0])))
    y, rows = program.buffer(value), size_of(value) // value.width
    step = max(indices[1] - indices[0], 0) if len(indices) > 1 else 0
    if list(indices) == [indices[0] + step * j for j in range(len(indices))]:
        source = Walk(place, (x.width if rows > 1 else 0, step), indices[0])
        copied(program, y, value, Walk(y, row_major((rows, value.width))), source, (rows, value.width))
        return y
    table = program.declare(np.array(indices), "int64", name="indices", c_type="uint32_t")
    variables = [("i", rows), ("j", value.width)][rows == 1 :]
    to = f"(i * {value.width}) + j" if rows > 1 else "j"
    given = f"(i * {x.width}) + {table.at('j')}" if rows > 1 else table.at("j")
    program.lines += nested(variables, [f"{y.at(to)} = {place.at(given)};"])
    return y


def transpose(program: Program, value: Value) -> Place:
    """Write the copy of numbers in another order of axes."""
    (x,), y = value.inputs, program.buffer(value)
    steps = row_major(shape_of(x))
    permuted = (steps[0], *(steps[1 + axis] for axis in value.settings["axes"]))
    shape = shape_of(value)
    copied(program, y, value, Walk(y, row_major(shape)), Walk(program.place(x), permuted), shape)
    return y


def matmul(program: Program, value: Value) -> Place:
    """Write a product with a matrix, or with one for each member."""
    x, weight = value.inputs
    y, inputs = program.buffer(value), program.array(x)
    function = program.functions.use("product", value.dtype)
    (n, m), members = weight.features, max(weight.members, 1)
    rows = size_of(value) // m // members
    if members > 1 and x.members <= 1 and rows == 1:  # all members have the same inputs: their matrices become one
        side_by_side = np.moveaxis(weight.array, 0, 1).reshape(n, members * m)
        about = f"{weight.part or program.part} ({n} x {members} members x {m})".strip()
        matrix = program.declare(side_by_side, weight.dtype, about, weight.settings["name"])
        call = f"{function}({y.address()}, {inputs.address()}, {matrix.address()}, 1, {n}, {members * m});"
        program.lines.append(call)
        return y
    matrix = program.array(weight)
    at = [_row(rows * m), _row(rows * n) if x.members > 1 else "0", _row(n * m)] if members > 1 else ["0"] * 3
    places = (place.address(index) for place, index in zip((y, inputs, matrix), at, strict=True))
    call = f"{function}({', '.join(places)}, {rows}, {n}, {m});"
    program.lines += nested([("i", members)] if members > 1 else [], [call])
    return y


def sum_members(program: Program, value: Value) -> Place:
    """Write the mean of the members, or their sum with shares."""
    (x,), shares = value.inputs, value.settings["shares"]
    place, y, size, dtype = program.place(x), program.buffer(value), size_of(value), value.dtype
    members = shape_of(x)[0]
    weights = None if shares is None else program.declare(np.asarray(shares), dtype, name="shares")
    source = place.at(f"({_row(size, 'j')}) + i" if size > 1 else "j")
    added = source if weights is None else f"{weights.at('j')} * {source}"
    kind = TYPES[dtype]
    whole = "total" if weights is not None else f"total / ({kind}){members}"
    inner = [f"{kind} total = 0;", *nested([("j", members)], [f"total += {added};"]), f"{y.at('i')} = {whole};"]
    program.lines += nested([("i", size)], inner)
    return y


def rows_of(program: Program, value: Value) -> Place:
    """Write the copy of the row of a table that a code names, member by member."""
    table, codes = value.inputs
    y, place, code = program.buffer(value), program.array(table), program.place(codes)
    (n, width), members = table.features, shape_of(value)[0]
    row = f"{program.functions.use('row_at')}({code.at('i' if codes.members > 1 else '0')}, {n})"
    row = f"(i * {n}) + {row}" if table.members > 1 else row
    head = f"const {TYPES[value.dtype]} *row = &{place.at(f'({row}) * {width}')};"
    to = "j" if members == 1 else f"(i * {width}) + j"
    body = [head, *nested([("j", width)], [f"{y.at(to)} = row[j];"])]
    program.lines += nested([("i", members)], body)
    return y


def tree_sums(program: Program, value: Value) -> Place:
    """Write the sums over trees: for each set, and for each tree of a round, over the rounds."""
    (x,), s = value.inputs, value.settings
    y, inputs = program.buffer(value), program.array(x)
    sets, rounds, trees = s["roots"].shape
    n_values = s["value"].shape[1]
    roots, depths = (np.swapaxes(s[name], 1, 2).reshape(-1, rounds) for name in ("roots", "depth"))
    order = np.argsort(depths, axis=1, kind="stable")
    nodes = program.declare_nodes(s["threshold"], s["feature"], s["left"])
    values = program.declare(s["value"], "float32", "of the leaves", "values")
    starts, ends = (
        program.declare(np.take_along_axis(one, order, 1), "int64", "of the trees", name, "uint32_t")
        for one, name in ((roots, "roots"), (depths, "depths"))
    )
    n = sets * trees
    at = [_row(n_values), _row(rounds)] if n > 1 else ["0", "0"]
    call = (
        f"{program.functions.use('add_leaves')}({y.address(at[0])}, {inputs.address()}, {nodes}, {values.name}, "
        f"{starts.address(at[1])}, {ends.address(at[1])}, {rounds}, {n_values});"
    )
    zero = nested([("i", size_of(value))], [f"{y.at('i')} = 0.0;"])
    program.lines += [*zero, *nested([("i", n)] if n > 1 else [], [call])]
    return y
