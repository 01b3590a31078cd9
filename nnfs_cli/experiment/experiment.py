"""Everything that is settled before training begins: which rows, as which arrays, and the net that will learn them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.cross_checks import monitors, no_figure
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.folds import deal_rows
from nnfs_cli.data.inputs import Drawn
from nnfs_cli.data.profile import profile
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.table import Label, Table, concatenate_tables, text_of
from nnfs_cli.data.training_rows import RowsInMemory, RowsOnDisk, TrainingRows
from nnfs_cli.errors import Fault, NnfsWarning
from nnfs_cli.experiment.read_data import Material, Place, Room, gather, weightless
from nnfs_cli.experiment.warnings import cautions
from nnfs_cli.prediction.predictor import Predictor, Samples
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.trainer import Callback, Trainer


@dataclass(frozen=True)
class Experiment:
    """Everything that is settled before training begins: the rows of each split, and the net that will learn them."""

    spec: Config
    parts: Mapping[str, Samples]  # train, and validation and test where there are any: the rows that figures are of;
    # with a holdout the validation rows are those of the training, each with the member that was kept from it
    learned: TrainingRows  # what is trained on
    predictor: Predictor
    batches: Batches
    description: Mapping[str, Any]  # of the data, as data.json keeps it

    def trainer(self, callbacks: Sequence[Callback], **options: Any) -> Trainer:
        """What trains the net as the spec says; `options` are those of `Trainer` that are about watching it."""
        spec = self.spec
        return Trainer(
            self.predictor.model,
            spec.optimizer,
            spec.lr,
            self.batches,
            penalty=spec.penalty,
            clip=spec.clip,
            accumulate=spec.accumulate,
            averaging=spec.averaging,
            seed=spec.seed,
            callbacks=callbacks,
            compiles=self.batches.window is None,
            threads=self.threads,
            **options,
        )

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
        n_parameters, n_rows = self.predictor.model.n_parameters // self.spec.members, len(self.learned)
        if n_parameters <= n_rows or self.spec.holdout is not None:  # which shows when it does
            return ""
        net = "the net" if self.spec.members == 1 else "each net"
        return f"{net} has {n_parameters:,} parameters for {n_rows:,} training rows; it may learn them by heart"


def prepare(spec: Config, material: Material | None = None, encoder: Encoder | None = None) -> Experiment:
    """Read the data, split it, fit the preprocessing on the training rows, and build the net.

    What has been gathered for the spec is not read again, and an encoder that has been fitted is not fitted anew.
    Raises `DataError` or `ConfigError` when data and spec do not go together; nothing has been written then.
    """
    material = material or gather(spec)
    table, rows, drawn = _to_fit(material, spec)
    encoder = encoder or Encoder.fit(
        table,
        rows,
        material.kinds,
        spec.dataset.target_columns(),
        material.classes,
        spec.preprocessing,
        material.class_weights,
        spec.seed,
        drawn,
    )
    spec.check(encoder.facts, table.name)
    predictor = Predictor(spec, encoder)
    batches = _batches(spec, predictor, len(material.rows["train"]), material.room)
    stored = _store(predictor, material, material.room) if material.room is not None else None
    splits = encode_splits(predictor, material, stored)
    learned = _rows(splits, spec.members) if stored is None else stored
    _require_figures(spec, splits, tuple(map(text_of, material.classes or ())))
    description = _describe(material, table, rows, encoder, splits, spec.dataset.weight_column())
    return Experiment(spec, splits, learned, predictor, batches, description)


def _to_fit(material: Material, spec: Config) -> tuple[Table, Array, Drawn | None]:
    """A table and those of its rows that preprocessing is fitted to: all training rows, where they are in memory.

    Else as many of them as there is room for, drawn at random, and every row that brings a new word.
    """
    if material.room is None:
        return material.sources["train"].survey, material.rows["train"], None
    n = len(material.rows["train"])
    drawn = np.zeros(n, bool)
    most = material.room.rows(8 * len(material.kinds))
    drawn[random_stream(spec.seed, "sample").choice(n, min(n, most), replace=False)] = True
    words = {name: set[str | None]() for name, kind in material.kinds.items() if kind == "category"}
    tables, taken = [], []
    for block, places, start in material.blocks("train"):
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
    place = Place(material.sources["train"].blocks, material.rows["train"][chosen])
    table = replace(concatenate_tables(tables), find=place.find)
    return table, np.arange(table.n_rows), Drawn(chosen, n)


def encode_splits(predictor: Predictor, material: Material, stored: RowsOnDisk | None = None) -> dict[str, Samples]:
    """The rows of each split that has any, as arrays: those that count, or as many of them as figures are taken of.

    All rows of the training split are put into `stored`, if there is one.
    """
    if material.room is not None:
        return _sampled_splits(predictor, material, material.room, stored)
    splits = {}
    for split in SPLITS:
        n = len(material.rows[split])
        whole: Samples | None = None
        for here, samples in _encoded(predictor, material, split):
            if len(samples) == n:
                whole = samples
            else:
                whole = whole or samples.room_for(n)
                whole.put(here, samples)
        if whole is not None:
            splits[split] = whole.counting()
            if not len(splits[split]):
                raise weightless(material.sources[split].name, split)
    if predictor.spec.holdout is not None:
        train = splits.pop("train")
        held_out = replace(train, member=_folds(predictor.spec, material, train))
        splits = {"train": train, "validation": held_out, **splits}
    return splits


def _folds(spec: Config, material: Material, train: Samples) -> Array:
    """Which member each training row is kept from, (rows,)."""
    if len(material.rows["validation"]):
        message = "holdout leaves no need for validation rows, and the split names some"
        raise spec.error([Fault(("holdout",), message)])
    if len(train) < spec.members:
        few = f"{counted(len(train), 'training row')} cannot be dealt into a fold for each of {spec.members}"
        raise spec.error([Fault(("members",), few)])
    table, rows, classes = material.sources["train"].survey, material.rows["train"], train.truth
    return deal_rows(table, rows, spec.split.group, classes if material.classes else None, spec.members, spec.seed)


def _rows(splits: Mapping[str, Samples], members: int) -> RowsInMemory:
    """What is trained on; for all members together, with those that are kept from it, a row counts as ever."""
    train, held_out = splits["train"], splits.get("validation", splits["train"]).member
    if held_out is None:
        return RowsInMemory(*train.arrays)
    weight = (held_out[:, None] != np.arange(members)) * (members / (members - 1))
    weight *= 1 if train.weight is None else train.weight[:, None]
    return RowsInMemory(train.X, train.y, weight.astype(train.X.dtype))


def _encoded(
    predictor: Predictor, material: Material, split: str, chosen: Array | None = None
) -> Iterator[tuple[slice, Samples]]:
    """The rows of a split, or those that are `chosen` (rows,), block by block: where in the split, and their arrays."""
    n_rows = len(material.rows["train"])
    folds = predictor.encoder.folds(n_rows, predictor.spec.seed) if split == "train" else {}
    for block, places, start in material.blocks(split):
        here = slice(start, start + len(places))
        wanted = slice(None) if chosen is None else chosen[here]
        places = places[wanted]
        if len(places):
            table = block if len(places) == block.n_rows else block.take(places)
            yield here, predictor.encode(table, {name: fold[here][wanted] for name, fold in folds.items()})


def _store(predictor: Predictor, material: Material, room: Room) -> RowsOnDisk:
    """A place on disk for the training rows."""
    spec, model = predictor.spec, predictor.model
    weighted = bool(spec.dataset.weight_column() or material.class_weights)
    window = 2 * room.window(predictor.row_bytes)
    return RowsOnDisk(model.input_shape[0], model.output_shape[0], weighted, model.dtype, window)


def _sampled_splits(
    predictor: Predictor, material: Material, room: Room, stored: RowsOnDisk | None
) -> dict[str, Samples]:
    """Of each split as many rows as there is room for."""
    most = room.rows(4 * predictor.row_bytes + 64 * predictor.model.output_shape[0])
    judged: dict[str, list[Samples]] = {}
    sampled = []
    for split in SPLITS:
        n = len(material.rows[split])
        chosen = np.zeros(n, bool)
        chosen[np.linspace(0, n - 1, min(n, most)).astype(np.intp)] = True
        if most < n:
            sampled.append(f"{most:,} of {n:,} {split} rows")
        storing = stored if split == "train" else None
        for here, samples in _encoded(predictor, material, split, chosen if storing is None else None):
            if storing is not None:
                storing.append(*samples.arrays)
                samples = samples.take(np.flatnonzero(chosen[here]))
            judged.setdefault(split, []).append(samples)
    if sampled:
        message = f"more rows than memory_limit holds: figures are those of {listing(sampled)}, evenly spread"
        warnings.warn(message, NnfsWarning, stacklevel=4)
    return {split: Samples.joined(samples).counting() for split, samples in judged.items()}


def _batches(spec: Config, predictor: Predictor, n_rows: int, room: Room | None) -> Batches:
    """The order of the rows. Raises `ConfigError` when a batch needs more of them than there are, or fit in memory."""
    size = n_rows if spec.batch_size == "full" else int(spec.batch_size or n_rows)
    needs, window = predictor.model.layers.neediest, None
    if room is not None:
        window = room.window(predictor.row_bytes)
        if spec.replacement or size > window:
            key = "replacement" if spec.replacement else "batch_size"
            message = (
                f"{n_rows:,} training rows are more than memory_limit holds, and {key} asks for any of them at once"
            )
            raise spec.error([Fault((key,), message)])
    batches = Batches(n_rows, size, spec.shuffle, spec.replacement, spec.drop_last, spec.seed, needs.min_batch, window)
    if not batches.steps:
        message = f"{counted(n_rows, 'training row')} do not fill one batch of {size}, and drop_last leaves it out"
        raise spec.error([Fault(("batch_size",), message)])
    if n_rows < needs.min_batch:
        message = f"{needs.name} needs {needs.min_batch} rows a batch, and there is {counted(n_rows, 'training row')}"
        raise spec.error([Fault(("layers",), message)])
    return batches


def _require_figures(spec: Config, splits: Mapping[str, Samples], classes: tuple[str, ...]) -> None:
    """Raise `ConfigError` when the log is not going to have a figure that is watched, or one of them twice."""
    prefix, other = ("val_", "train_") if "validation" in splits else ("train_", "val_")
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


def _describe(
    material: Material,
    table: Table,
    rows: Array,
    encoder: Encoder,
    splits: Mapping[str, Samples],
    weight: str | None,
) -> dict[str, Any]:
    """The data as data.json keeps it; `rows` of the table are what preprocessing was fitted to."""
    truth = {split: samples.truth for split, samples in splits.items() if samples.member is None}
    return {
        "name": material.sources["train"].name,
        "sha256": {split: source.sha256 for split, source in material.sources.items()},
        "rows": {split: len(rows) for split, rows in material.rows.items() if len(rows)},
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
