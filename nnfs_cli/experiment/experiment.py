"""Everything that is settled before training begins: which rows, as which arrays, and the net that will learn them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.monitors import monitors, unlogged_figures
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.folds import deal_rows
from nnfs_cli.data.inputs import RowSample
from nnfs_cli.data.profile import profile
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.table import Label, Table, concatenate_tables, text_of
from nnfs_cli.data.training_rows import RowsInMemory, RowsOnDisk, TrainingRows
from nnfs_cli.errors import Fault, NnfsWarning
from nnfs_cli.experiment.read_data import Budget, CellFinder, LoadedData, load_data, weightless
from nnfs_cli.experiment.warnings import cautions
from nnfs_cli.prediction.predictor import EncodedRows, Predictor
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow
from nnfs_cli.training.trainer import Trainer


@dataclass(frozen=True)
class Experiment:
    """Everything that is settled before training begins: the rows of each split, and the net that will learn them."""

    config: Config
    splits: Mapping[str, EncodedRows]  # train, and validation and test if there are any: the rows that are scored
    # With a holdout the validation rows are the training rows, each with the member that does not train on it.
    learned: TrainingRows  # the rows that batches are drawn from
    predictor: Predictor
    batches: Batches
    description: Mapping[str, Any]  # of the data, as data.json keeps it

    @property
    def plan(self) -> Plan:
        """How the config says to train the net."""
        config = self.config
        return Plan(
            config.optimizer,
            config.lr,
            config.schedule,
            config.penalty,
            config.clip,
            config.accumulate,
            config.averaging,
            config.log_every,
            config.seed,
            compiles=self.batches.window is None,
            threads=self.threads,
        )

    def trainer(self, callbacks: Sequence[Callback], evaluate: Callable[[], LogRow] = dict, **changes: Any) -> Trainer:
        """Return a trainer for the net; `changes` replace fields of the plan."""
        return Trainer(self.predictor.model, self.batches, replace(self.plan, **changes), callbacks, evaluate)

    @property
    def threads(self) -> int:
        """How many make a product in training."""
        return self.predictor.threads(self.batches.size)

    @property
    def cautions(self) -> list[str]:
        """What to say before it is trained."""
        of_data = cautions(self.description, self.batches.size)
        return [*of_data, *([self.warning] if self.warning else [])]

    @property
    def warning(self) -> str:
        """What to say of a net that is large for its rows; else nothing."""
        n_parameters, n_rows = self.predictor.model.n_parameters // self.config.members, len(self.learned)
        if n_parameters <= n_rows or self.config.holdout is not None:  # which shows when it does
            return ""
        net = "the net" if self.config.members == 1 else "each net"
        return f"{net} has {n_parameters:,} parameters for {n_rows:,} training rows; it may learn them by heart"


def prepare(config: Config, loaded: LoadedData | None = None, encoder: Encoder | None = None) -> Experiment:
    """Read the data, split it, fit the preprocessing on the training rows, and build the net.

    What has been gathered for the config is not read again, and an encoder that has been fitted is not fitted anew.
    Raises `DataError` or `ConfigError` when data and config do not go together; nothing has been written then.
    """
    loaded = loaded or load_data(config)
    table, rows, drawn = _to_fit(loaded, config)
    encoder = encoder or Encoder.fit(
        table,
        rows,
        loaded.kinds,
        config.dataset.target_columns(),
        loaded.classes,
        config.preprocessing,
        loaded.class_weights,
        config.seed,
        drawn,
    )
    config.check(encoder.facts, table.name)
    predictor = Predictor(config, encoder)
    batches = _batches(config, predictor, len(loaded.rows["train"]), loaded.budget)
    stored = _store(predictor, loaded, loaded.budget) if loaded.budget is not None else None
    splits = encode_splits(predictor, loaded, stored)
    learned = _rows(splits, config.members) if stored is None else stored
    _require_figures(config, splits, tuple(map(text_of, loaded.classes or ())))
    description = _describe(loaded, table, rows, encoder, splits, config.dataset.weight_column())
    return Experiment(config, splits, learned, predictor, batches, description)


def _to_fit(loaded: LoadedData, config: Config) -> tuple[Table, Array, RowSample | None]:
    """A table and those of its rows that preprocessing is fitted to: all training rows, where they are in memory.

    Else as many of them as the budget allows, drawn at random, and every row that brings a new word.
    """
    if loaded.budget is None:
        return loaded.readers["train"].survey, loaded.rows["train"], None
    n = len(loaded.rows["train"])
    drawn = np.zeros(n, bool)
    most = loaded.budget.rows(8 * len(loaded.kinds))
    drawn[random_stream(config.seed, "sample").choice(n, min(n, most), replace=False)] = True
    words = {name: set[str | None]() for name, kind in loaded.kinds.items() if kind == "category"}
    tables, taken = [], []
    for block, places, start in loaded.blocks("train"):
        wanted = drawn[start : start + len(places)]
        for name, seen in words.items():
            texts = block.texts(name)[places]
            first = np.unique(texts.codes, return_index=True)
            cells = [None if code < 0 else str(texts.distinct[code]) for code in first[0].tolist()]
            wanted[[place for cell, place in zip(cells, first[1].tolist(), strict=True) if cell not in seen]] = True
            seen.update(cells)
        if wanted.any():
            tables.append(replace(block.take(places[wanted]), find=None))  # what finds holds all of the block
            taken.append(start + np.flatnonzero(wanted))
    chosen = np.concatenate(taken)
    finder = CellFinder(loaded.readers["train"].blocks, loaded.rows["train"][chosen])
    table = replace(concatenate_tables(tables), find=finder.find)
    return table, np.arange(table.n_rows), RowSample(chosen, n)


def encode_splits(predictor: Predictor, loaded: LoadedData, stored: RowsOnDisk | None = None) -> dict[str, EncodedRows]:
    """The rows of each split that has any, as arrays: those that count, or as many of them as figures are taken of.

    All rows of the training split are put into `stored`, if there is one.
    """
    if loaded.budget is not None:
        return _sampled_splits(predictor, loaded, loaded.budget, stored)
    splits = {}
    for split in SPLITS:
        n = len(loaded.rows[split])
        whole: EncodedRows | None = None
        for here, encoded in _encoded(predictor, loaded, split):
            if len(encoded) == n:
                whole = encoded
            else:
                whole = whole or encoded.room_for(n)
                whole.put(here, encoded)
        if whole is not None:
            splits[split] = whole.counting()
            if not len(splits[split]):
                raise weightless(loaded.readers[split].name, split)
    if predictor.spec.holdout is not None:
        train = splits.pop("train")
        held_out = replace(train, member=_folds(predictor.spec, loaded, train))
        splits = {"train": train, "validation": held_out, **splits}
    return splits


def _folds(config: Config, loaded: LoadedData, train: EncodedRows) -> Array:
    """Which member each training row is kept from, (rows,)."""
    if len(loaded.rows["validation"]):
        message = "holdout leaves no need for validation rows, and the split names some"
        raise config.error([Fault(("holdout",), message)])
    if len(train) < config.members:
        few = f"{counted(len(train), 'training row')} cannot be dealt into a fold for each of {config.members}"
        raise config.error([Fault(("members",), few)])
    table, rows, classes = loaded.readers["train"].survey, loaded.rows["train"], train.truth
    return deal_rows(table, rows, config.split.group, classes if loaded.classes else None, config.members, config.seed)


def _rows(splits: Mapping[str, EncodedRows], members: int) -> RowsInMemory:
    """What is trained on; for all members together, with those that are kept from it, a row counts as ever."""
    train, held_out = splits["train"], splits.get("validation", splits["train"]).member
    if held_out is None:
        return RowsInMemory(*train.arrays)
    weight = (held_out[:, None] != np.arange(members)) * (members / (members - 1))
    weight *= 1 if train.weight is None else train.weight[:, None]
    return RowsInMemory(train.X, train.y, weight.astype(train.X.dtype))


def _encoded(
    predictor: Predictor, loaded: LoadedData, split: str, chosen: Array | None = None
) -> Iterator[tuple[slice, EncodedRows]]:
    """The rows of a split, or those that are `chosen` (rows,), block by block: where in the split, and their arrays."""
    n_rows = len(loaded.rows["train"])
    folds = predictor.encoder.assign_folds(n_rows, predictor.spec.seed) if split == "train" else {}
    for block, places, start in loaded.blocks(split):
        here = slice(start, start + len(places))
        wanted = slice(None) if chosen is None else chosen[here]
        places = places[wanted]
        if len(places):
            table = block if len(places) == block.n_rows else block.take(places)
            yield here, predictor.encode(table, {name: fold[here][wanted] for name, fold in folds.items()})


def _store(predictor: Predictor, loaded: LoadedData, budget: Budget) -> RowsOnDisk:
    """A place on disk for the training rows."""
    config, model = predictor.spec, predictor.model
    weighted = bool(config.dataset.weight_column() or loaded.class_weights)
    window = 2 * budget.window(predictor.row_bytes)
    return RowsOnDisk(model.input_shape[0], model.output_shape[0], weighted, model.dtype, window)


def _sampled_splits(
    predictor: Predictor, loaded: LoadedData, budget: Budget, stored: RowsOnDisk | None
) -> dict[str, EncodedRows]:
    """Of each split as many rows as the budget allows."""
    most = budget.rows(4 * predictor.row_bytes + 64 * predictor.model.output_shape[0])
    judged: dict[str, list[EncodedRows]] = {}
    sampled = []
    for split in SPLITS:
        n = len(loaded.rows[split])
        chosen = np.zeros(n, bool)
        chosen[np.linspace(0, n - 1, min(n, most)).astype(np.intp)] = True
        if most < n:
            sampled.append(f"{most:,} of {n:,} {split} rows")
        storing = stored if split == "train" else None
        for here, encoded in _encoded(predictor, loaded, split, chosen if storing is None else None):
            if storing is not None:
                storing.append(*encoded.arrays)
                encoded = encoded.take(np.flatnonzero(chosen[here]))
            judged.setdefault(split, []).append(encoded)
    if sampled:
        message = f"more rows than memory_limit holds: figures are those of {listing(sampled)}, evenly spread"
        warnings.warn(message, NnfsWarning, stacklevel=4)
    return {split: EncodedRows.joined(encoded).counting() for split, encoded in judged.items()}


def _batches(config: Config, predictor: Predictor, n_rows: int, budget: Budget | None) -> Batches:
    """The order of the rows. Raises `ConfigError` when a batch needs more of them than there are, or fit in memory."""
    size = n_rows if config.batch_size == "full" else int(config.batch_size or n_rows)
    needs, window = predictor.model.layers.neediest, None
    if budget is not None:
        window = budget.window(predictor.row_bytes)
        if config.replacement or size > window:
            key = "replacement" if config.replacement else "batch_size"
            message = (
                f"{n_rows:,} training rows are more than memory_limit holds, and {key} asks for any of them at once"
            )
            raise config.error([Fault((key,), message)])
    drawing = (config.shuffle, config.replacement, config.drop_last, config.seed)
    batches = Batches(n_rows, size, *drawing, needs.min_batch, window)
    if not batches.steps:
        message = f"{counted(n_rows, 'training row')} do not fill one batch of {size}, and drop_last leaves it out"
        raise config.error([Fault(("batch_size",), message)])
    if n_rows < needs.min_batch:
        message = f"{needs.name} needs {needs.min_batch} rows a batch, and there is {counted(n_rows, 'training row')}"
        raise config.error([Fault(("layers",), message)])
    return batches


def _require_figures(config: Config, splits: Mapping[str, EncodedRows], classes: tuple[str, ...]) -> None:
    """Raise `ConfigError` if the log will not have a figure that is monitored, or will have one of them twice."""
    monitored = monitors(config.early_stopping, config.checkpoint, config.schedule, config.callbacks)
    faults = unlogged_figures(monitored, config.metrics or (), classes, validated="validation" in splits)
    if faults:
        raise config.error(faults)


def _describe(
    loaded: LoadedData,
    table: Table,
    rows: Array,
    encoder: Encoder,
    splits: Mapping[str, EncodedRows],
    weight: str | None,
) -> dict[str, Any]:
    """The data as data.json keeps it; `rows` of the table are what preprocessing was fitted to."""
    truth = {split: encoded.truth for split, encoded in splits.items() if encoded.member is None}
    return {
        "name": loaded.readers["train"].name,
        "sha256": {split: reader.sha256 for split, reader in loaded.readers.items()},
        "rows": {split: len(rows) for split, rows in loaded.rows.items() if len(rows)},
        "inputs": [
            profile(Table(table.name, {name: table.column(name)[rows]}), name, kind)
            for name, kind in encoder.kinds.items()
        ],
        "targets": [
            {
                "name": name,
                "kind": "class",
                "counts": {split: _counts(encoder.classes, y) for split, y in truth.items()},
            }
            if encoder.classes
            else {"name": name, "kind": "number", **_range(truth["train"][:, i])}
            for i, name in enumerate(encoder.targets)
        ],
        "weights": {
            "column": weight,
            "classes": dict(zip(map(text_of, encoder.classes or ()), encoder.class_weights or (), strict=False)),
        },
        "fitted": encoder.to_json(),
    }


def _counts(classes: tuple[Label, ...], truth: Array) -> dict[str, int]:
    return dict(zip(map(text_of, classes), np.bincount(truth, minlength=len(classes)).tolist(), strict=True))


def _range(values: Array) -> dict[str, float]:
    return {"min": float(values.min()), "max": float(values.max())}
