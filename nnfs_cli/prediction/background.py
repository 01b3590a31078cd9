"""The training rows that stand for all others where a prediction is explained: the background."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import random_stream


def draw_background(predictor: Predictor, train: EncodedRows, n: int) -> Array:
    """Return the inputs (n, features) of some training rows, or of all if there are no more than n.

    They are drawn by the seed of the config. A row of weight 2 is as likely as two rows; class weights do not count.
    """
    weight = predictor.own_weight(train.weight, train.truth)
    share = None if weight is None else weight.astype(np.float64) / weight.sum(dtype=np.float64)
    most = len(train) if share is None else np.count_nonzero(share)
    rng = random_stream(predictor.config.seed, "background")
    return train.X[rng.choice(len(train), min(n, most), replace=False, p=share)]
