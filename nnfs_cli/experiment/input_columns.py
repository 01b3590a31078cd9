"""The columns of a table: which ones are inputs of the net, and whether they can be used as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.config.arguments import as_arguments
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.labels import TARGET
from nnfs_cli.data.left_out import LeftOut
from nnfs_cli.data.named_columns import NamedColumns
from nnfs_cli.data.numbers import is_number
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.parsing.recognise import recognise
from nnfs_cli.data.sql.source import QuerySource
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, Fault
from nnfs_cli.experiment.warnings import texts_as_categories
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, named


def given_kinds(config: Config) -> dict[str, Kind]:
    """Return the kinds of columns that the config settles, by their steps or by their role."""
    target: Kind = "category" if config.loss.task == "classification" else "number"
    given: dict[str, Kind] = dict(config.preprocessing.kinds)
    given |= {name: kind for name, kind in config.split.columns.items() if kind}
    for column in filter(None, (config.dataset.weight_column(), config.dataset.exposure_column())):
        given[column] = "number"
    return given | {name: target for name in config.dataset.target_columns() if target == "category"}


def role_columns(config: Config) -> dict[str, None]:
    """Return the columns with a role: the targets, the columns that split the rows, the weights and the exposures."""
    target = config.dataset.target_columns()
    others = config.dataset.weight_column(), config.dataset.exposure_column()
    return dict.fromkeys([*target, *config.split.columns, *filter(None, others)])


def splitting_columns(config: Config) -> dict[str, None]:
    """Return the columns that are needed to split the rows and to weigh them."""
    numbers = config.dataset.target_columns() if config.loss.task == "regression" else ()
    return {name: None for name in role_columns(config) if name not in numbers or name in config.split.columns}


def rows_left_out(config: Config, kinds: Mapping[str, Kind]) -> LeftOut:
    """Return the rule for the rows that the config leaves out; `kinds` are those of all columns."""
    skips = config.on_error == "skip"
    targets = config.dataset.target_columns() if skips or config.missing_target == "drop" else ()
    needed = dict.fromkeys(targets, TARGET)
    if skips:
        roles = {*role_columns(config), *config.dataset.dropped_columns()}
        inputs = [name for name, kind in kinds.items() if kind == "number" and name not in roles]
        columns = [*role_columns(config), *(name for name in inputs if not config.preprocessing.takes_gaps(name))]
        needed |= {name: "column" for name in columns if name not in needed}
    return LeftOut(needed, skips)


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
    unusable = {name: error for name in names if (error := _error_of(config, table, name, kinds.get(name)))}
    if unusable:
        raise DataError(_with_remedies(unusable, len(names), config, table))
    return {name: kinds[name] for name in names}


def require_columns(config: Config, table: Table) -> None:
    """Raise `ConfigError` for every column that the config names and the table does not have."""
    source = ("dataset", config.dataset.name)
    named: list[tuple[tuple[str | int, ...], str]] = [
        ((*source, key, i), name)
        for key, names in (("target", config.dataset.target_columns()), ("drop", config.dataset.dropped_columns()))
        for i, name in enumerate(names)
    ]
    named += [((*source, "weight"), name) for name in (config.dataset.weight_column(),) if name]
    named += [((*source, "exposure"), name) for name in (config.dataset.exposure_column(),) if name]
    named += [(("split", key), name) for key, name in config.split.column_by_key.items()]
    named += [(("preprocessing", "columns", name), name) for name in config.preprocessing.columns]
    named += [(("parse", name), name) for name, parser in config.parse.items()]
    made = {name for name, parser in config.parse.items() if all(map(table.has, parser.outputs(name)))}
    faults = [
        Fault(path, table.no_such_column(name), at_key=path[0] in ("preprocessing", "parse"))
        for path, name in named
        if not (table.has(name) or (path[0] == "parse" and name in made))
    ]
    if faults:
        raise config.error(faults)


def _error_of(config: Config, table: Table, name: str, kind: Kind | None) -> DataError | None:
    """Return why an input column cannot be used, or None if its steps accept it."""
    preprocessing = config.preprocessing
    try:
        column = table.column(name)
        if kind == "number":
            table.numbers(name, gaps=preprocessing.takes_gaps(name))
        elif not preprocessing.steps(name, kind or "category"):
            if kind == "category":
                _refuse_text(config, table, name)
            return DataError(f"{table.name}: column {named(name)} holds dates", "dates")
        elif kind == "category" and _seems_numeric(config, table, name):
            _refuse_text(config, table, name)
        del column
    except DataError as error:
        return error
    return None


def _seems_numeric(config: Config, table: Table, name: str) -> bool:
    """Return whether a column is of texts only because its source has no types, or lost them, and of numbers else."""
    if isinstance(config.dataset, InMemory) or name in config.preprocessing.columns:
        return False
    return table.is_mostly_numbers(name)


def warn_about_texts(config: Config, table: Table, inputs: Mapping[str, Kind]) -> None:
    """Warn about columns of a table given in Python that are categories, but hold numbers or dates as texts."""
    source = config.dataset
    if not isinstance(source, InMemory):
        return
    declared = {*source.categories(), *config.preprocessing.columns}
    texts = [name for name, kind in inputs.items() if kind == "category" and name not in declared]
    for message in texts_as_categories(
        [name for name in texts if table.is_mostly_numbers(name)],
        [name for name in texts if table.is_all_dates(name)],
        source.library,
    ):
        warn(message)


def _refuse_text(config: Config, table: Table, name: str) -> None:
    """Raise `DataError` about the first cell that is not a number, if need be by reading the whole file."""
    found = table.texts(name)
    distinct = found.distinct[np.unique(found.codes[~found.gaps])]
    if isinstance(config.dataset, ColumnSource) and all(is_number(text, table.decimal) for text in distinct):
        for _ in config.dataset.chunks({name: "number"}):
            pass
    table.numbers(name, gaps=True)


def _with_remedies(unusable: Mapping[str, DataError], n_inputs: int, config: Config, table: Table) -> str:
    """Return what is wrong with the columns, and below it what to do about it, one remedy a line."""
    lines = [str(error) for error in unusable.values()][:5]
    if len(unusable) > 5:
        lines.append(f"and {counted(len(unusable) - 5, 'more column')}")
    remedies = _remedies(unusable, n_inputs, config, table) if isinstance(config.dataset, NamedColumns) else []
    what = "query" if isinstance(config.dataset, QuerySource) else "file"
    how, several = "or change the config", " in one of these ways"
    if isinstance(config.dataset, InMemory):
        some, them = len(unusable) < n_inputs, "the column" if len(unusable) == 1 else "these columns"
        what, how, several = f"table{f', leave out {them}' if some else ''}", "or set", " one of these"
    lines.append(
        f"correct the {what}, {how}{several if len(remedies) > 1 else ''}:" if remedies else f"correct the {what}"
    )
    return "\n".join([*lines, *(f"  {line}" for line in remedies)])


def _remedies(unusable: Mapping[str, DataError], n_inputs: int, config: Config, table: Table) -> list[str]:
    """Return lines of YAML that would make columns usable."""
    parsers = {name: parser.brief() for name, parser in _parsers(unusable, table).items()}
    given, problems = config.preprocessing, {error.problem for error in unusable.values()}
    steps: dict[str, Any] = {}
    if "empty cells" in problems and not given.takes_gaps(""):
        steps["numbers"] = _with_impute(given.numbers)
    if "not numbers" in problems and not given.categories:
        steps["categories"] = "one_hot"
    if "dates" in problems and not given.dates:
        steps["dates"] = "calendar"
    own = [name for name, error in unusable.items() if error.problem == "empty cells" and name in given.columns]
    by_preset = bool(steps) and not own and config.preset is None and given.model_fields_set.isdisjoint(steps)
    if own:
        steps["columns"] = {name: _with_impute(given.columns[name]) for name in own}
    if isinstance(config.dataset, InMemory):
        return [*([as_arguments({"parse": parsers})] if parsers else []), *_arguments(steps, by_preset)]
    remedies = [f"{key}: {dump_value(made)}" for key, made in (("parse", parsers), ("preprocessing", steps)) if made]
    if by_preset:
        remedies.append("preset: tabular  # also chooses every other key that you leave out")
    if len(unusable) < n_inputs:
        dropped = dict.fromkeys([*config.dataset.dropped_columns(), *unusable])
        remedies.append(f"drop: {dump_value([*dropped])}  # inside {config.dataset.name}")
    return remedies


def _parsers(unusable: Mapping[str, DataError], table: Table) -> dict[str, Parser]:
    """Return the parsers of columns of texts that are numbers, dates or booleans as people write them."""
    found = {}
    for name, error in unusable.items():
        texts = table.columns.get(name)
        one = recognise(texts) if error.problem == "not numbers" and isinstance(texts, Texts) else None
        if one and not one.question:
            found[name] = one.parser.model_copy(update={"invalid": "empty"}) if one.misfits else one.parser
    return found


def _arguments(steps: Mapping[str, Any], by_preset: bool) -> list[str]:
    """Return arguments of Python that would make columns usable."""
    remedies = [as_arguments({"preprocessing": steps})] if steps else []
    preset = as_arguments({"preset": "tabular"})
    return [*remedies, f"{preset}  # also chooses every other setting that you leave out"] if by_preset else remedies


def _with_impute(steps: Sequence[PreprocessingStep]) -> list[Any]:
    """Return steps for numbers as YAML values, with `impute` in front of them."""
    return ["impute", *(step.brief() for step in steps if not isinstance(step, Unchanged))]
