"""Find rows that repeat others, and rows that are equal to others but have a different answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.audited_rows import AuditedRows
from nnfs_cli.audit.finding import RowFinding
from nnfs_cli.audit.given_answers import GivenAnswers
from nnfs_cli.data.copies import row_hashes, units_of_copies
from nnfs_cli.display.text import ROWS_OF
from nnfs_cli.inspection.column_relations import cell_hashes
from nnfs_cli.system.wording import counted, percent


def duplicates(rows: AuditedRows) -> Iterator[RowFinding]:
    """Yield the rows that equal another one in every input but in the answer, and the copies of other rows."""
    kinds, table = rows.predictor.encoder.kinds, rows.table
    hashes = {name: cell_hashes(table.column(name)) for name in kinds}
    equal = np.unique(row_hashes(hashes.values()), return_inverse=True)[1]
    answers = GivenAnswers.of(rows)
    different, partner = _contradictions(equal, answers)
    if len(different):
        yield _contradicting(rows, answers, equal, different, partner)
    numbers = [hashes[name] for name, kind in kinds.items() if kind != "category"]
    unit = units_of_copies(numbers, [hashes[name] for name, kind in kinds.items() if kind == "category"])
    first = np.unique(unit, return_index=True)[1][unit]
    copied = np.flatnonzero((first != np.arange(len(rows))) & (answers.distance(np.arange(len(rows)), first) == 0))
    if len(copied):
        yield _copies(rows, copied, first[copied])


def _contradictions(unit: Array, answers: GivenAnswers) -> tuple[Array, Array]:
    """Return the rows with an equal row of another answer, and of these rows the one whose answer is farthest.

    `unit` (rows,) is the same for rows with equal inputs.
    """
    order = np.lexsort((answers.values[:, 0], unit))
    starts = np.flatnonzero(np.diff(unit[order], prepend=-1))
    ends = np.append(starts[1:], len(unit)) - 1
    own = np.arange(len(unit))
    least, greatest = order[starts][unit], order[ends][unit]
    partner = np.where(answers.distance(own, least) > answers.distance(own, greatest), least, greatest)
    found = np.flatnonzero(answers.differ(own, partner))
    return found, partner[found]


def _contradicting(rows: AuditedRows, answers: GivenAnswers, unit: Array, found: Array, partner: Array) -> RowFinding:
    """Return the finding on rows that are equal in every input, ordered by their units."""
    order = np.lexsort((found, unit[found]))
    found, partner = found[order], partner[order]
    target = rows.predictor.encoder.targets[0]
    given, likely = rows.texts(target, found), rows.texts(target, partner)
    reasons = [
        f"equal to row {number:,} in every input, but the answer is {one} and not {other}"
        for number, one, other in zip(rows.number[partner].tolist(), given, likely, strict=True)
    ]
    units = len(np.unique(unit[found]))
    return RowFinding(
        "contradictions",
        f"{counted(len(found), 'row')} of {len(rows):,} ({percent(len(found) / len(rows), 1)})"
        f" {'equals' if len(found) == 1 else 'equal'} another row in every input, but not in the answer",
        f"no net can be right about all of them; they form {counted(units, 'set')} of equal rows",
        "look for wrong answers among them, or for a column that tells these rows apart",
        found,
        answers.distance(found, partner),
        reasons,
        given,
        likely,
        [f"equal to row {number:,}" for number in rows.number[partner].tolist()],
    )


def _copies(rows: AuditedRows, later: Array, first: Array) -> RowFinding:
    """Return the finding on rows that repeat another one in every column, those in another split first."""
    elsewhere = rows.split[later] != rows.split[first]
    order = np.argsort(~elsewhere, kind="stable")
    later, first, elsewhere = later[order], first[order], elsewhere[order]
    reasons = [
        f"a copy of row {number:,}" + (f", which is one of the {ROWS_OF[split]}" if other else "")
        for number, split, other in zip(
            rows.number[first].tolist(), rows.split[first].tolist(), elsewhere.tolist(), strict=True
        )
    ]
    verb = "is a copy" if len(later) == 1 else "are copies"
    across = int(elsewhere.sum())
    also = f"; {across:,} of them {'is' if across == 1 else 'are'} in another split than the first" if across else ""
    return RowFinding(
        "copies",
        f"{counted(len(later), 'row')} of {len(rows):,} {verb} of another row in every column{also}",
        "a net that has learned one of them seems to predict the other well, so its figures are too good",
        "keep one of each, unless they are separate cases; split: group keeps what belongs together in one split",
        later,
        elsewhere.astype(np.float64),
        reasons,
    )
