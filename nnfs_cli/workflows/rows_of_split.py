"""The rows of a table that the encoded rows of a split come from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor


def rows_of_split(
    loaded: LoadedData, predictor: Predictor, encoded: Mapping[str, EncodedRows], split: str
) -> tuple[Table, Array] | None:
    """Return the table that holds the encoded rows of a split, and their numbers in it, (rows,), from 0.

    None if they are not all there, as when only a sample was encoded.
    """
    encoder, folds = predictor.encoder, encoded["train"].folds
    of_folds = split == "validation" and predictor.config.holdout is not None
    source = "train" if of_folds else split
    table, rows = loaded.readers[source].survey, loaded.rows[source]
    if encoder.class_weights:  # rows of classes that weigh nothing are left out
        targets = Table(table.name, {name: table.column(name)[rows] for name in encoder.targets})
        rows = rows[np.array(encoder.class_weights)[encoder.truth(targets)] != 0]
    if of_folds and folds is not None and folds.forward:
        rows = rows[np.flatnonzero(folds.fold >= 0)]
    return (table, rows) if len(rows) == len(encoded[split]) else None
