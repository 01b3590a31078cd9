"""The columns of a table: which ones are inputs of the net, and whether they can be used as they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.file_source import ColumnSource
from nnfs_cli.data.numbers import is_number
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.errors import DataError, Fault
from nnfs_cli.system.wording import counted, named


def given_kinds(config: Config) -> dict[str, Kind]:
    """Return the kinds of columns that the config settles, by their steps or by their role."""
    target: Kind = "category" if config.loss.task == "classification" else "number"
    given: dict[str, Kind] = dict(config.preprocessing.kinds)
    given |= {name: kind for name, kind in config.split.columns.items() if kind}
    if weight := config.dataset.weight_column():
        given[weight] = "number"
    return given | {name: target for name in config.dataset.target_columns() if target == "category"}


def role_columns(config: Config) -> dict[str, None]:
    """Return the columns with a role: the targets, the columns that split the rows, and the weights."""
    target = config.dataset.target_columns()
    weight = config.dataset.weight_column()
    return dict.fromkeys([*target, *config.split.columns, *((weight,) if weight else ())])


def splitting_columns(config: Config) -> dict[str, None]:
    """Return the columns that are needed to split the rows and to weigh them."""
    numbers = config.dataset.target_columns() if config.loss.task == "regression" else ()
    return {name: None for name in role_columns(config) if name not in numbers or name in config.split.columns}


def input_columns(config: Config, table: Table, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the input columns with their kinds. Raises one `DataError` for all that cannot be used as they are.

    Columns with a role are not inputs, unless the config gives them steps.
    """
    left_out = {*role_columns(config), *config.dataset.dropped_columns()} - {*config.preprocessing.columns}
    if (time := config.split.time) and config.preprocessing.steps(time, kinds.get(time, "date")):
        left_out -= {time}  # unlike a group, the time can be worth learning from
    names = [name for name in (*table.columns, *table.unreadable) if name not in left_out]
    names = [name for name in names if name not in config.dataset.target_columns()]
    if not names:
        raise DataError(f"{table.name} has no column left to learn from")
    unusable = {name: why for name in names if (why := _why_unusable(config, table, name, kinds.get(name)))}
    if unusable:
        raise DataError(_with_remedy(unusable, len(names), config))
    return {name: kinds[name] for name in names}


def require_columns(config: Config, table: Table) -> None:
    """Raise `ConfigError` for every column that the config names and the table does not have."""
    source = ("dataset", config.dataset.name)
    named: list[tuple[tuple[str, ...], str]] = [((*source, "target"), name) for name in config.dataset.target_columns()]
    named += [((*source, "drop"), name) for name in config.dataset.dropped_columns()]
    named += [((*source, "weight"), name) for name in (config.dataset.weight_column(),) if name]
    named += [(("split", key), name) for key, name in config.split.column_by_key.items()]
    named += [(("preprocessing", "columns", name), name) for name in config.preprocessing.columns]
    faults = [
        Fault(path, table.no_such_column(name), at_key=path[0] == "preprocessing")
        for path, name in named
        if not table.has(name)
    ]
    if faults:
        raise config.error(faults)


def _why_unusable(config: Config, table: Table, name: str, kind: Kind | None) -> str:
    """Return why an input column cannot be used, or the empty string if its steps accept it."""
    preprocessing = config.preprocessing
    try:
        column = table.column(name)
        if kind == "number":
            table.numbers(name, gaps=preprocessing.takes_gaps(name))
        elif not preprocessing.steps(name, kind or "category"):
            if kind == "category":
                _refuse_text(config, table, name)
            return f"{table.name}: column {named(name)} holds dates"
        elif kind == "category" and name not in preprocessing.columns and table.is_mostly_numbers(name):
            _refuse_text(config, table, name)
        del column
    except DataError as error:
        return str(error)
    return ""


def _refuse_text(config: Config, table: Table, name: str) -> None:
    """Raise `DataError` about the first cell that is not a number, if need be by reading the whole file."""
    found = table.texts(name)
    distinct = found.distinct[np.unique(found.codes[~found.gaps])]
    if isinstance(config.dataset, ColumnSource) and all(is_number(text, table.decimal) for text in distinct):
        for _ in config.dataset.chunks({name: "number"}):
            pass
    table.numbers(name, gaps=True)


def _with_remedy(unusable: Mapping[str, str], n_inputs: int, config: Config) -> str:
    """Return what is wrong with the columns, and what to do about it."""
    lines = list(unusable.values())[:5]
    if len(unusable) > 5:
        lines.append(f"and {counted(len(unusable) - 5, 'more column')}")
    if not isinstance(config.dataset, ColumnSource):
        return "\n".join([*lines, "correct the file"])
    remedies = []
    gaps = any(" is empty" in why or "more row" in why for why in unusable.values())
    if gaps and not config.preprocessing.takes_gaps(""):
        remedies.append("fill gaps with  preprocessing: {numbers: [impute, standardize]}")
    if any("should hold numbers" in why for why in unusable.values()) and not config.preprocessing.categories:
        remedies.append("encode categories with  preprocessing: {categories: one_hot}")
    if any("holds dates" in why for why in unusable.values()) and not config.preprocessing.dates:
        remedies.append("encode dates with  preprocessing: {dates: calendar}")
    if len(unusable) < n_inputs:
        remedies.append(f"leave columns out with  drop: {dump_value(list(unusable))}")
    return "\n".join([*lines, ", or ".join(["correct the file", *remedies])])
