"""Formulas of single entries, such as ``y_j = Σ_i x_i weight_ij + bias_j``, and the numbers of a pass put into them.

A layer, a loss or an optimizer declares them in `by_entry`; a layer that works element by element has them already. The
left side names an array, and the letters after ``_`` index its last axes. On the right side

- a name is an array of the pass (x, y, dy, dx), a parameter (weight), its gradient (dweight), a setting (slope) or one
  of `named_numbers`; inside a layer with layers, z and f are the input of its first and the output of its last layer,
  dz and df the gradient that comes back; in a step, w, g and the optimizer's memory, with ' after the step;
- ``Σ_i`` sums the product behind it over the index i, and the index b runs over the rows of the batch;
- ``A for x > 0, else B`` has two cases, and ``with e_i = A`` at the end defines a name;
- factors may stand side by side: ``y (1 - y) dy``.

``if squared: `` before a formula is a condition on a setting. If several formulas have the same left side, the first
counts whose names all exist.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.nn.differences import entry_text
from nnfs_cli.nn.formulas import formulas

ELEMENTWISE = ", element by element"
TERMS = 6  # terms of a sum that are written out, at most
_NAME = re.compile(r"[^\W\d_²³](?:[^\W²³]|\u0302)*'?")
_CASES = re.compile(r"(.+?) (?:for|where) (.+?) (>=|<=|>|<) (.+?), else (.+)")
_DEFINITION = re.compile(r"(.+) with ([\w\u0302]+?)(?:_([a-z]))? = (.+)")
_CONDITION = re.compile(r"if (\w+): ")
_SUM = re.compile(r"Σ_([a-z]) ")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def four_digits(value: float) -> str:
    """Return a number with four significant digits, as a trace shows it everywhere."""
    text = f"{value:.4g}"
    return "0" if text == "-0" else text


@dataclass(frozen=True)
class Applied:
    """A formula with the numbers of one entry in it: name[index] = `text` = `value`, under a `condition` if any."""

    name: str  # y
    index: tuple[int, ...]  # (0, 2): row 0, unit 2
    text: str  # 0.12 · 0.5 + 0.3 · 0.9 + 0.1
    value: float
    condition: str = ""  # 0.43 > 0

    @property
    def entry(self) -> str:
        """The entry, as in ``y[0,2]``."""
        return entry_text(self.name, self.index)

    def __str__(self) -> str:
        value = four_digits(self.value)
        equal = f"{self.entry} = {value}" if self.text == value else f"{self.entry} = {self.text} = {value}"
        return f"{equal}, as {self.condition}" if self.condition else equal


@dataclass(frozen=True)
class Numbers:
    """The numbers that formulas may name: arrays with rows, (batch, ...), and all others."""

    batch: Mapping[str, Array]
    fixed: Mapping[str, Array | float]

    def array(self, name: str) -> Array | None:
        """Return the array of this name, if there is one."""
        found = self.batch.get(name, self.fixed.get(name))
        return None if found is None else np.asarray(found)


def entry_formulas(component: Component) -> tuple[str, ...]:
    """Return the formulas of single entries that a layer or a loss declares.

    A class that defines a `forward`, or an optimizer a `step`, of its own does not have those of its base.
    """
    for base in type(component).__mro__:
        if declared := vars(base).get("by_entry"):
            return tuple(declared)
        if {"forward", "step"} & {*vars(base)}:
            break
    forward, backward = formulas(component)
    return (_plain(forward), _plain(backward)) if ELEMENTWISE in forward else ()


def apply(
    component: Component,
    numbers: Numbers,
    names: Collection[str] | None = None,
    where: tuple[int, ...] | None = None,
    most: int = TERMS,
) -> tuple[Applied, ...]:
    """Return the formulas of a component with numbers in them, for the arrays of these names, by default of all.

    They are for the entry at the index `where`, by default for one that is not 0; for arrays with rows, for one entry
    of each row. Of a sum, `most` terms are written out.
    """
    found: dict[str, tuple[Applied, ...]] = {}
    for formula in entry_formulas(component):
        name = left_side(formula, numbers)
        array = numbers.array(name)
        if array is None or found.get(name) or (names is not None and name not in names):
            continue
        rows = range(len(array)) if name in numbers.batch else [None]
        several = (put_in(formula, numbers, where or first_entry(array, row), most) for row in rows)
        found[name] = tuple(filter(None, several))
    return tuple(applied for several in found.values() for applied in several)


def put_in(
    formula: str, numbers: Numbers, position: tuple[int, ...] | None = None, most: int = TERMS
) -> Applied | None:
    """Return a formula with numbers for one entry, by default the first that is not 0; None if a name is missing.

    `position` is the index of the entry in the array on the left side. Of a sum, `most` terms are written out.
    """
    condition, left, right = _parts(formula)
    if condition and not numbers.fixed.get(condition):
        return None
    name, letters = _split(left, numbers)
    target = numbers.array(name)
    if target is None or not target.size or len(letters) > target.ndim:
        return None
    position = position or first_entry(target)
    rest = target.ndim - len(letters)
    entry = _Entry(numbers, target.shape, position, position[:rest], most)
    bound = dict(zip(letters, position[rest:], strict=True))
    condition = ""
    try:
        if definition := _DEFINITION.fullmatch(right):
            right = _inserted(*definition.groups())
        if cases := _CASES.fullmatch(right):
            yes, one, sign, other, no = cases.groups()
            true = _COMPARISONS[sign](entry.number(one, bound), entry.number(other, bound))
            right = yes if true else no
            if entry.number(one, bound) != 0 or true:
                text = f"{one} {sign} {other}" if true else f"{one} {_OPPOSITE[sign]} {other}"
                condition = _tidy(entry.fill(text, bound))
        text = _tidy(entry.fill(right, bound))
    except (LookupError, TypeError, ValueError):  # not a formula as described above
        return None
    return Applied(name, position, text, float(target[position]), condition)


_OPPOSITE = {">": "<=", "<": ">=", ">=": "<", "<=": ">"}


def first_entry(array: Array, row: int | None = None) -> tuple[int, ...]:
    """Return the index of the first entry that is not 0, of the whole array or of a row; else of the first entry."""
    part = array if row is None else array[row]
    index = np.unravel_index(int(np.argmax(part.ravel() != 0)), part.shape)
    return (*(() if row is None else (row,)), *(int(i) for i in index))


def left_side(formula: str, numbers: Numbers) -> str:
    """Return the name of the array on the left side."""
    return _split(_parts(formula)[1], numbers)[0]


def _parts(formula: str) -> tuple[str, str, str]:
    """Return the setting that a formula needs, its left side and its right side."""
    condition = _CONDITION.match(formula)
    left, _, right = formula[condition.end() if condition else 0 :].partition(" = ")
    return condition[1] if condition else "", left, right


class _Entry:
    """One entry of the array on the left side: what the names on the right side mean for it."""

    def __init__(
        self, numbers: Numbers, shape: tuple[int, ...], position: tuple[int, ...], lead: tuple[int, ...], most: int
    ) -> None:
        self.numbers, self.shape, self.position, self.lead, self.most = numbers, shape, position, lead, most

    def fill(self, text: str, bound: Mapping[str, int]) -> str:
        """Return the text with numbers for names. Raises `LookupError` if one is missing."""
        if not (found := _SUM.search(text)):
            return _NAME.sub(lambda match: self._replaced(match, bound), text)
        end = _end_of_product(text, found.end())
        product, letter = text[found.end() : end], found[1]
        n = self._size(letter, product)
        shown = range(n) if n <= self.most else [*range(self.most - 2), n - 1]
        terms = [self.fill(product, {**bound, letter: i}) for i in shown]
        if n > self.most:
            terms.insert(-1, "⋯")
        before, after = text[: found.start()], text[end:]
        alone = (not before or before.endswith(("(", "+ "))) and not after.startswith((" /", " ·"))
        total = " + ".join(terms) if alone or n == 1 else f"({' + '.join(terms)})"
        return self.fill(before, bound) + total + self.fill(after, bound)

    def number(self, text: str, bound: Mapping[str, int]) -> float:
        """Return the value of a name or a numeral."""
        return float(text) if not _NAME.fullmatch(text) else self._value(text, bound)

    def _replaced(self, match: re.Match[str], bound: Mapping[str, int]) -> str:
        name, following = match[0], match.string[match.end() :]
        if following.startswith("(") or name == "π":
            return name
        text = four_digits(self._value(name, bound))
        return f"⟨{text}⟩" if text.startswith("-") else text

    def _value(self, text: str, bound: Mapping[str, int]) -> float:
        name, letters = _split(text, self.numbers)
        array = self.numbers.array(name)
        if array is None:
            raise LookupError(text)
        if not letters:
            return float(array[self._aligned(array, with_rows=name in self.numbers.batch)])
        indices = tuple(int(letter) if letter.isdigit() else bound[letter] for letter in letters)
        if "b" in letters:  # all axes before the last hold rows
            array = array.reshape(-1, array.shape[-1])
        elif name in self.numbers.batch:
            indices = (*self.lead[: array.ndim - len(indices)], *indices)
        if len(indices) != array.ndim:
            raise LookupError(text)
        return float(array[indices])

    def _aligned(self, array: Array, *, with_rows: bool) -> tuple[int, ...]:
        """Return the index that a name without letters has: that of the entry, 0 along axes of size 1."""
        position, shape = self.position, self.shape
        if not with_rows:
            position, shape = position[len(position) - array.ndim :], shape[len(shape) - array.ndim :]
        position, shape = (axes[: array.ndim] + (0,) * (array.ndim - len(axes)) for axes in (position, shape))
        if any(size not in (1, axis) for size, axis in zip(array.shape, shape, strict=True)):
            raise LookupError("the name needs an index")
        return tuple(0 if size == 1 else index for size, index in zip(array.shape, position, strict=True))

    def _size(self, letter: str, product: str) -> int:
        """Return how many values an index takes: the size of an axis that it indexes."""
        for match in _NAME.finditer(product):
            name, letters = _split(match[0], self.numbers)
            array = self.numbers.array(name)
            if array is not None and letter in letters:
                if letter == "b":
                    return int(array.size // array.shape[-1])
                return int(array.shape[letters.index(letter) - len(letters)])
        raise LookupError(letter)


def _split(text: str, numbers: Numbers) -> tuple[str, str]:
    """Return a name and the letters of its index: y_hat_ij is y_hat with ij."""
    if numbers.array(text) is not None or "_" not in text:
        return text, ""
    name, _, letters = text.rpartition("_")
    return name, letters


def _end_of_product(text: str, start: int) -> int:
    """Return where the product ends that begins at `start`."""
    depth, between = 0, False  # brackets, and the bars of an absolute value
    for i in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        between ^= text[i] == "|"
        if depth < 0 or (depth == 0 and not between and text.startswith((" + ", " - ", " / ", ", "), i)):
            return i
    return len(text)


def _inserted(text: str, name: str, letter: str | None, meaning: str) -> str:
    """Return a formula with the meaning of a name in its place; the index of the name replaces `letter`."""

    def meant(match: re.Match[str]) -> str:
        here = re.sub(rf"_{letter}(?!\w)", f"_{match[1]}", meaning) if letter else meaning
        return f"({here})"

    return re.sub(rf"(?<!\w){name}{'_([a-z])' if letter else '()'}(?![\w(])", meant, text)


def _plain(formula: str) -> str:
    """Return a formula without the words around it."""
    formula = formula.partition("; ")[0].partition(ELEMENTWISE)[0]
    return formula if _DEFINITION.fullmatch(formula) else re.split(r",? with ", formula)[0]


def _tidy(text: str) -> str:
    """Write a dot between factors, and brackets around negative numbers where they need them."""
    text = re.sub(r"(?<=[\d)²³⟩]) (?=[\d(⟨|√]|[^\W\d_])", " · ", text)
    return re.sub(r"(^|\(|, |\|)?⟨(.*?)⟩(?=([²³^])?)", _bracketed, text)


def _bracketed(match: re.Match[str]) -> str:
    before, number, power = match.groups()
    return f"({number})" if before is None else f"{before}({number})" if power else f"{before}{number}"


def constants(component: Component) -> dict[str, float]:
    """Return the settings of a component that are numbers or switches, and the constants of its module, in capitals."""
    module = vars(sys.modules[type(component).__module__])
    named = {name: value for name, value in module.items() if name.isupper()}
    named |= {name: getattr(component, name) for name in type(component).model_fields}
    return {name: value for name, value in named.items() if type(value) in (int, float, bool)}
