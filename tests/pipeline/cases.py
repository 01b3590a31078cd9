"""Pipelines that use every operation, with cells: each format must compute what NumPy does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline import cells, elementwise, labels, shapes
from nnfs_cli.pipeline.cells import EMPTY_DATE
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.trees import tree_sums
from nnfs_cli.pipeline.value import Value, constant

HOSTILE = (
    "a",
    "",
    'say "hi"',
    "it's",
    "back\\slash",
    "new\nline",
    "*/",
    "</script>",
    "🦊",
    "ünïcode",
    "NULL",
    "a\x00b",
)
NUMBERS = (-1e300, -1e10, -3.5, -1.0, -1e-9, -0.0, 0.0, 1e-9, 0.3, 1.0, 2.0, 3.5, 7.0, 1e10, 1e300, np.nan)
DATES = ("1970-01-01", "1969-12-31T23:59:59.999999", "2000-02-29", "1900-03-01", "2024-12-31T12:00", "0001-01-03")


class Case(NamedTuple):
    """A pipeline, and the cells to compute it for."""

    name: str
    pipeline: Pipeline
    cells: Mapping[str, Array]


def number(name: str = "x") -> Value:
    return cells.column(name, "number")


def case(name: str, columns: list[Value], found: Value, given: Mapping[str, Array]) -> Case:
    """Return the case of one value, each of whose entries becomes an output."""
    flat = shapes.reshape(found, [int(np.prod(found.features))])
    outputs = {f"y{i}": shapes.take(flat, [i]) for i in range(flat.width)}
    return Case(name, Pipeline({one.settings["name"]: one for one in columns}, outputs, constant([True])), given)


def numbers(*values: float) -> Array:
    return np.array(values or NUMBERS, np.float64)


def texts(*values: str | None) -> Array:
    found = np.empty(len(values), object)
    found[:] = values
    return found


def unary() -> Iterator[Case]:
    within = {
        "log": numbers(1e-300, 0.5, 1.0, 3.0, 1e300),
        "log1p": numbers(-0.5, 0.0, 1e-12, 3.0, 1e300),
        "sqrt": numbers(0.0, 0.25, 2.0, 1e300),
        "exp": numbers(-700.0, -1.0, 0.0, 1e-9, 2.5, 700.0),
        "expm1": numbers(-40.0, -1e-12, 0.0, 1e-12, 1.0, 700.0),
        "sin": numbers(-6.3, -1.0, 0.0, 0.5, 6.2),
        "cos": numbers(-6.3, -1.0, 0.0, 0.5, 6.2),
        "tanh": numbers(-30.0, -0.5, 0.0, 1e-9, 0.7, 30.0),
        "erf": numbers(-6.0, -2.0, -0.5, 0.0, 1e-9, 0.3, 1.5, 3.0, 6.0),
        "normal_cdf": numbers(-8.0, -5.2, -1.0, 0.0, 0.5, 2.0, 6.0),
        "normal_quantile": numbers(1e-12, 1e-7, 0.01, 0.3, 0.5, 0.9, 0.999, 1 - 1e-7),
    }
    for name in (*elementwise.UNARY, *elementwise.SPECIAL):
        if name == "logical_not":
            continue
        x = number()
        yield case(name, [x], getattr(elementwise, name)(x), {"x": within.get(name, numbers())})
    x = number()
    yield case("logical_not", [x], elementwise.logical_not(elementwise.less(x, 1.0)), {"x": numbers()})
    x = number()
    yield case("sigmoid", [x], elementwise.sigmoid(x), {"x": numbers(-1e5, -30.0, -0.5, 0.0, 2.0, 1e5)})


def binary() -> Iterator[Case]:
    left = numbers(-3.5, -1.0, 0.0, 2.0, 3.5, 0.3, 7.0, -0.0, 5.0)
    right = numbers(2.0, -1.0, 1.0, 2.0, -3.0, 0.3, 0.1, 1.0, np.nan)
    for name in elementwise.BINARY:
        x, z = number("x"), number("z")
        if name in ("floor_divide", "remainder"):
            whole = elementwise.cast(x, "int64")
            found, given = getattr(elementwise, name)(whole, 3), {"x": numbers(-7.0, -3.0, -1.0, 0.0, 1.0, 5.0, 6e9)}
            yield case(name, [x], found, given)
            continue
        if name in ("logical_and", "logical_or"):
            found = getattr(elementwise, name)(elementwise.less(x, 1.0), elementwise.less(z, 1.0))
        else:
            found = getattr(elementwise, name)(x, z)
        a = np.abs(left) if name == "power" else left
        yield case(name, [x, z], found, {"x": a, "z": right})
    x, z = number("x"), number("z")
    yield case("where", [x, z], elementwise.where(elementwise.less(x, z), x, 5.0), {"x": left, "z": right})
    for dtype in ("float32", "int64"):
        x = number()
        yield case(f"cast {dtype}", [x], elementwise.cast(x, dtype), {"x": numbers(-3.7, -0.1, 0.1, 1e9 + 0.3)})
    x = number()
    y = elementwise.multiply(elementwise.cast(x, "float32"), 0.1)
    yield case("float32", [x], elementwise.add(y, 1e-3), {"x": numbers(0.1, 0.3, 12345.678, -1e30)})


def several(n: int = 3) -> tuple[list[Value], Value, dict[str, Array]]:
    rng = np.random.default_rng(0)
    columns = [number(f"x{i}") for i in range(n)]
    return columns, shapes.concatenate(columns), {f"x{i}": rng.normal(size=7) for i in range(n)}


def whole_axes() -> Iterator[Case]:
    rng = np.random.default_rng(1)
    columns, x, given = several()
    flat_weight, by_member = rng.normal(size=(3, 2)), rng.normal(size=(4, 3, 2))
    yield case("matmul", columns, shapes.matmul(x, constant(flat_weight)), given)
    of_members = shapes.matmul(x, constant(by_member, members=True))
    biased = elementwise.add(of_members, constant(rng.normal(size=(4, 2)), members=True))
    again = shapes.matmul(biased, constant(rng.normal(size=(4, 2, 3)), members=True))
    yield case("members", columns, shapes.sum_members(again), given)
    yield case("shares", columns, shapes.sum_members(biased, np.array([0.1, 0.2, 0.3, 0.4])), given)
    both = shapes.concatenate([x, biased])
    yield case("concatenate members", columns, shapes.sum_members(both), given)
    single = elementwise.cast(x, "float32")
    yield case("float32 matmul", columns, shapes.matmul(single, constant(flat_weight, "float32")), given)
    columns, x, given = several(6)
    table = shapes.reshape(x, [2, 3])
    yield case("reshape", columns, shapes.matmul(table, constant(rng.normal(size=(3, 4)))), given)
    yield case("transpose", columns, shapes.transpose(table, [1, 0]), given)
    deep = shapes.matmul(table, constant(rng.normal(size=(4, 3, 2)), members=True))
    yield case("members and axes", columns, shapes.sum_members(deep), given)
    yield case("take", columns, shapes.take(x, [4, 0, 0, 5]), given)
    yield case("take every second", columns, shapes.take(x, [1, 3, 5]), given)
    yield case("repeat one column", columns, shapes.take(columns[0], [0, 0, 0]), given)
    for name in ("sum_last", "max_last", "min_last", "cumulative_sum", "cumulative_max", "sort_last", "softmax"):
        yield case(name, columns, getattr(shapes, name)(x), given)
        yield case(f"{name} of a table", columns, getattr(shapes, name)(table), given)
    tied = {name: np.round(column) for name, column in given.items()}
    yield case("argmax_last", columns, shapes.argmax_last(x), tied)
    truths = elementwise.less(x, 0.5)
    yield case("all_last", columns, shapes.all_last(truths), given)
    yield case("any_last", columns, shapes.any_last(truths), given)


def tables() -> Iterator[Case]:
    rng = np.random.default_rng(2)
    x = number()
    knots, given = np.array([-1.0, 0.0, 0.0, 0.3, 2.0]), {"x": numbers()}
    for or_equal in (False, True):
        yield case(f"count_below {or_equal}", [x], shapes.count_below(x, knots, or_equal), given)
    code = shapes.count_below(x, knots[:4])
    yield case("rows_of", [x], shapes.rows_of(constant(rng.normal(size=(5, 2))), code), given)
    by_member = constant(rng.normal(size=(3, 5, 2)), members=True)
    yield case("rows_of members", [x], shapes.sum_members(shapes.rows_of(by_member, code)), given)
    columns, inputs, cells_of_columns = several(2)
    yield case("tree_sums", columns, shapes.sum_members(some_trees(inputs), np.array([0.5, 0.25])), cells_of_columns)


def some_trees(x: Value) -> Value:
    """Return the sums of two sets of two rounds of trees for two outputs; one tree is a leaf alone."""
    feature, threshold = np.array([0, 0, 1, 0, 0], np.int32), np.array([np.inf, 0.2, -0.5, np.inf, np.inf], np.float32)
    left = np.array([0, 2, 4, 3, 4, 5], np.int32)
    feature, threshold = np.append(feature, 0).astype(np.int32), np.append(threshold, np.inf).astype(np.float32)
    value = np.array([[0], [0], [0], [0.75], [-1.5], [2.25]], np.float32)
    roots = np.array([[[1, 0], [2, 1]], [[0, 2], [1, 1]]], np.int32)
    depth = np.array([[[2, 0], [1, 2]], [[0, 1], [2, 2]]], np.int32)
    return tree_sums(elementwise.cast(x, "float32"), feature, threshold, left, value, roots, depth)


def of_cells() -> Iterator[Case]:
    words = texts(*HOSTILE, None, "b", "A")
    text = cells.column("word", "category")
    yield case("is_gap", [text], cells.is_gap(text), {"word": words})
    yield case("look_up", [text], cells.look_up(text, HOSTILE[:7], 8, 9), {"word": words})
    yield case("hash_bucket", [text], cells.hash_bucket(text, 13), {"word": texts(*HOSTILE, None, "x" * 300)})
    lists = texts("a;b", "[a; 'b ']", ' "a" ;; b', "{}", None, "", "c", "(a)", "a;a;c", "[", "';'", "[[a]]")
    yield case("has_entries", [text], cells.has_entries(text, ";", ("a", "b")), {"word": lists})
    code = cells.look_up(text, HOSTILE, 0, 1)
    for name, given in (("texts", HOSTILE), ("numbers", tuple(range(12))), ("truths", (True, False))):
        found = labels.label_of(elementwise.remainder(code, len(given)), given)
        yield case(f"label_of {name}", [text], found, {"word": words})
    date = cells.column("day", "date")
    days = np.array([np.datetime64(day, "us") for day in DATES]).astype(np.int64)
    for part in ("day_of_year", "days_in_year", "day_of_month", "days_in_month"):
        yield case(part, [date], cells.date_part(date, part), {"day": np.append(days, EMPTY_DATE)})
    columns, x, given = several(3)
    yield case("joined_labels", columns, labels.joined_labels(elementwise.less(x, 0.3), ("a", "|", HOSTILE[2])), given)


CASES = [*unary(), *binary(), *whole_axes(), *tables(), *of_cells()]
