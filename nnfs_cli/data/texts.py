"""A column of texts, kept as numbers: each different word once, and for every row its place among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array

GAP = -1  # the code of an empty cell


@dataclass(frozen=True)
class Texts:
    """Texts (rows,): `codes` (rows,) are places among the `words` (n,), which are different; -1 is an empty cell."""

    codes: Array
    distinct: Array  # of objects

    @classmethod
    def of(cls, values: Iterable[str | None]) -> Texts:
        """From the texts themselves; None is an empty cell."""
        places: dict[str | None, int] = {None: GAP}
        codes = [places.setdefault(value, len(places) - 1) for value in values]
        return cls(np.array(codes, np.int32), _objects(list(places)[1:]))

    @classmethod
    def concatenate(cls, parts: Sequence[Texts]) -> Texts:
        """One column below the other."""
        places: dict[str, int] = {}
        codes = []
        for part in parts:
            new = [places.setdefault(word, len(places)) for word in part.distinct.tolist()]
            codes.append(np.array([*new, GAP], np.int32)[part.codes])
        return cls(np.concatenate(codes) if codes else np.empty(0, np.int32), _objects(list(places)))

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.tolist())

    def __getitem__(self, rows: Any) -> Texts:
        """Some of the rows."""
        return Texts(self.codes[rows], self.distinct)

    def tolist(self) -> list[str | None]:
        """The texts; None where a cell is empty."""
        cells: list[str | None] = _objects([*self.distinct.tolist(), None])[self.codes].tolist()
        return cells

    def at(self, row: int) -> str:
        """The text of one row; empty where the cell is."""
        code = self.codes[row]
        return "" if code == GAP else str(self.distinct[code])

    @property
    def gaps(self) -> Array:
        """Which cells are empty, (rows,)."""
        empty: Array = self.codes == GAP
        return empty

    def counts(self) -> dict[str | None, int]:
        """How often each word stands in the rows, in the order of the words; None for empty cells, if there are any."""
        n = np.bincount(self.codes + 1, minlength=len(self.distinct) + 1).tolist()
        found: dict[str | None, int] = {word: m for word, m in zip(self.distinct.tolist(), n[1:], strict=True) if m}
        return found | ({None: n[0]} if n[0] else {})

    def look_up(self, known: Mapping[str | None, int], unknown: int) -> Array:
        """For each row the number that `known` gives its word (None for an empty cell), or `unknown`, (rows,)."""
        places = [known.get(word, unknown) for word in [*self.distinct.tolist(), None]]
        found: Array = np.array(places, np.intp)[self.codes]
        return found


def _objects(words: list[Any]) -> Array:
    array = np.empty(len(words), object)
    array[:] = words
    return array
