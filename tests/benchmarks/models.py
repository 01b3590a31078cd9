"""The models that are compared, with their defaults: each learns from some rows of a table and answers about others."""

from __future__ import annotations

import resource
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.workflows.baselines import BASELINES, BaselineInputs
from tests.benchmarks.tables import Task

Answer = tuple[Array, float]  # probabilities (rows, n_classes) or numbers (rows,), and the CPU seconds of learning


def constant(task: Task, train: Array, test: Array) -> Answer:
    """What knows nothing of the columns."""
    return _baseline("constant", task, train, test)


def linear(task: Task, train: Array, test: Array) -> Answer:
    """LogisticRegression or Ridge, on standardised numbers and indicators of words."""
    return _baseline("linear", task, train, test)


def boosting(task: Task, train: Array, test: Array) -> Answer:
    """HistGradientBoosting, which stops early as it does by default."""
    return _baseline("boosting", task, train, test, model__early_stopping="auto")


def random_forest(task: Task, train: Array, test: Array) -> Answer:
    """RandomForest with 300 trees, which TabArena counts others from."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    inputs = BaselineInputs(task.table.take(train), task.kinds)
    model = (RandomForestClassifier if task.n_classes else RandomForestRegressor)(300, random_state=0)
    return _fitted(model, inputs, task, train, test)


def mlp(task: Task, train: Array, test: Array) -> Answer:
    """MLPClassifier or MLPRegressor, on what the linear model sees, and with a standardised target."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs = BaselineInputs(task.table.take(train), task.kinds)
    prepared = inputs.model(_named("linear"), task.n_classes, 0)[0]
    net: Any = MLPClassifier(random_state=0)
    if not task.n_classes:
        net = TransformedTargetRegressor(MLPRegressor(random_state=0), transformer=StandardScaler())
    return _fitted(make_pipeline(prepared, net), inputs, task, train, test)


def lightgbm(task: Task, train: Array, test: Array) -> Answer:
    """LightGBM; gaps and words as they are."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    inputs = BaselineInputs(task.table.take(train), task.kinds)
    model = (LGBMClassifier if task.n_classes else LGBMRegressor)(verbose=-1, n_jobs=1, random_state=0)
    words = list(range(inputs.n_numbers, inputs.n_numbers + len(inputs.numbering)))
    return _fitted(model, inputs, task, train, test, categorical_feature=words or "auto")


def catboost(task: Task, train: Array, test: Array) -> Answer:
    """CatBoost; gaps and words as they are."""
    from catboost import CatBoostClassifier, CatBoostRegressor, Pool

    numbers = [name for name, kind in task.kinds.items() if kind == "number"]
    words = [name for name, kind in task.kinds.items() if kind == "category"]

    def pool(rows: Array, y: Array | None = None) -> Any:
        table = task.table.take(rows)
        cells = np.empty((table.n_rows, len(numbers) + len(words)), object)
        for j, name in enumerate(numbers):
            cells[:, j] = table.numbers(name, gaps=True)
        for j, name in enumerate(words):
            cells[:, len(numbers) + j] = [word or "" for word in table.texts(name).tolist()]
        return Pool(cells, y, cat_features=list(range(len(numbers), cells.shape[1])))

    options = {"verbose": False, "thread_count": 1, "random_seed": 0, "allow_writing_files": False}
    model = (CatBoostClassifier if task.n_classes else CatBoostRegressor)(**options)
    learned = pool(train, task.y[train])
    begun = spent()
    model.fit(learned)
    seconds = spent() - begun
    return (model.predict_proba if task.n_classes else model.predict)(pool(test)), seconds


def realmlp(task: Task, train: Array, test: Array) -> Answer:
    """RealMLP with its tuned defaults, which stop at the best accuracy or RMSE of a fifth of the rows."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    return _of_pytabkit(RealMLP_TD_Classifier if task.n_classes else RealMLP_TD_Regressor, task, train, test)


