"""Estimate how long the models of a blend take to fit."""

from __future__ import annotations

import time

from nnfs_cli.blend import BlendedModel
from nnfs_cli.blend.folded_rows import most_sets
from nnfs_cli.blend.forest import Forest
from nnfs_cli.blend.trees import Trees
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.prediction.blending import fit_blend
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.presets.tabular import seconds_of_trees

MOST_ROWS = 20_000  # with more, a trial takes long
FEW, FEWER = 5, 2  # trees of a trial: boosted, and of the forest
USED = 0.3  # share of the boosted trees that are fitted on average, since they stop when they no longer help


def seconds_of_blend(experiment: Experiment) -> float:
    """Return about how many seconds the models of a blend take, by fitting small ones; 0 without a blend.

    The first fit shows what loading them takes; the second and the third, which is three times as large, what their
    trees take.
    """
    config, train = experiment.config, experiment.splits["train"]
    if not config.blend or train.folds is None:
        return 0.0
    growth = max([1.0, *(_growth(model) for model in config.blend)])
    if len(train) > MOST_ROWS:
        columns, outputs = len(experiment.predictor.encoder.plain), experiment.predictor.model.output_shape[0]
        rounds = sum(model.most for model in config.blend if isinstance(model, Trees))
        forest = sum(model.trees for model in config.blend if isinstance(model, Forest))
        sets = min(train.folds.n_folds, most_sets(len(train) * columns * outputs))
        return seconds_of_trees((len(train), columns, outputs), sets, rounds, forest)
    first, second, third = (_timed(_with_small_blend(experiment.predictor, size), experiment) for size in (1, 1, 3))
    return max(first, second) + (growth - 1) * max(third - second, 0.0) / 2


def _growth(model: BlendedModel) -> float:
    """Return how many times longer a model takes than in a trial."""
    if isinstance(model, Trees):
        return USED * model.most / FEW
    return model.trees / FEWER if isinstance(model, Forest) else 1.0


def _with_small_blend(predictor: Predictor, size: int) -> Predictor:
    """Return a predictor with the same net, whose models have few trees."""
    few: dict[type[BlendedModel], dict[str, int]] = {Trees: {"most": size * FEW}, Forest: {"trees": size * FEWER}}
    models = tuple(model.model_copy(update=few.get(type(model), {})) for model in predictor.config.blend)
    trial = Predictor(predictor.config.model_copy(update={"blend": models}), predictor.encoder)
    trial.model = predictor.model
    return trial


def _timed(predictor: Predictor, experiment: Experiment) -> float:
    """Return the seconds of a fit: those of the clock or, where other programs are at work, of this process."""
    before = time.perf_counter(), time.process_time()
    fit_blend(predictor, experiment.splits)
    return min(time.perf_counter() - before[0], time.process_time() - before[1])
