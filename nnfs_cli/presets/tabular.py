"""The preset for tables: strong defaults for any table, without tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field

from nnfs_cli.blend.blend import SUPPORTED
from nnfs_cli.blend.constant import Constant
from nnfs_cli.blend.folded_rows import most_sets
from nnfs_cli.blend.forest import Forest
from nnfs_cli.blend.linear import LinearModel
from nnfs_cli.blend.trees import Trees
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.split import Split
from nnfs_cli.nn.layers.ascending import Ascending
from nnfs_cli.nn.losses import Loss
from nnfs_cli.presets.base import Preset, TableFacts
from nnfs_cli.training.optimizers import Minimizer

MANY_CATEGORIES = 50  # a column with more categories gets learned vectors instead of indicators
DATES = {"calendar": {"unseen": "empty"}}
ONE_HOT = {"one_hot": {"unseen": "other"}}
EMBEDDING = {"embedding": {"min_frequency": 2, "unseen": "other"}}
EPOCH_RANGE = (30, 200)  # limits of the number of epochs, which take precedence over the usual number of steps
MAX_STEPS = 3  # times the usual number of steps, a limit that takes precedence over EPOCH_RANGE
FEW_ROWS = 100  # with at most so many, an epoch has few steps, and
LEAST_STEPS = 600  # of them are needed, which takes precedence over EPOCH_RANGE
MAX_BINS = 512  # bins of all columns together
MANY_ROWS = 10_000  # from which on a forest has fewer trees
MANY_CLASSES = 50  # with more of them, blended models take too long
FOREST_LEAVES = 2_500, 10_000  # the most leaves of a tree of the forest, for numbers and for classes
LARGE_TABLE = (
    250_000  # with as many rows, each epoch has thousands of steps: larger batches without dropout learn more,
)
LARGE_BINS = 256  # and with fewer bins of all columns together, an epoch takes half the time
SMALL_TABLE = 1_000  # with fewer rows, the ensemble has more and smaller nets and a lower learning rate
MIN_HOLDOUT_ROWS = 16  # with fewer rows, all of them train
LOGGED_EPOCHS = 50  # approximate number of epochs that are evaluated and logged
PATIENCE = 10  # logged epochs without improvement before training stops


class Effort(NamedTuple):
    """How much is computed, with blended models beside the nets."""

    members: int  # of the ensemble; twice as many with few rows
    steps: int  # the usual length of training
    rounds: int  # of boosting, at most
    trees_lr: float
    forest: int  # trees

    def members_for(self, n_rows: int) -> int:
        """Return how many members an ensemble for this many training rows has."""
        return 4 if n_rows < 80 else self.members * (1 if n_rows >= SMALL_TABLE else 2)

    def of_nets_alone(self) -> Effort:
        """Return the effort without blended models: more nets, which train longer."""
        return self._replace(members=2 * self.members, steps=self.steps * 5 // 3)


EFFORTS = {
    "fast": Effort(4, 1_000, 100, 0.1, 20),
    "default": Effort(4, 1_500, 400, 0.1, 50),
    "best": Effort(8, 2_500, 1_000, 0.05, 200),
}


class Tabular(Preset, name="tabular", main="effort"):
    """An ensemble of small nets, each trained without one fold of the rows, blended with trees.

    - Inputs: each number enters twice, robustly scaled and smoothly clipped, and spread over rows^(2/3) / 20 bins of
      equally many rows, at most 512 bins for all columns. A number over several orders of magnitude enters by its rank
      instead, mapped to a normal distribution, and also standardized if a target of numbers follows its tail. Empty
      cells become the median, and one more input marks them. Categories are one-hot, or learned vectors if a column has
      more than 50 of them. A target of numbers is standardized, and predictions stay within its range, unless the split
      is by time.
    - Net: two hidden layers of 80 units with relu and dropout 0.1, and a linear shortcut beside them, in 4 members.
      Below 1,000 rows, the layers have 32 units, in 8 members (4 below 80 rows). There are twice as many if no other
      models are blended with them. The ensemble predicts the mean of its members. Each member predicts the fold that it
      did not train on, and these predictions choose the best epoch. There are fewer members if the split is by groups,
      and there are fewer groups. If it is by time, a quarter of the members predict the latest quarter of the rows, and
      train on earlier ones only; the others train on all rows.
    - Training: AdamW with beta2 0.95 and a learning rate of 0.002 (0.001 below 1,000 rows), which warms up, stays
      constant for the first 40 % and then falls to 0 along a cosine. The weight decay is 1.5 / (lr x steps), so that it
      has the same effect on trainings of any length. The weights are averaged. Training has about 1,500 steps (2,500
      without blended models), in 30 to 200 epochs, and from 16 to 100 rows at least 600 steps. It has at most three
      times the usual steps, or 3 epochs if they have more.
    - Blend: boosted trees, a forest, a linear and a constant model, each fitted without each fold, join the nets with
      weights that are chosen out of fold, if the loss is cross-entropy, ordinal or mse and there are at most 50
      classes. See `blended models`.
    - From 250,000 rows on, the layers have 128 units and no dropout, a batch has 1,024 rows, and all columns together
      have at most 256 bins. Boosting has half as many trees.

    If the config has validation rows or a memory limit, every member trains on all training rows. Below 16 rows, all
    rows train, and no figure tells how good the net is.
    Sources: Holzmüller, Grinsztajn and Steinwart, "Better by Default" (2024); Gorishniy, Rubachev and Babenko, "On
    Embeddings for Numerical Features in Tabular Deep Learning" (2022); Cheng et al., "Wide & Deep Learning for
    Recommender Systems" (2016); Wang and Aitchison, "How to Set AdamW's Weight Decay as You Scale Model and Dataset
    Size" (2024).
    """

    examples = ("tabular", "tabular: fast", "tabular: {minutes: 5}")

    effort: Literal["fast", "default", "best"] = Field(default="default", kw_only=False)
    """How much to compute: `fast` takes about three quarters of the time of `default`, and `best` two to
    four times as long."""
    minutes: PositiveFloat | None = None
    """Time that training should take, at most. It chooses the effort, by the size of the table and not by the speed of
    the machine, and sets `max_minutes`."""

    def fill(self, given: Mapping[str, Any], facts: TableFacts) -> dict[str, Any]:
        """Return all keys that shape the net and its training, except those that are given."""
        loss: Loss = given.get("loss") or Loss.resolve(_loss(facts))
        effort = EFFORTS[self.effort if self.minutes is None else affordable(60 * self.minutes, facts)]
        split: Split = given.get("split") or Split()
        has_steps = not isinstance(given.get("optimizer"), Minimizer)  # a minimizer has no steps to plan
        most = math.inf if facts.most_folds is None else facts.most_folds
        no_folds = min(given.get("members", most), most) < 2 or facts.n_rows < MIN_HOLDOUT_ROWS
        wants_validation = split.column is not None or split.without_default_validation().validation != 0
        holdout = has_steps and not (no_folds or wants_validation or given.get("memory_limit"))
        blends = holdout and loss.name in SUPPORTED and not (loss.several_labels and facts.n_targets > 1)
        blend = given.get("blend", _blend(facts, effort)) if blends else []
        effort = effort if blend else effort.of_nets_alone()
        members = effort.members_for(facts.n_rows)
        batch = given.get("batch_size") or _batch(facts.n_rows)
        per_epoch = max(1, math.ceil(facts.n_rows / batch)) if batch != "full" else 1
        few = has_steps and MIN_HOLDOUT_ROWS <= facts.n_rows <= FEW_ROWS
        epochs = given.get("epochs") or _epochs(per_epoch, effort.steps, LEAST_STEPS if few else 0)
        settings: dict[str, Any] = {
            "layers": _layers(loss, facts, dropout=has_steps and facts.n_rows < LARGE_TABLE),
            "loss": loss.brief(),
            "epochs": epochs,
            "log_every": max(1, round(epochs / LOGGED_EPOCHS)),
            "averaging": _averaging(per_epoch * epochs),
        }
        if blend:
            settings["blend"] = blend
        if facts.n_rows < MIN_HOLDOUT_ROWS and "split" not in given:
            settings["split"] = {"validation": 0}
        elif holdout or (split.column is None and split.validation != 0):
            settings["early_stopping"] = PATIENCE
        if has_steps:
            settings |= {
                "members": min(members, facts.most_folds or members) if holdout else members,
                "holdout": "fold" if holdout else None,
                "batch_size": batch,
                "schedule": {"cosine": {"hold": 0.4, "warmup": min(1, epochs // 2)}},
            }
        if has_steps and "optimizer" not in given:
            lr = given.get("lr") or (0.001 if facts.n_rows < SMALL_TABLE else 0.002)
            decay = float(f"{1.5 / (lr * per_epoch * epochs):.2g}")
            settings |= {"optimizer": {"adamw": {"beta2": 0.95, "weight_decay": decay}}, "lr": lr}
        if self.minutes is not None:
            settings["max_minutes"] = self.minutes
        missing = {key: value for key, value in settings.items() if key not in given}
        return {**missing, "preprocessing": _preprocessing(given, loss, facts)}

    def space(self, given: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
        """Return ranges around the learning rate, the weight decay, the widths and the dropout that it filled in."""
        space: dict[str, Any] = {}
        if "lr" not in given and filled.get("lr"):
            space["lr"] = {"log": [filled["lr"] / 5, filled["lr"] * 5]}
        if "optimizer" not in given and isinstance(filled.get("optimizer"), dict):
            decay = filled["optimizer"]["adamw"]["weight_decay"]
            space["optimizer.adamw.weight_decay"] = {"log": [decay / 10, decay * 10]}
        if "layers" not in given:
            for i, layer in enumerate(filled["layers"][0]["residual"][:-1]):
                if isinstance(layer, dict) and "linear" in layer:
                    space[f"layers.0.residual.{i}.linear.units"] = {"whole": {"between": [16, 256], "log": True}}
                elif isinstance(layer, dict):
                    space[f"layers.0.residual.{i}.dropout"] = {"uniform": [0.0, 0.4]}
        return space


def _loss(facts: TableFacts) -> str:
    return "mse" if not facts.n_classes else "binary_cross_entropy" if facts.n_classes == 2 else "cross_entropy"


def _averaging(steps: int) -> dict[str, float] | None:
    """Return an average over 100 or 10 steps, or none if training makes fewer."""
    return None if steps < 10 else {"ema": 0.99 if steps >= 200 else 0.9}


def _blend(facts: TableFacts, effort: Effort) -> list[Any]:
    """Return the models beside the nets. Trees for few rows have smaller leaves; forests for many have larger ones.

    For classes, leaves of a single row are far better, and there are fewer of them, since a leaf of one class is whole.
    """
    n_rows, leaves = facts.n_rows, FOREST_LEAVES[facts.n_classes > 0]
    if facts.n_classes > MANY_CLASSES:
        return []
    rounds = effort.rounds if n_rows < LARGE_TABLE else effort.rounds // 2
    rounds = min(rounds, max(5 * rounds // _n_outputs(facts), 20))
    trees = {"most": rounds, "lr": effort.trees_lr}
    trees |= {"min_rows": 5, "l2": 3.0} if n_rows < SMALL_TABLE else {}
    n_trees = effort.forest if n_rows < MANY_ROWS else effort.forest * 2 // 5
    forest = {"trees": n_trees, "min_rows": math.ceil(n_rows / leaves)}
    models = (Trees(**trees), Forest(**forest), LinearModel(), Constant())
    return [model.brief() for model in models]


def _n_columns(facts: TableFacts) -> int:
    """Return about how many inputs a blended model has."""
    return facts.n_numbers + sum(min(n, MANY_CATEGORIES) for n in facts.n_categories.values())


def _n_outputs(facts: TableFacts) -> int:
    return facts.n_classes if facts.n_classes > 2 else max(facts.n_targets, 1)


def affordable(seconds: float, facts: TableFacts) -> str:
    """Return the name of the largest effort that should train in some seconds, on one core."""
    return next((name for name in ("best", "default") if seconds_of(EFFORTS[name], facts) <= seconds), "fast")


def seconds_of(effort: Effort, facts: TableFacts) -> float:
    """Return about how many seconds of CPU an effort takes.

    The factors were fitted to the three efforts on 22 tables of 142 to 16,512 training rows. 65 of these 66 trainings
    took half to twice as long as this says, and one 2.4 times as long.
    """
    rows, columns, outputs = facts.n_rows, _n_columns(facts), _n_outputs(facts)
    members, units = effort.members_for(rows), 32 if rows < SMALL_TABLE else 80
    per_epoch = max(1, math.ceil(rows / _batch(rows)))
    passes = members * _epochs(per_epoch, effort.steps, 0) * rows
    sets = min(members, most_sets(rows * columns * outputs))
    nets = 4.7e-11 * passes * units * (columns + min(facts.n_numbers * _bins(facts), MAX_BINS) + units)
    return 1.8 + nets + seconds_of_trees((rows, columns, outputs), sets, effort.rounds, effort.forest)


def seconds_of_trees(sizes: tuple[int, int, int], sets: int, rounds: int, forest: int) -> float:
    """Return about how many seconds of CPU boosted trees and a forest take, for a size of (rows, inputs, outputs)."""
    rows, columns, outputs = sizes
    return rounds * outputs * (1e-4 * sets + 1.15e-8 * rows * columns) + 1.1e-6 * sets * forest * rows


def _batch(n_rows: int) -> int:
    sizes = {400: 32, 1_500: 64, 4_000: 128, 100_000: 256, LARGE_TABLE: 512}
    return next((size for n, size in sizes.items() if n_rows < n), 1_024)


def _epochs(per_epoch: int, steps: int, least_steps: int) -> int:
    low, high = EPOCH_RANGE
    high = max(high, math.ceil(least_steps / per_epoch))
    return min(max(round(steps / per_epoch), low), high, max(MAX_STEPS * steps // per_epoch, 3))


def _layers(loss: Loss, facts: TableFacts, dropout: bool) -> list[Any]:
    units = 32 if facts.n_rows < SMALL_TABLE else 80 if facts.n_rows < LARGE_TABLE else 128
    hidden = [
        {"linear": {"units": units, "init": "he_normal"}},
        "relu",
        *([{"dropout": 0.1}] if dropout else []),
    ]
    n_outputs = loss.n_outputs(facts.n_classes or None, facts.n_targets)
    deep = {"residual": [*hidden, *hidden, {"linear": n_outputs}]}  # the residual adds a linear shortcut
    order = [Ascending.name] if loss.ordered else []
    return [deep, *order, *([loss.activation.name] if loss.activation else [])]


def _bins(facts: TableFacts) -> int:
    return max(round(math.cbrt(facts.n_rows) ** 2 / 20), 2)


def _preprocessing(settings_given: Mapping[str, Any], loss: Loss, facts: TableFacts) -> dict[str, Any]:
    given: Preprocessing = settings_given.get("preprocessing") or Preprocessing()
    split: Split = settings_given.get("split") or Split()
    most = MAX_BINS if facts.n_rows < LARGE_TABLE else LARGE_BINS
    bins = min(_bins(facts), most // max(facts.n_numbers, 1))
    bins_view = [{"piecewise_linear": bins}] if bins > 1 else []
    settings: dict[str, Any] = {
        "numbers": ["impute", {"views": [["robust", "smooth_clip"], *bins_view]}],
        "categories": ONE_HOT,
        "dates": DATES,
    }
    by_logarithm = ["impute", {"views": [["log1p", "standardize", "smooth_clip"], *bins_view]}]
    columns: dict[str, Any] = {}
    if "numbers" not in given.model_fields_set:
        bounded = loss.task == "regression" and not split.time  # by the clamp of the target, however large an input is
        for name, followed in facts.heavy_tailed.items():
            by_size = ["standardize"] if followed and bounded else []
            columns[name] = ["impute", {"views": ["quantile", *by_size, *bins_view]}]
        columns |= dict.fromkeys(facts.mostly_one_value, by_logarithm)
    if "categories" not in given.model_fields_set:
        many = [name for name, n_categories in facts.n_categories.items() if n_categories > MANY_CATEGORIES]
        columns |= dict.fromkeys(many, EMBEDDING)
    columns = {name: steps for name, steps in columns.items() if name not in given.columns}
    if columns:
        settings["columns"] = columns
    if loss.task == "regression" and loss.target_range is None:
        settings["target"] = [*([] if split.time else ["clamp"]), "standardize"]  # later targets may leave the range
    return {key: value for key, value in settings.items() if key == "columns" or key not in given.model_fields_set}
