"""Everything that is settled before training begins: which rows, as which arrays, and the net that will learn them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.checks import monitors, no_figure
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.encoder import Encoder, read_numbers
from nnfs_cli.data.file_source import ColumnSource, source_for
from nnfs_cli.data.labels import class_indices, find_classes
from nnfs_cli.data.split import PARTS
from nnfs_cli.data.table import Label, Table, word
from nnfs_cli.data.weights import UnknownLabelError, weights_of_classes
from nnfs_cli.errors import DataError, Fault, counted
from nnfs_cli.parameters import Array
from nnfs_cli.plain_yaml import dump_value
from nnfs_cli.predictor import Predictor, Samples
from nnfs_cli.spec import Spec


@dataclass(frozen=True)
class Experiment:
    """Everything that is settled before training begins: the rows of each split, and the net that will learn them."""

    spec: Spec
    parts: Mapping[str, Samples]  # train, and validation and test where there are any
    predictor: Predictor
    batches: Batches
    description: Mapping[str, Any]  # of the data, as data.json keeps it


def prepare(spec: Spec) -> Experiment:
    """Read the data, split it, fit the preprocessing on the training rows, and build the net.

    Raises `DataError` or `ConfigError` when data and spec do not go together; nothing has been written then.
    """
    tables, indices, classes = split_tables(spec)
    table = tables["train"]
    targets = spec.dataset.target_columns()
    left_out = {*targets, *spec.dataset.dropped_columns(), spec.dataset.weight_column(), spec.split.column}
    features = [name for name in (*table.columns, *table.unreadable) if name not in left_out]
    if not features:
        raise DataError(f"{table.name} has no column left to learn from")
    columns, unusable = read_numbers(table, features)
    if unusable:
        raise DataError(_with_remedy(unusable, len(features), spec))
    class_weights = None
    if spec.class_weights is not None and classes is not None:
        truth = class_indices(table, targets[0], classes)[indices["train"]]
        class_weights = _class_weights(spec, table, indices["train"], classes, truth)
        indices["train"] = _counting(table, "train", indices["train"], np.array(class_weights)[truth])
    encoder = Encoder.fit(table, indices["train"], columns, targets, classes, spec.preprocessing, class_weights)
    spec.check(encoder.facts, table.name)
    predictor = Predictor(spec, encoder)
    parts = encode_parts(predictor, tables, indices)
    batches = _batches(spec, predictor, len(parts["train"]))
    _require_figures(spec, parts, tuple(map(word, classes or ())))
    trained_on = {name: column[indices["train"]] for name, column in columns.items()}
    description = _describe(tables, trained_on, encoder, parts, spec.dataset.weight_column())
    return Experiment(spec, parts, predictor, batches, description)


def split_tables(spec: Spec) -> tuple[dict[str, Table], dict[str, Array], tuple[Label, ...] | None]:
    """The table of each part (the training table where it has no file of its own), its rows there, and the classes.

    Rows of weight 0 are left out, as if they were not there.
    """
    table = spec.dataset.read()
    _require_columns(spec, table)
    tables = dict.fromkeys(PARTS, table)
    classes = indices = None
    if spec.loss.task == "classification":
        target = spec.dataset.target_columns()
        if len(target) != 1:
            raise DataError(f"{spec.loss.name} has one target, and {table.name} is to give {len(target)}")
        classes = find_classes(table, target[0])
        indices = class_indices(table, target[0], classes)
    rows = spec.split.divide(table, indices, spec.seed)
    for part, path in spec.split.files.items():
        tables[part] = source_for(path, spec.dataset).read()
        rows[part] = np.arange(tables[part].n_rows)
    column = spec.dataset.weight_column()
    for part in PARTS if column else ():
        rows[part] = _counting(tables[part], part, rows[part], tables[part].numbers(str(column))[rows[part]])
    return tables, rows, classes


def encode_parts(predictor: Predictor, tables: Mapping[str, Table], indices: Mapping[str, Array]) -> dict[str, Samples]:
    """The rows of each part that has any, as arrays: those that count. A table of several parts is encoded once."""
    encoded: dict[int, Samples] = {}
    parts = {}
    for part in PARTS:
        table = tables[part]
        if not len(indices[part]):
            continue
        if id(table) not in encoded:
            encoded[id(table)] = predictor.encode(table)
        parts[part] = encoded[id(table)].take(indices[part]).counting()
        if not len(parts[part]):
            raise _weightless(table, part)
    return parts


def _counting(table: Table, part: str, rows: Array, weights: Array) -> Array:
    """Those of the rows of a part whose weight is not 0. Raises `DataError` when there were some and none is left."""
    if len(rows) and not weights.any():
        raise _weightless(table, part)
    counting: Array = rows[weights != 0]
    return counting


def _weightless(table: Table, part: str) -> DataError:
    return DataError(f"{table.name}: all {part} rows have the weight 0, so there is nothing to go by")


def _class_weights(
    spec: Spec, table: Table, rows: Array, classes: tuple[Label, ...], truth: Array
) -> tuple[float, ...]:
    """The weights that the config gives to the classes; `truth` are the classes of the training `rows`."""
    column = spec.dataset.weight_column()
    weights = table.numbers(column)[rows] if column is not None else None
    try:
        return weights_of_classes(spec.class_weights or {}, classes, truth, weights)
    except UnknownLabelError as error:
        raise spec.error([Fault(("class_weights", error.label), str(error), at_key=True)]) from None


def _batches(spec: Spec, predictor: Predictor, n_rows: int) -> Batches:
    """The order of the rows. Raises `ConfigError` when there are too few for one batch."""
    size = n_rows if spec.batch_size == "full" else int(spec.batch_size or n_rows)
    needs = predictor.model.layers.neediest
    batches = Batches(n_rows, size, spec.shuffle, spec.replacement, spec.drop_last, spec.seed, needs.min_batch)
    if not batches.steps:
        message = f"{counted(n_rows, 'training row')} do not fill one batch of {size}, and drop_last leaves it out"
        raise spec.error([Fault(("batch_size",), message)])
    if n_rows < needs.min_batch:
        message = f"{needs.name} needs {needs.min_batch} rows a batch, and there is {counted(n_rows, 'training row')}"
        raise spec.error([Fault(("layers",), message)])
    return batches


def _require_figures(spec: Spec, parts: Mapping[str, Samples], classes: tuple[str, ...]) -> None:
    """Raise `ConfigError` when the log is not going to have a figure that is watched, or one of them twice."""
    prefix, other = ("val_", "train_") if "validation" in parts else ("train_", "val_")
    columns = ["loss", *(column for metric in spec.metrics or () for column in metric.columns(classes))]
    twice = [column for i, column in enumerate(columns) if column in columns[:i]]
    faults = [Fault(("metrics",), f"two figures would be called {column}; leave one of them out") for column in twice]
    known = list(dict.fromkeys(["train_loss", *(prefix + column for column in columns)]))
    seen: set[str] = set()
    for at, figure in monitors(spec.early_stopping, spec.checkpoint, spec.schedule).items():
        if figure in known or figure in seen:
            continue
        if at[0] == "checkpoint" and figure == "val_loss":
            continue  # without validation rows the last epoch is the best
        seen.add(figure)  # the others have it from here
        if figure.startswith(other) and prefix + figure.removeprefix(other) in known:
            why = "there are validation rows" if prefix == "val_" else "there are no validation rows"
            message = f"{why}, so the log has no {figure}; watch {prefix}{figure.removeprefix(other)}"
        else:
            message = no_figure(figure, known)
        faults.append(Fault(at, message))
    if faults:
        raise spec.error(faults)


def _require_columns(spec: Spec, table: Table) -> None:
    """Raise `ConfigError` for every column that the config names and the table does not have."""
    source, column = ("dataset", spec.dataset.name), spec.split.column
    named: list[tuple[tuple[str, ...], str]] = [((*source, "target"), name) for name in spec.dataset.target_columns()]
    named += [((*source, "drop"), name) for name in spec.dataset.dropped_columns()]
    named += [((*source, "weight"), name) for name in (spec.dataset.weight_column(),) if name]
    named += [(("split", "column"), column)] if column else []
    faults = [Fault(path, table.missing(name)) for path, name in named if not table.has(name)]
    if faults:
        raise spec.error(faults)


def _with_remedy(unusable: Mapping[str, str], n_features: int, spec: Spec) -> str:
    """What is wrong with the columns, and what to do about it."""
    lines = list(unusable.values())[:5]
    if len(unusable) > 5:
        lines.append(f"and {counted(len(unusable) - 5, 'more column')}")
    if len(unusable) == n_features or not isinstance(spec.dataset, ColumnSource):
        return "\n".join([*lines, "mend the file"])
    return "\n".join([*lines, f"mend the file, or leave columns out with  drop: {dump_value(list(unusable))}"])


def _describe(
    tables: Mapping[str, Table],
    inputs: Mapping[str, Array],
    encoder: Encoder,
    parts: Mapping[str, Samples],
    weight: str | None,
) -> dict[str, Any]:
    """The data as data.json keeps it."""
    table = tables["train"]
    truth = {part: rows.truth for part, rows in parts.items()}
    return {
        "name": table.name,
        "sha256": {part: table.sha256 for part, table in tables.items()},
        "rows": {part: len(rows) for part, rows in parts.items()},
        "inputs": [{"name": name, "kind": "number", **_range(column)} for name, column in inputs.items()],
        "targets": [
            {
                "name": name,
                "kind": "class",
                "counts": {part: _counts(encoder.classes, y) for part, y in truth.items()},
            }
            if encoder.classes
            else {"name": name, "kind": "number", **_range(truth["train"][:, i])}
            for i, name in enumerate(encoder.targets)
        ],
        "weights": {
            "column": weight,
            "classes": dict(zip(map(word, encoder.classes or ()), encoder.class_weights or (), strict=False)),
        },
        "fitted": encoder.to_json(),
    }


def _counts(classes: tuple[Label, ...], truth: Array) -> dict[str, int]:
    return dict(zip(map(word, classes), np.bincount(truth, minlength=len(classes)).tolist(), strict=True))


def _range(values: Array) -> dict[str, float]:
    return {"min": float(values.min()), "max": float(values.max())}
