"""The explanation of a run: which columns matter, how the answers depend on them, and which act together."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from nnfs_cli.arrays import Array
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.table import Table
from nnfs_cli.errors import RunError, UserError
from nnfs_cli.explain.against_linear import AgainstLinear, against_linear
from nnfs_cli.explain.columns_alike import columns_alike
from nnfs_cli.explain.dependence import Dependence, dependence
from nnfs_cli.explain.explained_rows import ExplainedRows, most_rows
from nnfs_cli.explain.grid import Grid, grid_of
from nnfs_cli.explain.importance import Importance, importance, usual_repeats
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from nnfs_cli.explain.pairs import POINTS, SURFACE, Pair, Surface, pairs, surface_of
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.warn import warn
from nnfs_cli.workflows.evaluate import tables_with_target, writing_if_possible
from nnfs_cli.workflows.load_run import restore
from nnfs_cli.workflows.run_predictions import RunPredictions

COLUMNS = 6  # main columns


@dataclass(frozen=True)
class Explanation:
    """What the net of a run relies on, measured on some rows.

    `split` is that of the rows, "input" for other rows than those of the run; they were drawn from `total` rows.
    `importance` is that of all columns, and of groups of columns that tell nearly the same. `dependence` is for the
    columns that matter most. `pairs` are those of these columns, the strongest interaction first, with a `surface` for
    the first one if it is notable. `linear` compares with a linear model, None if there is none.
    """

    split: str
    out_of_fold: bool
    total: int
    importance: Importance
    dependence: tuple[Dependence, ...]
    pairs: tuple[Pair, ...]
    surface: Surface | None
    linear: AgainstLinear | None

    def plain(self) -> dict[str, Any]:
        """Return everything as values for JSON; numbers that are not finite become None."""
        found: dict[str, Any] = _finite(dataclasses.asdict(self))
        return found

    @classmethod
    def of_plain(cls, found: Mapping[str, Any]) -> Explanation:
        """Return what `plain` was made of. Raises `ValueError` for anything else."""
        read = TypeAdapter(cls).validate_python(found)
        names = {one.name for one in read.importance.columns}
        grouped = {name for group in read.importance.together for name in group.columns}
        if not (grouped <= names and all(one.is_whole for one in read.dependence)):
            raise ValueError("the parts of the explanation do not fit together")
        return read


def explain(
    run: RunDirectory,
    rows: Any = None,
    columns: int = COLUMNS,
    repeats: int | None = None,
    data: Any = None,
    told: Callable[[str], object] = lambda doing: None,
) -> Explanation:
    """Return the explanation of a run on its held-out rows, or on other `rows` with the target.

    At most 10,000 rows are looked at, drawn at random, and fewer if there are many columns. `columns` is the number of
    main columns, whose dependence and pairs are shown. Cells are shuffled 5 times, or up to 20 times for few rows,
    unless `repeats` says otherwise. `data` holds the rows of the run, if they are not where the config says; see
    `rows_for` for both. The explanation of the run's own rows is kept in the run, unless another process writes there,
    or it has fewer columns than usual and there is one already.
    `told` is called with what is being done.
    Raises `DataError` if the data is missing or has changed, `RunError` if the run has no best weights.
    """
    if columns < 0 or (repeats is not None and repeats < 1):
        raise UserError("the main columns are 0 or more, and the repeats 1 or more")
    if rows is None:
        with writing_if_possible(run):
            predictions = RunPredictions.of_run(run, data)
            if predictions.main_split == "train":
                warn(f"{run.path} held out no rows, so its training rows tell what it has learned from noise, too")
            found = _explained(
                predictions.predictor,
                lambda most: ExplainedRows.of_run(predictions, most),
                predictions.rows["train"],
                columns,
                repeats,
                told,
            )
            if run.locked and (columns >= COLUMNS or not _is_kept(run)):
                run.records.write_explanation(found.plain())
        return found
    predictor = restore(run)
    source = rows_for(rows, predictor.config.dataset)
    tables, _ = tables_with_target(source, predictor)
    return _explained(
        predictor, lambda most: ExplainedRows.of_tables(predictor, tables, most), None, columns, repeats, told
    )


def _is_kept(run: RunDirectory) -> bool:
    """Return whether a run keeps an explanation that can be read."""
    with contextlib.suppress(RunError, ValueError):
        kept = run.records.explanation()
        return kept is not None and Explanation.of_plain(kept) is not None
    return False


def _explained(
    predictor: Predictor,
    draw: Callable[[int], ExplainedRows],
    train: EncodedRows | None,
    columns: int,
    repeats: int | None,
    told: Callable[[str], object],
) -> Explanation:
    """Return the explanation on rows that `draw` returns at most so many of; without training rows, no linear model."""
    inputs = inputs_by_column(predictor)
    chosen = draw(most_rows(len(inputs), repeats or usual_repeats(most_rows(len(inputs), 1))))
    rows, table = chosen.rows, chosen.table
    alike = columns_alike(predictor.encoder, rows.X, inputs)
    matters = importance(predictor, rows, inputs, alike, repeats, told)
    curves, found, surface = list[Dependence](), list[Pair](), None
    if table is not None:
        with thread_limit(predictor.config.threads):
            grids = {name: grid_of(predictor, table, name, inputs) for name in main_columns(matters)[:columns]}
            weight = predictor.own_weight(rows.weight, rows.truth)
            told("finding curves and pairs")
            curves = [dependence(predictor, rows.X, inputs[name], grid, weight) for name, grid in grids.items() if grid]
            found, surface = _together(predictor, rows.X, table, inputs, [name for name, grid in grids.items() if grid])
    elif columns:
        warn("there are no curves and no pairs, since the table does not fit into the memory limit of the run")
    told("fitting a linear model")
    linear = None if train is None else against_linear(predictor, train, rows, inputs, matters)
    return Explanation(
        chosen.split, chosen.out_of_fold, chosen.total, matters, tuple(curves), tuple(found), surface, linear
    )


def main_columns(found: Importance) -> list[str]:
    """Return the columns that matter, then the most important one of each group that matters without such a column."""
    main = [*found.main]
    for group in found.together:
        if group.effect == "matters" and not {*group.columns} & {*main}:
            main.append(max(group.columns, key=lambda name: found.of(name).growth))
    return main


def _together(
    predictor: Predictor, X: Array, table: Table, inputs: Mapping[str, Array], names: Sequence[str]
) -> tuple[list[Pair], Surface | None]:
    """Return the pairs of some columns, the strongest interaction first, and the surface of the first if notable."""

    def grids(names: Iterable[str], points: int) -> list[Grid]:
        return [grid for name in names if (grid := grid_of(predictor, table, name, inputs, points)) is not None]

    found = pairs(predictor, X, inputs, grids(names, POINTS))
    if not found or not found[0].notable:
        return found, None
    one, other = grids(found[0].columns, SURFACE)
    return found, surface_of(predictor, X, inputs, one, other)


def _finite(value: Any) -> Any:
    """Return a value for JSON, which has no infinity and no NaN."""
    match value:
        case dict():
            return {key: _finite(one) for key, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
        case float():
            return value if math.isfinite(value) else None
        case _:
            return value
