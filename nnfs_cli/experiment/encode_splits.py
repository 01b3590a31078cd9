"""The rows of each split as arrays: all of them, or as many as the memory allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import Folds
from nnfs_cli.data.gap import instants
from nnfs_cli.data.inputs import RowSample
from nnfs_cli.data.labels import combinations
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.data.training_rows import RowsInMemory, RowsOnDisk
from nnfs_cli.errors import Fault
from nnfs_cli.experiment.holdout import deal_training_rows, rows_of_all
from nnfs_cli.experiment.read_data import Budget, LoadedData, no_weight
from nnfs_cli.experiment.table_reader import CellFinder
from nnfs_cli.experiment.warnings import sampled_rows
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.warn import warn


def rows_to_fit(loaded: LoadedData, config: Config) -> tuple[Table, Array, RowSample | None]:
    """Return a table, and the indices of its rows that preprocessing is fitted to.

    These are all training rows if they are in memory, or with forward folds the rows before them. Otherwise they are as
    many as the budget allows, drawn at random, and every row with a new category; the sample says which rows they are.
    """
    if loaded.budget is None:
        table = loaded.readers["train"].survey
        return table, rows_of_all(config, table, loaded.rows["train"]), None
    n = len(loaded.rows["train"])
    drawn = np.zeros(n, bool)
    most = loaded.budget.rows(8 * len(loaded.kinds))
    drawn[random_stream(config.seed, "sample").choice(n, min(n, most), replace=False)] = True
    known = {name: set[str | None]() for name, kind in loaded.kinds.items() if kind == "category"}
    tables, taken = [], []
    for block, indices, start in loaded.blocks("train"):
        wanted = drawn[start : start + len(indices)]
        for name, seen in known.items():
            texts = block.texts(name)[indices]
            codes, first = np.unique(texts.codes, return_index=True)
            categories = [None if code < 0 else str(texts.distinct[code]) for code in codes.tolist()]
            wanted[[at for category, at in zip(categories, first.tolist(), strict=True) if category not in seen]] = True
            seen.update(categories)
        if wanted.any():
            tables.append(replace(block.take(indices[wanted]), find=None))  # `find` would keep the whole block
            taken.append(start + np.flatnonzero(wanted))
    chosen = np.concatenate(taken)
    finder = CellFinder(loaded.readers["train"].blocks, loaded.rows["train"][chosen])
    table = replace(concatenate_tables(tables), find=finder.find)
    return table, np.arange(table.n_rows), RowSample(chosen, n)


def encode_splits(predictor: Predictor, loaded: LoadedData, stored: RowsOnDisk | None = None) -> dict[str, EncodedRows]:
    """Return the rows of each split that has any, without rows of weight 0.

    If there is a budget, return a sample of each split, and append all training rows to `stored`, if given.
    """
    if loaded.budget is not None:
        return _encode_samples(predictor, loaded, loaded.budget, stored)
    splits = {}
    for split in SPLITS:
        n = len(loaded.rows[split])
        whole: EncodedRows | None = None
        for here, encoded in _encoded(predictor, loaded, split):
            if len(encoded) == n:
                whole = encoded
            else:
                whole = whole or encoded.empty_like(n)
                whole.put(here, encoded)
        if whole is not None:
            group, time = _groups(predictor.config, loaded, split), _times(predictor.config, loaded, split)
            splits[split] = replace(whole, group=group, time=time).with_weight()
            if not len(splits[split]):
                raise no_weight(loaded.readers[split].name, split)
    if predictor.config.holdout is not None:
        train = splits.pop("train")
        folds = _folds(predictor.config, loaded, train)
        held_out = replace(train, member=folds.fold)
        if folds.forward:
            held_out = held_out.take(np.flatnonzero(folds.fold >= 0))
        splits = {"train": replace(train, folds=folds), "validation": held_out, **splits}
    return splits


def rows_on_disk(predictor: Predictor, loaded: LoadedData, budget: Budget) -> RowsOnDisk:
    """Return an empty store on disk for the training rows."""
    config, model = predictor.config, predictor.model
    weighted = bool(config.dataset.weight_column() or config.dataset.exposure_column() or loaded.class_weights)
    window = 2 * budget.window(predictor.row_bytes)
    return RowsOnDisk(model.input_shape[0], model.output_shape[0], weighted, model.dtype, window)


def rows_in_memory(train: EncodedRows, members: int) -> RowsInMemory:
    """Return the training rows. With a holdout, each member gives weight 0 to the rows that it does not train on.

    The weights of its other rows grow. At random, the mean weight of a row over the members stays the same. With
    forward folds, the mean weight of a member is 1, so that it depends on no later row.
    """
    folds, own = train.folds, np.ones((len(train), 1)) if train.weight is None else train.weight[:, None]
    if folds is None:
        return RowsInMemory(*train.arrays)
    weight = folds.trains * own.astype(np.float64)
    weight *= len(train) / weight.sum(axis=0) if folds.forward else members / (members - 1)
    return RowsInMemory(train.X, train.y, weight.astype(train.X.dtype), 1.0 if folds.forward else None)


def _groups(config: Config, loaded: LoadedData, split: str, chosen: Array | None = None) -> Array | None:
    """Return the index of the group of the rows of a split, or of the `chosen` (rows,) ones; None without groups."""
    table, rows, name = loaded.readers[split].survey, loaded.rows[split], config.split.group
    if name is None or name not in table.columns:
        return None
    return table.texts(name).codes[rows if chosen is None else rows[chosen]]


def _folds(config: Config, loaded: LoadedData, train: EncodedRows) -> Folds:
    """Return the folds of the training rows, one for each member."""
    if len(loaded.rows["validation"]):
        message = "holdout scores each member on its own fold, but the split names separate validation rows"
        raise config.error([Fault(("holdout",), message)])
    table, rows = loaded.readers["train"].survey, loaded.rows["train"]
    strata = train.truth if loaded.classes else combinations(train.truth) if loaded.pairs else None
    return deal_training_rows(config, table, rows, strata)


def _encoded(
    predictor: Predictor, loaded: LoadedData, split: str, chosen: Array | None = None
) -> Iterator[tuple[slice, EncodedRows]]:
    """Yield the rows of a split, or the `chosen` (rows,) ones, in blocks, each with its place in the split."""
    folds = _inner_folds(predictor, loaded) if split == "train" else {}
    for block, indices, start in loaded.blocks(split):
        here = slice(start, start + len(indices))
        wanted = slice(None) if chosen is None else chosen[here]
        indices = indices[wanted]
        if len(indices):
            table = block if len(indices) == block.n_rows else block.take(indices)
            yield here, predictor.encode(table, {name: fold[here][wanted] for name, fold in folds.items()})


def _times(config: Config, loaded: LoadedData, split: str) -> Array | None:
    """Return the instants of the rows of a split; None if it is not divided by time."""
    if config.split.time is None or split in config.split.files:
        return None
    return instants(loaded.readers[split].survey, config.split.time)[loaded.rows[split]]


def _inner_folds(predictor: Predictor, loaded: LoadedData) -> dict[str, Array]:
    """Return the folds of the training rows (rows,) for steps that fit by folds; -1 for rows they are not fitted to."""
    encoder, config, rows = predictor.encoder, predictor.config, loaded.rows["train"]
    folds = encoder.assign_folds(len(rows), config.seed)
    if not folds or not config.forward:
        return folds
    fitted = np.isin(rows, rows_of_all(config, loaded.readers["train"].survey, rows))
    for name, fold in encoder.assign_folds(int(fitted.sum()), config.seed).items():
        folds[name] = np.full(len(rows), -1)
        folds[name][fitted] = fold
    return folds


def _encode_samples(
    predictor: Predictor, loaded: LoadedData, budget: Budget, stored: RowsOnDisk | None
) -> dict[str, EncodedRows]:
    """Return as many rows of each split as the budget allows, and append all training rows to `stored`, if given."""
    most = budget.rows(4 * predictor.row_bytes + 64 * predictor.model.output_shape[0])
    blocks: dict[str, list[EncodedRows]] = {}
    groups: dict[str, Array | None] = {}
    samples = []
    for split in SPLITS:
        n = len(loaded.rows[split])
        chosen = np.zeros(n, bool)
        chosen[evenly_spaced(n, most)] = True
        if most < n:
            samples.append(f"{most:,} of {n:,} {split} rows")
        groups[split] = _groups(predictor.config, loaded, split, chosen)
        store = stored if split == "train" else None
        for here, encoded in _encoded(predictor, loaded, split, chosen if store is None else None):
            if store is not None:
                store.append(*encoded.arrays)
                encoded = encoded.take(np.flatnonzero(chosen[here]))
            blocks.setdefault(split, []).append(encoded)
    if samples:
        warn(sampled_rows(samples))
    whole = {split: EncodedRows.concatenate(encoded) for split, encoded in blocks.items()}
    return {split: replace(rows, group=groups[split]).with_weight() for split, rows in whole.items()}
