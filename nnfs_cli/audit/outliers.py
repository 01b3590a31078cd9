"""Find cells that are far from all others of their column, and rows that are far from all other rows."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.audited_rows import AuditedRows
from nnfs_cli.audit.coordinates import coordinates
from nnfs_cli.audit.finding import RowFinding
from nnfs_cli.audit.neighbours import neighbours
from nnfs_cli.data.dates import DAY
from nnfs_cli.data.profile import numbers_or_days
from nnfs_cli.data.table import Kind, text_of
from nnfs_cli.display.text import value
from nnfs_cli.system.wording import counted, listing, named, percent

LOW, HIGH = 0.01, 0.99  # shares of the cells between which the usual range lies
FAR_CELL = 0.75  # usual ranges beyond the usual range; of a million normal numbers, none lies so far out
RANK = 4  # of the neighbour, from 0, whose distance counts: a few rows that are alike may be far from all others
FAR_ROW = 6.0  # deviations of the logarithm of this distance above its median
TO_90 = 1.2816  # deviations from the median of a normal distribution to its 90 % quantile
NAMED = 3  # columns that a reason names
LEAST_SHARE = 0.2  # of the squared distance, which a column needs to be named
FEWEST = 30  # rows, below which nothing is far


def far_cells(rows: AuditedRows) -> RowFinding | None:
    """Return the rows with a number or a date far from all others of its column, the farthest first; None if none."""
    encoder, table = rows.predictor.encoder, rows.table
    kinds = {name: kind for name, kind in encoder.kinds.items() if kind != "category"}
    if not (encoder.classes or encoder.pairs):
        kinds |= dict.fromkeys(encoder.targets, "number")
    found, far, reasons, brief = [np.empty(0, np.intp)], [np.empty(0)], list[str](), list[str]()
    for name, kind in kinds.items():
        values = numbers_or_days(table, name, kind)
        there = np.flatnonzero(np.isfinite(values))
        if len(there) < FEWEST:
            continue
        beyond = np.abs(excess(values[there]))
        outside = beyond > FAR_CELL
        places = there[outside]
        low, high = _ends(kind, values[there])
        found.append(places)
        far.append(beyond[outside])
        cells = [f"{named(name)} is {_shown(rows, place, name)}" for place in places.tolist()]
        reasons += [f"{cell}, and 98 % of the rows have {low} to {high}" for cell in cells]
        brief += [f"{cell}; usually {low} to {high}" for cell in cells]
    places, score = np.concatenate(found), np.concatenate(far)
    if not len(places):
        return None
    order = np.argsort(-score, kind="stable")
    verb, their = ("is", "its") if len(places) == 1 else ("are", "their")
    return RowFinding(
        "far_cells",
        f"{counted(len(places), 'cell')} {verb} far from all others of {their} column",
        "a single wrong cell moves means and scales; in the target, it counts more than hundreds of other rows",
        "look for a wrong unit or a lost decimal mark; correct wrong cells or leave them empty, or clip the column",
        places[order],
        score[order],
        [reasons[i] for i in order.tolist()],
        brief=[brief[i] for i in order.tolist()],
    )


def excess(values: Array) -> Array:
    """Return how far values (n,) lie beyond their usual range, in widths of that range; below it, negative.

    The usual range holds all but the outermost 1 % at either end. Values inside it get 0, and so do all values if the
    range is empty. Values that are all above 0 are measured on a logarithmic scale where they lie less far out on it:
    sizes and amounts have long tails.
    """
    found = _excess(values)
    if values.min() > 0:
        logs = _excess(np.log(values))
        found = np.where(np.abs(logs) < np.abs(found), logs, found)
    return found


def _excess(values: Array) -> Array:
    low, high = np.quantile(values, (LOW, HIGH))
    if not high > low:
        return np.zeros(len(values))
    with np.errstate(over="ignore"):
        return np.asarray((np.maximum(values - high, 0) - np.maximum(low - values, 0)) / (high - low))


def far_rows(rows: AuditedRows, known: Array) -> RowFinding | None:
    """Return the rows whose cells are rare together, the farthest from all others first; None if there are none.

    `known` are the places of rows with a far cell, which are left out.
    """
    space = coordinates(rows.table.take(rows.compared), rows.predictor.encoder.kinds)
    near = neighbours(space.values)
    if len(rows) < FEWEST or not near.distance.shape[1] > RANK:
        return None
    deviations = deviations_above(near.distance[:, RANK])
    order = np.argsort(-deviations, kind="stable")
    found = order[(deviations[order] > FAR_ROW) & ~np.isin(rows.compared[order], known)]
    if not len(found):
        return None
    places = rows.compared[found]
    parts = np.mean([space.contributions(found, near.place[found, j]) for j in range(RANK + 1)], axis=0)
    columns = [_main(part, space.columns) for part in parts]
    reasons = [
        f"no other row is near, mostly because of {listing(f'{named(n)} ({_shown(rows, place, n)})' for n in names)}"
        for place, names in zip(places.tolist(), columns, strict=True)
    ]
    n = len(rows.compared)
    verb = "is" if len(found) == 1 else "are"
    return RowFinding(
        "far_rows",
        f"{counted(len(found), 'row')} of {n:,} ({percent(len(found) / n, 1)}) {verb} far from all other rows",
        "their cells are rare together: one may be wrong, or the net has seen too little of their kind",
        "look for cells that do not go together; collect more rows like those that are right",
        places,
        deviations[found],
        reasons,
    )


def deviations_above(reach: Array) -> Array:
    """Return by how many deviations the logarithm of each distance (n,) lies above the median.

    The deviation is that of a normal distribution with the same median and 90 % quantile, which a few far rows do not
    move.
    """
    there = reach > 0
    found = np.zeros(len(reach))
    if there.sum() < FEWEST:
        return found
    logs = np.log(reach[there])
    middle, high = np.quantile(logs, (0.5, 0.9))
    if high > middle:
        found[there] = (logs - middle) / ((high - middle) / TO_90)
    return found


def _main(parts: Array, columns: tuple[str, ...]) -> list[str]:
    """Return the columns that make up most of a squared distance, given by column (columns,)."""
    order = np.argsort(-parts, kind="stable")[:NAMED]
    large = [columns[i] for i in order.tolist() if parts[i] > LEAST_SHARE * parts.sum()]
    return large or [columns[order[0]]]


def _shown(rows: AuditedRows, place: int, name: str) -> str:
    """Return a cell as a text, a number with at most six digits."""
    column = np.asarray(rows.table.column(name)) if rows.table.kind(name) == "number" else None
    return value(float(column[place])) if column is not None else rows.table.text_of(place, name) or "empty"


def _ends(kind: Kind, values: Array) -> tuple[str, str]:
    """Return the ends of the usual range of numbers, or of dates in days since 1970, as texts."""
    low, high = np.quantile(values, (LOW, HIGH)).tolist()
    if kind == "date":
        return text_of(np.datetime64(round(low * DAY), "us"))[:10], text_of(np.datetime64(round(high * DAY), "us"))[:10]
    return value(low), value(high)
