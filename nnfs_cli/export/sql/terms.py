"""Expressions of SQL that share their parts: what is used twice becomes a column of an earlier step."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from nnfs_cli.errors import ExportError
from nnfs_cli.pipeline.parts import current_part
from nnfs_cli.system.wording import named

Kind: TypeAlias = Literal["number", "condition", "text"]
OR, AND, NOT, COMPARE, SUM, PRODUCT, ATOM = range(7)  # how closely operators bind
LARGEST = 1.7976931348623157e308


@dataclass(frozen=True, eq=False)
class Term:
    """An expression: pieces of text, and other terms, each with the level that it needs to stand without parentheses.

    A number that does not depend on the row has its `value`. The text of a condition may be NULL where it is not
    `sure`; that counts as false. `cell` names the column of the table that a term reads. A term belongs to a `part` of
    the model.
    """

    kind: Kind
    pieces: tuple[str | tuple[Term, int], ...]
    level: int = ATOM
    value: float | None = None
    sure: bool = False
    cell: str = ""
    part: str = field(default_factory=lambda: current_part().name)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The terms inside, each as often as it is used."""
        return tuple(piece[0] for piece in self.pieces if not isinstance(piece, str))


def number(value: float) -> Term:
    """Return a number; infinite ones become the largest, and NaN becomes NULL."""
    value = float(value)
    if value != value:
        return Term("number", ("CAST(NULL AS DOUBLE PRECISION)",))
    value = min(max(value, -LARGEST), LARGEST)
    return Term("number", (repr(value),), SUM if value < 0 else ATOM, value)


def cell(column: str, sql_type: str) -> Term:
    """Return the cell of a column of the table. Raises `ExportError` for a name that SQL cannot hold."""
    kind: Kind = "text" if sql_type == "TEXT" else "number"
    return Term(kind, (f'CAST("given".{quoted(column)} AS {sql_type})',), cell=column)


def expression(*pieces: str | Term, level: int = ATOM, kind: Kind = "number") -> Term:
    """Return an expression of pieces; terms inside it are in parentheses unless they are atoms."""
    return Term(kind, tuple(one if isinstance(one, str) else (one, ATOM) for one in pieces), level)


def binary(a: Term, operator: str, b: Term, level: int, kind: Kind = "number") -> Term:
    """Return an expression with an operator that binds as closely as the level says."""
    return Term(kind, ((a, level), f" {operator} ", (b, level + 1)), level)


def case(*choices: tuple[Term, Term], default: Term | None = None, kind: Kind = "number") -> Term:
    """Return the result of the first condition that is true, or the default, or NULL."""
    pieces: list[str | tuple[Term, int]] = ["CASE"]
    for condition, result in choices:
        pieces += [" WHEN ", (condition, OR), " THEN ", (result, OR)]
    if default is not None:
        pieces += [" ELSE ", (default, OR)]
    results = [result for _, result in choices] + ([] if default is None else [default])
    if kind == "number" and all(result.value is not None for result in results):
        pieces = ["CAST(", *pieces, " END AS DOUBLE PRECISION)"]  # plain numbers would be decimals
    else:
        pieces.append(" END")
    return Term(kind, tuple(pieces))


def quoted(name: str) -> str:
    """Return a name as an identifier. Raises `ExportError` for one that SQL cannot hold."""
    return '"' + _storable(name, "the column").replace('"', '""') + '"'


def text(words: str) -> Term:
    """Return a text as a literal. Raises `ExportError` for one that SQL cannot hold."""
    return Term("text", ("'" + _storable(words, "the text").replace("'", "''") + "'",))


def _storable(text: str, what: str) -> str:
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ExportError(f"SQL cannot hold {what} {named(text)}: it has a character that no database stores")
    return text
