"""Settle the decimal mark and the unit of a column of numbers by all of its cells."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.data.parsing.evidence import Evidence, ShapeFacts
from nnfs_cli.data.parsing.number_shape import NumberShape, read_shape
from nnfs_cli.data.parsing.open_setting import OpenSettingError
from nnfs_cli.data.parsing.shapes import runs
from nnfs_cli.data.parsing.units import DECIMAL_POINT, ONE, Unit, currency, known_units, own_unit
from nnfs_cli.system.wording import listing, shown

ENOUGH = 30  # numbers with a mark before three digits; if it was a decimal mark, one of them would have fewer decimals
ROUND = 0.1  # share of cells that end in 000; few decimals do, and not all numbers of thousands
OTHER_MARK = {".": ",", ",": "."}
_NO_UNIT = tuple(".,:;-\u2013\u2014_#*+()[]{}|\\=<>!?&@~")  # how no unit begins


def units_in(before: str, behind: str) -> list[Unit]:
    """Return the units that the texts around a number may mean, the usual one first; none if they mean something else.

    >>> units_in("$", "M"), units_in("", "rooms"), units_in("A-", "")
    ([Unit(name='USD', dimension='USD', factor=1000000.0)], [Unit(name='room', dimension='own room', factor=1.0)], [])
    """
    if behind.startswith(_NO_UNIT):
        return []
    if not before:
        return known_units(behind) or [own_unit(behind)]
    price = currency(before)
    if price is None:
        return []
    for unit in known_units(behind):
        if unit.dimension in (ONE, price.dimension):
            return [Unit(price.name, price.dimension, unit.factor)]
    if currency(behind) is not None:
        return []
    return [own_unit(f"{price.name}{'' if behind.startswith('/') else ' '}{behind}")]


def with_digits(shape: str, digits: str) -> str:
    """Return the text of this shape with these digits."""
    found = iter(digits)
    return "".join(next(found) if character == "0" else character for character in shape)


def _constant(number: NumberShape, shape: str, facts: ShapeFacts) -> str | None:
    """Return the text behind the numbers of a shape with its digits, or None if these differ between the cells."""
    n = len(runs(number.behind))
    if not n:
        return number.behind
    if (facts.low[-n:] != facts.high[-n:]).any():
        return None
    digits = [str(value).zfill(run.last - run.first) for value, run in zip(facts.low, runs(shape), strict=True)]
    return with_digits(number.behind, "".join(digits[-n:]))


def _numbers(
    evidence: Evidence, decimal: str, thousands: str | None
) -> Iterator[tuple[NumberShape, list[Unit], ShapeFacts, int]]:
    """Yield each shape that is a number, its units, its facts, and how many of its cells are numbers at most."""
    for shape, facts in evidence.shapes.items():
        number = read_shape(shape, decimal, thousands)
        behind = _constant(number, shape, facts) if number else None
        if number is None or behind is None or not (units := units_in(number.before, behind)):
            continue
        leading = next(i for i, run in enumerate(runs(shape)) if run.start >= number.start) if number.n_digits else 0
        starting_with_zero = int(facts.sizes[leading, 0]) if number.groups else 0
        yield number, units, facts, facts.n_cells - starting_with_zero


def settle_decimal(evidence: Evidence, thousands: str | None, unit: str | None) -> str:
    """Return the decimal mark with which most cells are numbers.

    Raises `ValueError`, the rest of a sentence about the column, if the cells are other numbers with the other mark.
    """
    read = {mark: [*_numbers(evidence, mark, thousands)] for mark in OTHER_MARK}
    fits = {mark: sum(n for *_, n in found) for mark, found in read.items()}
    if fits["."] != fits[","]:
        return max(fits, key=lambda mark: fits[mark])
    doubtful = [
        (with_point, facts)
        for (with_point, _, facts, _), (with_comma, *_) in zip(read["."], read[","], strict=False)
        if with_point.n_decimals != with_comma.n_decimals
    ]
    if not doubtful:
        return "."
    return _by_habit(evidence, read["."], doubtful, unit)


def _by_habit(
    evidence: Evidence,
    read: list[tuple[NumberShape, list[Unit], ShapeFacts, int]],
    doubtful: list[tuple[NumberShape, ShapeFacts]],
    unit: str | None,
) -> str:
    """Return the decimal mark of numbers that all have one mark, before three digits. Raises `ValueError`."""
    mark = "," if doubtful[0][0].groups == "," else "."  # a group with a decimal point means that the mark is a comma
    names = {units[0].name for _, units, *_ in read if units[0].name != ONE} | ({unit} if unit else set())
    if mark == "," and names and names <= {*DECIMAL_POINT}:
        return "."
    unmarked = [number.n_digits for number, *_ in read if not number.groups and not number.n_decimals]
    if sum(facts.n_cells for _, facts in doubtful) >= ENOUGH and unmarked and max(unmarked) <= 3:
        return OTHER_MARK[mark]
    n_cells, n_round = (sum(n) for n in zip(*((f.n_cells, int(f.sizes[-1, 0])) for _, f in doubtful), strict=True))
    prices = bool(names) and all(currency(name) for name in names)
    if n_round >= ROUND * n_cells and (prices or (n_cells >= 10 and n_round <= (1 - ROUND) * n_cells)):
        return OTHER_MARK[mark]
    example = doubtful[0][1].example
    values = f"{example.replace(mark, '')} or {example.replace(mark, '.')}"
    raise OpenSettingError(
        f"holds numbers such as {shown(example)}, which may be {values}, and no cell settles it; set"
        f"  decimal: '{OTHER_MARK[mark]}' for the first meaning, or  decimal: '{mark}' for the second",
        [{"decimal": OTHER_MARK[mark]}, {"decimal": mark}],
    )


def settle_unit(evidence: Evidence, decimal: str, thousands: str | None) -> str:
    """Return the unit of the numbers: the most frequent one of the dimension that most of the numbers with a unit have.

    Raises `ValueError`, the rest of a sentence about the column, if cells without a unit may be in several units.
    """
    cells: dict[str, dict[str, int]] = {}  # by dimension and unit
    scales: dict[str, set[float]] = {}
    bare = 0
    for _, units, _, n in _numbers(evidence, decimal, thousands):
        if units[0] == (ONE, ONE, 1.0):
            bare += n
            continue
        for place, unit in enumerate(units):
            names = cells.setdefault(unit.dimension, {})
            names[unit.name] = names.get(unit.name, 0) + n
            scales.setdefault(unit.dimension, set()).add(unit.factor)
            names[""] = names.get("", 0) - place  # among dimensions with as many cells, the usual one
    if not cells:
        return ONE
    dimension = max(
        cells, key=lambda one: sum(n for name, n in cells[one].items() if name) + cells[one].get("", 0) / 1e9
    )
    names = {name: n for name, n in cells[dimension].items() if name}
    if bare and dimension != ONE and (len(names) > 1 or "%" in names):
        found = f"in {listing(sorted(names))}" if len(names) > 1 else "with a percent sign"
        best = max(names, key=lambda name: names[name])
        asked = f"if these are in {best}, set  unit: '{best}'"
        raise OpenSettingError(f"holds numbers {found}, and numbers without a unit; {asked}", [{"unit": best}])
    return max(names, key=lambda name: names[name])
