"""The rows of each split as arrays: all of them, or as many as the memory allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import deal_rows
from nnfs_cli.data.inputs import RowSample
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.table import Table, concatenate_tables
from nnfs_cli.data.training_rows import RowsInMemory, RowsOnDisk
from nnfs_cli.errors import Fault
from nnfs_cli.experiment.read_data import Budget, LoadedData, no_weight
from nnfs_cli.experiment.table_reader import CellFinder
from nnfs_cli.experiment.warnings import sampled_rows
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted


def rows_to_fit(loaded: LoadedData, config: Config) -> tuple[Table, Array, RowSample | None]:
    """Return a table, and the indices of its rows that preprocessing is fitted to.

    These are all training rows if they are in memory. Otherwise they are as many as the budget allows, drawn at random,
    and every row with a new category; the sample says which rows they are.
    """
    if loaded.budget is None:
        return loaded.readers["train"].survey, loaded.rows["train"], None
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
            splits[split] = whole.with_weight()
            if not len(splits[split]):
                raise no_weight(loaded.readers[split].name, split)
    if predictor.config.holdout is not None:
        train = splits.pop("train")
        held_out = replace(train, member=_folds(predictor.config, loaded, train))
        splits = {"train": train, "validation": held_out, **splits}
    return splits


def rows_on_disk(predictor: Predictor, loaded: LoadedData, budget: Budget) -> RowsOnDisk:
    """Return an empty store on disk for the training rows."""
    config, model = predictor.config, predictor.model
    weighted = bool(config.dataset.weight_column() or loaded.class_weights)
    window = 2 * budget.window(predictor.row_bytes)
    return RowsOnDisk(model.input_shape[0], model.output_shape[0], weighted, model.dtype, window)


def rows_in_memory(splits: Mapping[str, EncodedRows], members: int) -> RowsInMemory:
    """Return the training rows. With a holdout, each member gives weight 0 to its own fold.

    The weights of the other folds grow, so that the mean weight of a row over the members stays the same.
    """
    train, held_out = splits["train"], splits.get("validation", splits["train"]).member
    if held_out is None:
        return RowsInMemory(*train.arrays)
    weight = (held_out[:, None] != np.arange(members)) * (members / (members - 1))
    weight *= 1 if train.weight is None else train.weight[:, None]
    return RowsInMemory(train.X, train.y, weight.astype(train.X.dtype))


def _folds(config: Config, loaded: LoadedData, train: EncodedRows) -> Array:
    """Return for each training row the member that does not train on it, (rows,)."""
    if len(loaded.rows["validation"]):
        message = "holdout scores each member on its own fold, but the split names separate validation rows"
        raise config.error([Fault(("holdout",), message)])
    if len(train) < config.members:
        few = f"{counted(len(train), 'training row')} cannot be divided into {config.members} folds, one per member"
        raise config.error([Fault(("members",), few)])
    table, rows, classes = loaded.readers["train"].survey, loaded.rows["train"], train.truth
    return deal_rows(table, rows, config.split.group, classes if loaded.classes else None, config.members, config.seed)


def _encoded(
    predictor: Predictor, loaded: LoadedData, split: str, chosen: Array | None = None
) -> Iterator[tuple[slice, EncodedRows]]:
    """Yield the rows of a split, or the `chosen` (rows,) ones, in blocks, each with its place in the split."""
    n_rows = len(loaded.rows["train"])
    folds = predictor.encoder.assign_folds(n_rows, predictor.config.seed) if split == "train" else {}
    for block, indices, start in loaded.blocks(split):
        here = slice(start, start + len(indices))
        wanted = slice(None) if chosen is None else chosen[here]
        indices = indices[wanted]
        if len(indices):
            table = block if len(indices) == block.n_rows else block.take(indices)
            yield here, predictor.encode(table, {name: fold[here][wanted] for name, fold in folds.items()})


def _encode_samples(
    predictor: Predictor, loaded: LoadedData, budget: Budget, stored: RowsOnDisk | None
) -> dict[str, EncodedRows]:
    """Return as many rows of each split as the budget allows, and append all training rows to `stored`, if given."""
    most = budget.rows(4 * predictor.row_bytes + 64 * predictor.model.output_shape[0])
    blocks: dict[str, list[EncodedRows]] = {}
    samples = []
    for split in SPLITS:
        n = len(loaded.rows[split])
        chosen = np.zeros(n, bool)
        chosen[np.linspace(0, n - 1, min(n, most)).astype(np.intp)] = True
        if most < n:
            samples.append(f"{most:,} of {n:,} {split} rows")
        store = stored if split == "train" else None
        for here, encoded in _encoded(predictor, loaded, split, chosen if store is None else None):
            if store is not None:
                store.append(*encoded.arrays)
                encoded = encoded.take(np.flatnonzero(chosen[here]))
            blocks.setdefault(split, []).append(encoded)
    if samples:
        warn(sampled_rows(samples))
    return {split: EncodedRows.concatenate(encoded).with_weight() for split, encoded in blocks.items()}
