"""Terms as the steps of one SELECT: what is used more than once is a column of a step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnfs_cli.errors import ExportError
from nnfs_cli.export.names import name_from
from nnfs_cli.export.sql.terms import ATOM, SUM, Term, quoted
from nnfs_cli.pipeline.order import ordered
from nnfs_cli.system.wording import cut, in_a_line

MOST_COLUMNS = 1_500  # of a step: PostgreSQL takes 1,664, and SQLite 2,000
LONGEST = 2_000  # characters of an expression, from which on it is a column
LONGEST_NAME = 63  # bytes of a name that PostgreSQL keeps
ROW = '"nnfs row"'
GIVEN = """\
WITH "given" AS MATERIALIZED (
  SELECT ROW_NUMBER() OVER () AS "nnfs row", "table".* FROM "rows" AS "table" -- the table to predict
)"""
LAST = """
FROM "given" JOIN "predictions" ON "given"."nnfs row" = "predictions"."nnfs row"
ORDER BY "given"."nnfs row";
"""


@dataclass(frozen=True)
class _Code:
    """The text of a term: how closely it binds, the columns in it, and the last step that makes one of these."""

    text: str
    level: int
    columns: frozenset[str]
    step: int


@dataclass(frozen=True)
class _Column:
    """A column of a step, by its quoted name."""

    name: str
    part: str
    code: _Code
    step: int


class Query:
    """The steps that compute outputs by name."""

    def __init__(self, outputs: Mapping[str, Term]) -> None:
        self._code: dict[int, _Code] = {}
        self._taken = {"nnfs row"}
        self._columns: list[_Column] = []
        terms = ordered(outputs.values(), lambda term: term.terms)
        uses = Counter(id(one) for term in terms for one in term.terms)
        for term in terms:
            code = self._joined(term)
            shared = term.terms and (uses[id(term)] > 1 or len(code.text) > LONGEST)
            self._code[id(term)] = self._as_column(term, code) if term.cell or shared else code
        self._outputs = [
            _Column(quoted(name), "", self._code[id(term)], self._n_steps + 1) for name, term in outputs.items()
        ]

    def _joined(self, term: Term) -> _Code:
        text, columns, step = [], set[str](), 0
        for piece in term.pieces:
            if isinstance(piece, str):
                text.append(piece)
                continue
            code = self._code[id(piece[0])]
            text.append(code.text if code.level >= piece[1] else f"({code.text})")
            columns |= code.columns
            step = max(step, code.step)
        return _Code("".join(text), term.level, frozenset(columns), step)

    def _as_column(self, term: Term, code: _Code) -> _Code:
        if term.kind == "condition" and not term.sure:  # a column is never NULL
            text = code.text if code.level >= SUM else f"({code.text})"
            code = _Code(f"{text} IS TRUE", ATOM, code.columns, code.step)
        name = self._new_name(term.cell, term.part)
        self._columns.append(_Column(name, term.part, code, code.step + 1))
        return _Code(name, ATOM, frozenset([name]), code.step + 1)

    def _new_name(self, cell: str, part: str) -> str:
        """Return a name of a column that no other has, in any case of letters: that of a cell if possible."""
        first, n = cell, 1
        if not cell or len(cell.encode()) > LONGEST_NAME or cell.lower() in self._taken:
            first = name_from(part) or "x"
        name = first if cell and first == cell else f"{first}_1"
        while name.lower() in self._taken:
            n += 1
            name = f"{first}_{n}"
        self._taken.add(name.lower())
        return quoted(name)

    @property
    def _n_steps(self) -> int:
        return max((column.step for column in self._columns), default=1)

    @property
    def text(self) -> str:
        """The SELECT. Raises `ExportError` for a step of too many columns."""
        last_use: dict[str, int] = {}
        for one in [*self._columns, *self._outputs]:
            last_use |= {name: max(last_use.get(name, 0), one.step) for name in one.code.columns}
        text, before = GIVEN, "given"
        for step in range(1, self._n_steps + 1):
            kept = [one.name for one in self._columns if one.step < step < last_use.get(one.name, 0)]
            new = [one for one in self._columns if one.step == step]
            text += f',\n"step {step}" AS MATERIALIZED (\n{_columns(kept, new)}\n  FROM "{before}"\n)'
            before = f"step {step}"
        text += f',\n"predictions" AS (\n{_columns([], self._outputs)}\n  FROM "{before}"\n)\nSELECT "given".*'
        return text + "".join(f',\n  "predictions".{one.name}' for one in self._outputs) + LAST


def _columns(kept: Sequence[str], new: Sequence[_Column]) -> str:
    """Return a SELECT of columns of the step before, and of new columns, which have their parts as comments."""
    if len(kept) + len(new) > MOST_COLUMNS:
        raise ExportError(
            f"SQL would need {len(kept) + len(new):,} columns at once for this model, and takes {MOST_COLUMNS:,};"
            " export it to onnx, python or c, or train a smaller net"
        )
    return "  SELECT " + ",\n    ".join(_lines(kept, new))


def _lines(kept: Sequence[str], new: Sequence[_Column]) -> Iterator[str]:
    yield ", ".join([ROW, *kept])
    part = ""
    for one in new:
        comment = f"-- {cut(in_a_line(one.part), 90)}\n    " if one.part != part and one.part else ""
        part = one.part
        yield f"{comment}{one.code.text} AS {one.name}"