def tabm(task: Task, train: Array, test: Array) -> Answer:
    """TabM with its defaults, which stop as those of RealMLP."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    return _of_pytabkit(TabM_D_Classifier if task.n_classes else TabM_D_Regressor, task, train, test)


def ours(task: Task, train: Array, test: Array, preset: str = "") -> Answer:
    """What `nnfs train` makes of a config that names the data, or a preset besides; it learns from all the rows."""
    from nnfs_cli import workflows
    from nnfs_cli.data.write_table import writer_for

    with tempfile.TemporaryDirectory(prefix="nnfs-") as folder:
        files = {part: Path(folder, f"{part}.parquet") for part in ("train", "test")}
        for part, rows in {"train": train, "test": test}.items():
            columns = dict(task.table.take(rows).columns)
            if part == "train":
                columns["the target"] = np.array(task.words, object)[task.y[rows]] if task.n_classes else task.y[rows]
            with files[part].open("wb") as file, writer_for(".parquet", file) as writer:
                writer.write(columns)
        config = Path(folder, "config.yaml")
        settings = ["dataset: {parquet: {path: train.parquet, target: the target}}", "threads: 1"]
        config.write_text("\n".join([*settings, f"preset: {preset}" if preset else "", ""]))
        begun = spent()
        experiment = workflows.prepare(workflows.load(config))
        run = workflows.begin(experiment, folder)
        workflows.train(experiment, run)
        seconds = spent() - begun
        answers = workflows.predict(run, files["test"])
    if not task.n_classes:
        return np.asarray(answers["prediction"]), seconds
    return np.stack([answers[f"probability_{word}"] for word in task.words], axis=1), seconds


MODELS: dict[str, Callable[[Task, Array, Array], Answer]] = {
    "constant": constant, "linear": linear, "MLP": mlp, "HistGradientBoosting": boosting, "LightGBM": lightgbm,
    "CatBoost": catboost, "RealMLP": realmlp, "TabM": tabm, "nnfs": ours,
    "nnfs fast": partial(ours, preset="{tabular: fast}"), "nnfs best": partial(ours, preset="{tabular: best}"),
    "RandomForest": random_forest,
}  # fmt: skip


def spent() -> float:
    """The CPU seconds of this process and of those that it has waited for, which other programs do not lengthen."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def answer(name: str, task: Task, train: Array, test: Array) -> Answer:
    """What a model says of the test rows, with nothing said besides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MODELS[name](task, train, test)


def _named(name: str) -> Any:
    return next(baseline for baseline in BASELINES if baseline.name == name)


def _baseline(name: str, task: Task, train: Array, test: Array, **options: Any) -> Answer:
    inputs = BaselineInputs(task.table.take(train), task.kinds)
    return _fitted(inputs.model(_named(name), task.n_classes, 0).set_params(**options), inputs, task, train, test)


def _fitted(model: Any, inputs: BaselineInputs, task: Task, train: Array, test: Array, **options: Any) -> Answer:
    tables: list[Table] = [task.table.take(rows) for rows in (train, test)]
    X, asked = map(inputs.matrix, tables)
    begun = spent()
    model.fit(X, task.y[train], **options)
    seconds = spent() - begun
    return (model.predict_proba if task.n_classes else model.predict)(asked), seconds


def _of_pytabkit(kind: type, task: Task, train: Array, test: Array) -> Answer:
    """Fit a model that takes no gaps in numbers: they become the median, beside a column that tells where they were."""
    import pandas as pd
    import torch

    torch.set_num_threads(1)
    frames = [pd.DataFrame(index=rows) for rows in (train, test)]
    for name, column in task.kinds.items():
        cells = [task.table.take(rows) for rows in (train, test)]
        if column == "number":
            known, asked = (table.numbers(name, gaps=True) for table in cells)
            median = np.nanmedian(known)
            for frame, numbers in zip(frames, (known, asked), strict=True):
                frame[name] = np.where(np.isnan(numbers), median, numbers)
                if np.isnan(known).any():
                    frame[f"{name} is missing"] = np.isnan(numbers).astype(float)
        else:
            for frame, table in zip(frames, cells, strict=True):
                frame[name] = pd.Series(table.texts(name).tolist(), frame.index, "object").fillna("").astype("category")
    model = kind(device="cpu", n_threads=1, random_state=0)
    begun = spent()
    model.fit(frames[0], task.y[train])
    seconds = spent() - begun
    return (model.predict_proba if task.n_classes else model.predict)(frames[1]), seconds
