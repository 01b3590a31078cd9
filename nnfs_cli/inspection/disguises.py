"""Find columns of texts that are numbers, dates or booleans as people write them, and the parser of each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.parsing.boolean import Boolean
from nnfs_cli.data.parsing.date import Date
from nnfs_cli.data.parsing.number import Number
from nnfs_cli.data.parsing.parsed_columns import ParsedColumns
from nnfs_cli.data.parsing.range import Range
from nnfs_cli.data.parsing.recognise import Recognised, meaning_of, recognise
from nnfs_cli.data.table import MEANT_AS_GAPS, Table, gaps_of
from nnfs_cli.data.texts import GAP, Texts
from nnfs_cli.inspection.column_kinds import ColumnProfile
from nnfs_cli.system.wording import counted, listing, named, shown

SHOWN = 3  # cells that cannot be read that a message shows
_DAY_AND_MONTH = re.compile("%d.*%m|%m.*%d")


def disguises(
    table: Table, columns: Mapping[str, ColumnProfile], labels: Collection[str] = ()
) -> dict[str, Recognised]:
    """Return how to read those of these columns that are texts, but mean numbers, dates or booleans, by name.

    Words that mean a missing value do not count. They and cells that cannot be read are to count as empty. In
    columns of `labels`, ranges and two texts such as yes and no are left alone.
    """
    found: dict[str, Recognised] = {}
    for name, seen in columns.items():
        texts = table.column(name)
        if not isinstance(texts, Texts) or seen.kind != "category" or seen.coded or seen.as_texts:
            continue
        one = recognise(_without_nothing(texts))
        if one is None or (name in labels and _are_labels(one.parser, texts)):
            continue
        if one.misfits or any(map(_means_nothing, _present(texts))):
            one = replace(one, parser=_lenient(one.parser), choices=tuple(map(_lenient, one.choices)))
        found[name] = one
    return {name: _settled_by_others(name, one, found, table) for name, one in found.items()}


def words_for_nothing(table: Table, found: Mapping[str, Recognised]) -> Iterator[str]:
    """Yield the words that mean a missing value in these columns of texts."""
    for name in found:
        yield from (text for text in _present(table.texts(name)) if _means_nothing(text))


def parse(table: Table, found: Mapping[str, Recognised]) -> Table:
    """Return the table with these columns read as their values; a cell that cannot be read is empty."""
    texts = {name: _without_nothing(table.texts(name)) for name in found}
    parsers = {name: _lenient(one.parser) for name, one in found.items()}
    return ParsedColumns(parsers).of(replace(table, columns={**table.columns, **texts}))


def parser_of(one: Recognised) -> Parser:
    """Return the parser for a config: without the settings that the cells leave open, so that training asks."""
    return type(one.parser)(invalid=one.parser.invalid) if one.question else one.parser


def misfits_of(name: str, one: Recognised) -> str:
    """Return a sentence about the cells that cannot be read, or an empty string."""
    n = one.n_cells - one.n_read
    if not n:
        return ""
    such = listing(map(shown, one.misfits[:SHOWN]))
    return f"{named(name)} holds {one.meaning} except in {counted(n, 'cell')} of {one.n_cells:,}, such as {such}"


def _lenient(parser: Parser) -> Parser:
    return parser.model_copy(update={"invalid": "empty"})


def _are_labels(parser: Parser, texts: Texts) -> bool:
    return isinstance(parser, Range) or (isinstance(parser, Boolean) and len(_present(texts)) == 2)


def _means_nothing(text: str) -> bool:
    return text.strip().lower() in MEANT_AS_GAPS


def _present(texts: Texts) -> list[str]:
    found: list[str] = texts.distinct[np.unique(texts.codes[~texts.gaps])].tolist()
    return found


def _without_nothing(texts: Texts) -> Texts:
    """Return the texts with empty cells in place of words that mean a missing value."""
    nothing = np.array([*map(_means_nothing, texts.distinct), False], bool)
    return Texts(np.where(nothing[texts.codes], GAP, texts.codes), texts.distinct) if nothing.any() else texts


def _settled_by_others(name: str, one: Recognised, found: Mapping[str, Recognised], table: Table) -> Recognised:
    """Return what was found, with a setting that the cells of the column leave open as in the rest of the table."""
    if not one.question:
        return one
    signs = _decimal_marks(table, found) if isinstance(one.parser, Number) else _date_orders(found)
    fits = [choice for choice in one.choices if _sign_of(choice) in signs.values()]
    if len({*signs.values()}) != 1 or len(fits) != 1:
        return one
    like = next(iter(signs))
    return replace(one, parser=fits[0], question="", choices=(), meaning=f"{meaning_of(fits[0])}, as in {named(like)}")


def _sign_of(parser: Parser) -> str:
    """Return what a parser may share with others: its decimal mark, or whether day or month comes first."""
    if isinstance(parser, Number):
        return parser.decimal or ""
    order = _DAY_AND_MONTH.search((parser.format or ("",))[0]) if isinstance(parser, Date) else None
    return order[0][:2] if order else ""


def _decimal_marks(table: Table, found: Mapping[str, Recognised]) -> dict[str, str]:
    """Return the decimal marks of the columns that show theirs, by column."""
    marks = {}
    for name, column in table.columns.items():
        if not isinstance(column, Texts):
            if column.dtype.kind == "f" and (np.mod(column[~gaps_of(column)], 1) != 0).any():
                marks[name] = table.decimal
        elif (one := found.get(name)) and not one.question and (mark := _sign_of(one.parser)) in (".", ","):
            decimals = re.compile(rf"[0-9]{re.escape(mark)}([0-9]{{1,2}}|[0-9]{{4,}})(?![0-9{re.escape(mark)}])")
            if any(decimals.search(text) for text in _present(column)):
                marks[name] = mark
    return marks


def _date_orders(found: Mapping[str, Recognised]) -> dict[str, str]:
    """Return whether day or month comes first in the columns of dates that settle it, by column."""
    dates = {name: one for name, one in found.items() if isinstance(one.parser, Date) and not one.question}
    return {name: order for name, one in dates.items() if (order := _sign_of(one.parser))}
