"""A column of texts, stored as codes: each distinct text is kept once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array

GAP = -1  # the code of an empty cell


@dataclass(frozen=True)
class Texts:
    """Texts (rows,). The text of a row is `distinct[code]`, and the code -1 marks an empty cell.

    `codes` (rows,) are indices into `distinct` (n,), whose entries all differ. An entry may occur in no row.
    """

    codes: Array
    distinct: Array  # of objects

    @classmethod
    def of(cls, values: Iterable[str | None]) -> Texts:
        """Build a column from its texts; None is an empty cell."""
        known: dict[str | None, int] = {None: GAP}
        codes = [known.setdefault(value, len(known) - 1) for value in values]
        return cls(np.array(codes, np.int32), _objects(list(known)[1:]))

    @classmethod
    def concatenate(cls, parts: Sequence[Texts]) -> Texts:
        """Return one column with the rows of all parts, in order."""
        if parts and all(isinstance(part, StoredTexts) for part in parts):
            return StoredTexts.joined(parts)
        known: dict[str, int] = {}
        codes = []
        for part in parts:
            new = [known.setdefault(text, len(known)) for text in part.distinct.tolist()]
            codes.append(np.array([*new, GAP], np.int32)[part.codes])
        return cls(np.concatenate(codes) if codes else np.empty(0, np.int32), _objects(list(known)))

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.tolist())

    def __getitem__(self, rows: Any) -> Texts:
        """Return the texts of some rows: indices (n,), a slice, or a mask (rows,)."""
        return Texts(self.codes[rows], self.distinct)

    def tolist(self) -> list[str | None]:
        """Return the texts as a list, with None for an empty cell."""
        cells: list[str | None] = _objects([*self.distinct.tolist(), None])[self.codes].tolist()
        return cells

    def at(self, row: int) -> str:
        """Return the text of one row, or an empty string for an empty cell."""
        code = self.codes[row]
        return "" if code == GAP else str(self.distinct[code])

    @property
    def gaps(self) -> Array:
        """A mask (rows,) of the empty cells."""
        empty: Array = self.codes == GAP
        return empty

    def counts(self, weights: Array | None = None) -> dict[str | None, float]:
        """Return the number of rows of each text that occurs, in the order of `distinct`, and last of None.

        With weights (rows,), it is the sum of their weights.
        """
        n = np.bincount(self.codes + 1, weights, len(self.distinct) + 1).tolist()
        found: dict[str | None, float] = {text: m for text, m in zip(self.distinct.tolist(), n[1:], strict=True) if m}
        return found | ({None: n[0]} if n[0] else {})

    def look_up(self, numbers: Mapping[str | None, int], unknown: int) -> Array:
        """Return the number (rows,) of each text in `numbers` (None is an empty cell), or `unknown` for other texts."""
        by_code = [numbers.get(text, unknown) for text in [*self.distinct.tolist(), None]]
        found: Array = np.array(by_code, np.intp)[self.codes]
        return found


class StoredTexts(Texts):
    """Texts (rows,) as Arrow stores them, most of which differ; codes are only made when somebody asks for them."""

    arrow: Any  # an array of strings

    def __init__(self, arrow: Any) -> None:
        self.__dict__["arrow"] = arrow  # the class is frozen

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> StoredTexts:
        """Return one column with the rows of all parts, which are of this class."""
        import pyarrow as pa

        return cls(pa.concat_arrays([part.arrow for part in parts if isinstance(part, StoredTexts)]))

    @cached_property
    def _coded(self) -> Texts:
        return Texts.of(self.arrow.to_pylist())

    @property
    def codes(self) -> Array:
        """The code of each row, (rows,)."""
        return self._coded.codes

    @property
    def distinct(self) -> Array:
        """The distinct texts, (n,)."""
        return self._coded.distinct

    def __len__(self) -> int:
        return len(self.arrow)

    def at(self, row: int) -> str:
        """Return the text of one row, or an empty string for an empty cell."""
        return self.arrow[row].as_py() or ""

    @property
    def gaps(self) -> Array:
        """A mask (rows,) of the empty cells."""
        return np.asarray(self.arrow.is_null().to_numpy(zero_copy_only=False))


def _objects(values: list[Any]) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array
