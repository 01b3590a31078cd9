"""A config for a table, as good as a net can be that has never seen one like it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.split import Split
from nnfs_cli.nn.losses import Loss
from nnfs_cli.presets.base import Preset, Seen
from nnfs_cli.training.optimizers import Minimizer

MANY = 50  # different words that are too many for an input each
INDICATORS = {"one_hot": {"unseen": "other"}}  # which words have,
VECTORS = {"embedding": {"min_frequency": 2, "unseen": "other"}}  # and many words
STEPS = 2_500  # that training has about,
EPOCHS = (30, 200)  # unless these are fewer or more,
MOST = 5_000  # and at most
WIDEST = 512  # bins of all columns together
FEW = 1_000  # rows that are learned more slowly, by more and smaller nets
FEWEST = 16  # rows of which a member is kept from some
LOOKS = 50  # at how good the net is, about
PATIENCE = 10  # of them without a better one


class Tabular(Preset, name="tabular"):
    """Some small nets, each kept from a fold of the rows, that see numbers scaled and in bins.

    - Numbers are seen twice: robustly scaled and smoothly clipped, and through rows^(2/3) / 20 bins of equally many
      rows, at most 512 for all columns; gaps get the median and an input of their own. Words are one-hot, or learned
      vectors where there are many; a target of numbers is standardised, and predictions stay within its range.
    - Two hidden layers of 80 with relu and dropout 0.1, in eight members, or of 32 in sixteen for less than 1,000 rows,
      and a linear way beside them; the mean of the members is predicted, and the epoch chosen by what each says of the
      rows that it was kept from.
    - AdamW with beta2 0.95 at a rate of 0.002, or 0.001 for less than 1,000 rows, with a warm-up, flat to 40 % and then
      along a cosine to 0; a weight decay of 1.5 / (rate x steps), so that weights forget about as much in any training;
      an average of the weights; about 2,500 steps, in 30 to 200 epochs.

    With validation rows, or a memory limit, there is no holdout; less than 16 rows are all trained on, and nothing says
    how good the net is. Sources: Holzmüller, Grinsztajn and Steinwart, "Better by Default" (2024); Gorishniy, Rubachev
    and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022); Cheng et al., "Wide & Deep
    Learning for Recommender Systems" (2016); Wang and Aitchison, "How to Set AdamW's Weight Decay as You Scale Model
    and Dataset Size" (2024).
    """

    examples = ("tabular",)

    def fill(self, given: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
        """Everything but the dataset and what it takes no part in."""
        loss: Loss = given.get("loss") or Loss.resolve(_loss(seen))
        members = 8 if seen.n_rows >= FEW else 16 if seen.n_rows >= 80 else 4
        batch = given.get("batch_size") or _batch(seen.n_rows)
        per_epoch = max(1, math.ceil(seen.n_rows / batch)) if batch != "full" else 1
        epochs = given.get("epochs") or _epochs(per_epoch)
        split: Split = given.get("split") or Split()
        steps = not isinstance(given.get("optimizer"), Minimizer)  # which goes its own way
        alone = given.get("members", members) == 1 or given.get("memory_limit") or seen.n_rows < FEWEST
        holdout = steps and not alone and split.column is None and split.without_default_validation().validation == 0
        settings: dict[str, Any] = {
            "layers": _layers(loss, seen, dropout=steps),
            "loss": loss.brief(),
            "epochs": epochs,
            "log_every": max(1, round(epochs / LOOKS)),
            "averaging": {"ema": 0.99 if per_epoch * epochs >= 200 else 0.9},
        }
        if seen.n_rows < FEWEST and "split" not in given:
            settings["split"] = {"validation": 0}
        elif holdout or (split.column is None and split.validation != 0):
            settings["early_stopping"] = PATIENCE
        if steps:
            settings |= {
                "members": members,
                "holdout": "fold" if holdout else None,
                "batch_size": batch,
                "schedule": {"cosine": {"hold": 0.4, "warmup": min(1, epochs // 2)}},
            }
        if steps and "optimizer" not in given:
            lr = given.get("lr") or (0.001 if seen.n_rows < FEW else 0.002)
            decay = float(f"{1.5 / (lr * per_epoch * epochs):.2g}")
            settings |= {"optimizer": {"adamw": {"beta2": 0.95, "weight_decay": decay}}, "lr": lr}
        left = {key: value for key, value in settings.items() if key not in given}
        return {**left, "preprocessing": _preprocessing(given.get("preprocessing") or Preprocessing(), loss, seen)}


def _loss(seen: Seen) -> str:
    return "mse" if not seen.n_classes else "binary_cross_entropy" if seen.n_classes == 2 else "cross_entropy"


def _batch(n_rows: int) -> int:
    sizes = {400: 32, 1_500: 64, 4_000: 128, 100_000: 256}
    return next((size for n, size in sizes.items() if n_rows < n), 512)


def _epochs(per_epoch: int) -> int:
    low, high = EPOCHS
    return min(max(round(STEPS / per_epoch), low), high, max(MOST // per_epoch, 3))


def _layers(loss: Loss, seen: Seen, dropout: bool) -> list[Any]:
    hidden = [
        {"linear": {"units": 32 if seen.n_rows < FEW else 80, "init": "he_normal"}},
        "relu",
        *([{"dropout": 0.1}] if dropout else []),
    ]
    last = {"linear": loss.n_outputs(seen.n_classes or None, seen.n_targets)}
    deep = {"residual": [*hidden, *hidden, last]}  # beside which there is a linear way
    return [deep, *([loss.activation.name] if loss.activation else [])]


def _preprocessing(given: Preprocessing, loss: Loss, seen: Seen) -> dict[str, Any]:
    bins = min(max(round(seen.n_rows ** (2 / 3) / 20), 2), WIDEST // max(seen.n_numbers, 1))
    in_bins = [{"piecewise_linear": bins}] if bins > 1 else []
    settings: dict[str, Any] = {
        "numbers": ["impute", {"views": [["robust", "smooth_clip"], *in_bins]}],
        "categories": INDICATORS,
        "dates": "calendar",
    }
    crowded = ["impute", {"views": [["log1p", "standardize", "smooth_clip"], *in_bins]}]
    columns = dict.fromkeys(seen.crowded, crowded if "numbers" not in given.model_fields_set else None)
    columns |= {
        name: VECTORS if "categories" not in given.model_fields_set else None
        for name, different in seen.words.items()
        if different > MANY
    }
    columns = {name: steps for name, steps in columns.items() if steps and name not in given.columns}
    if columns:
        settings["columns"] = columns
    if loss.task == "regression" and loss.target_range is None:
        settings["target"] = ["clamp", "standardize"]
    return {key: value for key, value in settings.items() if key == "columns" or key not in given.model_fields_set}
