"""Recognise numbers, dates and booleans that are written as texts: the parser of a column, and the evidence for it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import utc
from nnfs_cli.data.parsing.base import Parser
from nnfs_cli.data.parsing.boolean import MARKS, PAIRS, Boolean, plain_spelling
from nnfs_cli.data.parsing.date import COUNTED, Date
from nnfs_cli.data.parsing.duration import Duration
from nnfs_cli.data.parsing.evidence import MOST, Evidence
from nnfs_cli.data.parsing.number import Number
from nnfs_cli.data.parsing.open_setting import OpenSettingError
from nnfs_cli.data.parsing.range import Range, sides_of
from nnfs_cli.data.parsing.shapes import runs, shape_of
from nnfs_cli.data.parsing.units import NAMES, ONE, known_units
from nnfs_cli.data.table import MEANT_AS_GAPS, gaps_of
from nnfs_cli.data.texts import Texts

LEAST_SHARE = 0.8  # of the cells that a parser must read
SAMPLE = 2_000  # distinct texts that are tried before all of them
MOST_MISFITS = 10  # texts that are listed
FEW = 3  # dates without marks between year, month and day, as in 20231231
EARLIEST, LATEST = np.datetime64("1800-01-01"), np.datetime64("2200-01-01")
LONG_CODE, SHORT_CODE = 7, 4  # digits of codes that all have as many, with and without spaces in them
_DATES_OF_DIGITS = ("%Y", "%y%m%d", "%d%m%y", "%m%d%y", "%d%m%Y", "%m%d%Y")


@dataclass(frozen=True)
class Recognised:
    """A parser that reads a column of texts, with settings that all cells settle, and the evidence for it.

    `n_read` of the `n_cells` cells that are not empty are read; `misfits` are the most frequent texts of the others.
    `question` is empty if the cells settle every setting. Otherwise it is the rest of a sentence about the column that
    says what they leave open, `choices` are the parsers that they leave open, and `parser` is the first of these.
    """

    parser: Parser
    meaning: str  # what the cells are read as, as in "US dollars"
    n_read: int
    n_cells: int
    misfits: tuple[str, ...]
    question: str = ""
    choices: tuple[Parser, ...] = ()

    @property
    def evidence(self) -> str:
        """The evidence as a sentence: `1,198 of 1,198 cells read as US dollars`."""
        return f"{self.n_read:,} of {self.n_cells:,} cells read as {self.meaning}"


def recognise(texts: Texts) -> Recognised | None:
    """Return the parser that reads nearly all cells of a column that are not empty, or None.

    Codes that only look like numbers are left alone: postal codes, telephone and version numbers, addresses, and ids.
    The first parser that reads most cells is taken, in the order boolean, date, number, duration, range.

    >>> found = recognise(Texts.of(["$2,493.94", "$5.00", None]))
    >>> found.parser, found.evidence
    (Number('USD', decimal='.'), '2 of 2 cells read as US dollars')
    """
    counts = np.bincount(texts.codes[~texts.gaps], minlength=len(texts.distinct))
    present = np.flatnonzero(counts)
    if not len(present):
        return None
    distinct, counts = texts.distinct[present].tolist(), counts[present]
    evidence = Evidence.of(texts)
    few = distinct[:SAMPLE]
    found: Recognised | None = None
    for parser, question in _candidates(evidence):
        if len(distinct) > SAMPLE and _reads(parser, few).mean() < LEAST_SHARE / 2:
            continue
        read = _reads(parser, distinct)
        n_read, n_cells = int(counts[read].sum()), int(counts.sum())
        if n_read < LEAST_SHARE * n_cells or (found is not None and n_read <= found.n_read):
            continue
        others = [distinct[i] for i in sorted(np.flatnonzero(~read).tolist(), key=lambda i: -counts[i])]
        if _is_no_value(parser, [distinct[i] for i in np.flatnonzero(read)], others, evidence.n_empty):
            continue
        choices = () if question is None else tuple(with_choice(parser, one, evidence) for one in question.choices)
        asked = "" if question is None else str(question)
        found = Recognised(parser, meaning_of(parser), n_read, n_cells, tuple(others[:MOST_MISFITS]), asked, choices)
    return found


def _candidates(evidence: Evidence) -> Iterator[tuple[Parser, OpenSettingError | None]]:
    """Yield parsers with the settings that the cells settle, or with a choice where they leave one open."""
    if len(evidence.shapes) >= MOST:
        return
    for parser in (Boolean(), Date(), Number(), Duration(), Range()):
        try:
            yield parser.settle(evidence), None
        except OpenSettingError as error:
            with contextlib.suppress(ValueError):
                yield with_choice(parser, error.choices[0], evidence), error
        except ValueError:
            continue


def with_choice(parser: Parser, choice: Mapping[str, Any], evidence: Evidence) -> Parser:
    """Return the parser with some settings, and those that the cells settle then."""
    return parser.model_copy(update=dict(choice)).settle(evidence)


def _reads(parser: Parser, texts: Sequence[str]) -> Array:
    """Return which texts a parser can read, (n,)."""
    unread: Array = np.logical_and.reduce([gaps_of(utc(values)) for values in parser.parse(texts)])
    return ~unread


def _is_no_value(parser: Parser, texts: Sequence[str], others: Sequence[str], n_empty: int) -> bool:
    """Return whether texts that a parser reads are rather codes or names, and their values mean nothing."""
    if isinstance(parser, Boolean):
        return not _are_booleans(texts, others, n_empty)
    if isinstance(parser, Date):
        return not _are_dates(parser, texts)
    if isinstance(parser, Range):
        return not _are_ranges(parser, texts)
    return isinstance(parser, Number) and _are_codes(parser, texts)


def _are_booleans(texts: Sequence[str], others: Sequence[str], n_empty: int) -> bool:
    """Return whether texts are the two sides of a pair, or marks beside empty cells, and nothing else is a value."""
    if any(text.strip().lower() not in MEANT_AS_GAPS for text in others):
        return False
    plain = {*map(plain_spelling, texts)}
    if plain <= {*MARKS}:
        return n_empty > 0
    if plain <= {"0", "1"}:
        return False
    sides = [({*ones.casefold().split()}, {*zeros.casefold().split()}) for ones, zeros in PAIRS]
    return any(plain & ones and plain & zeros and plain <= ones | zeros for ones, zeros in sides)


def _are_dates(parser: Date, texts: Sequence[str]) -> bool:
    """Return whether texts are dates of our time, and not numbers that could be dates."""
    formats, dates = parser.format or (), utc(parser.parse(texts)[0])
    if any(one in COUNTED or one in _DATES_OF_DIGITS for one in formats):
        return False
    if "%Y%m%d" in formats and len(texts) < FEW:
        return False
    return bool((dates.min() >= EARLIEST) & (dates.max() <= LATEST))


def _are_codes(parser: Number, texts: Sequence[str]) -> bool:
    """Return whether texts that are numbers are rather codes, such as 01067, 732 829 320 or 12A."""
    if any(re.match(r"\s*0[0-9]", text) for text in texts):
        return True
    if parser.unit != ONE:
        is_known = any(known_units(parser.unit or "")) or "/" in (parser.unit or "")
        return not is_known and any(re.search("[0-9][A-Za-z]", text) for text in texts)
    lengths = {len(re.sub("[^0-9]", "", text)) for text in texts}
    if len(lengths) == 1 and len(texts) > 1:
        n = lengths.pop()
        return (n >= LONG_CODE and all(re.fullmatch(r"[0-9 '\u00a0\u202f]+", text) for text in texts)) or (
            n >= SHORT_CODE and all(text.strip().isdigit() for text in texts)
        )
    return False


def _are_ranges(parser: Range, texts: Sequence[str]) -> bool:
    """Return whether texts are ranges, and not pairs of numbers with fixed lengths, such as 555-1234."""
    if any(re.search(r"(?<![0-9.,])0[0-9]", text) for text in texts):
        return False
    sides = [sides_of(shape_of(text), parser.decimal) for text in texts]
    if 2 * sum(one is not None and None not in one and one[0] != one[1] for one in sides) < len(texts):
        return False  # single numbers, or numbers beyond a limit
    shapes = {shape_of(text.strip()) for text in texts}
    lengths = {tuple(run.last - run.first for run in runs(shape)) for shape in shapes}
    return len(texts) > 1 and not (len(lengths) == 1 and len({*lengths.pop()}) > 1)


def meaning_of(parser: Parser) -> str:
    """Return what the cells of a column are read as, as in "US dollars"."""
    if isinstance(parser, Date):
        return f"dates ({', '.join(parser.format or ())})"
    if isinstance(parser, Number):
        unit = parser.unit or ONE
        return "numbers" if unit == ONE else NAMES.get(unit, f"numbers in {unit}")
    if isinstance(parser, Range):
        unit = parser.unit or ONE
        return "ranges" if unit == ONE else f"ranges of {NAMES.get(unit, unit)}"
    return "durations" if isinstance(parser, Duration) else "yes or no"
