"""Seventy runs that use every layer, loss and preprocessing step, to be exported to every format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.data.texts import Texts

ROWS = 160
NUMBERS = ("impute", "standardize")
EVERY = {"numbers": [*NUMBERS], "categories": "one_hot: {unseen: other}", "dates": "calendar"}
NET = ("linear: 8", "relu")


class Setup(NamedTuple):
    """What a run is trained with, and the level of its intervals, if it predicts them."""

    settings: Mapping[str, Any]
    interval: float | None = None


def table() -> dict[str, Any]:
    """Return numbers with gaps, words, lists, dates, and targets of every kind, each (rows,)."""
    rng = np.random.default_rng(7)
    a, b, c = rng.normal(5, 2, ROWS), rng.lognormal(0, 1, ROWS), rng.integers(0, 9, ROWS).astype(float)
    word = rng.choice(["Zürich", 'it\'s "x"', "c", "d"], ROWS, p=[0.5, 0.3, 0.15, 0.05])
    level = rng.choice(["low", "mid", "high"], ROWS)
    lists = rng.choice(["a;b", "[b]", "", "c;a;'d'", "a"], ROWS)
    day = np.datetime64("2020-01-01") + rng.integers(0, 900, ROWS)
    score = a / 2 + np.log(b) + (word == "c") + 0.1 * rng.normal(size=ROWS)
    classes = np.array(["red", "green", "blue"])[np.digitize(score, [2, 3.5])]
    gap = rng.random(ROWS) < 0.1
    a = np.where(gap, np.nan, a)
    words = [None if rng.random() < 0.05 else str(one) for one in word]
    return {
        "a": a, "b": b, "c": c, "word": Texts.of(words).tolist(), "level": level.tolist(), "tags": lists.tolist(),
        "day": day.astype("datetime64[D]"), "number": score, "positive": np.exp(score / 3), "second": score - c,
        "count": rng.poisson(np.exp(score / 4)).astype(float), "time": rng.uniform(0.5, 2, ROWS),
        "class": classes.tolist(), "yes": np.where(score > 2.5, "yes", "no").tolist(),
        "hail": np.where(c > 4, "hail", "none").tolist(),
    }  # fmt: skip


SOMETIMES = ("tags", "number", "positive", "second", "count", "time", "class", "yes", "hail")


def setup(
    target: str | list[str], layers: Any, loss: Any, interval: float | None = None, lists: bool = False, **others: Any
) -> Setup:
    used = {target} if isinstance(target, str) else {*target}
    used |= {"tags"} if lists else set()
    dataset: dict[str, Any] = {"target": target, "drop": [name for name in SOMETIMES if name not in used]}
    if exposure := others.pop("exposure", None):
        dataset = {**dataset, "exposure": exposure, "drop": [name for name in dataset["drop"] if name != exposure]}
    preprocessing = {**EVERY, **others.pop("preprocessing", {})}
    if isinstance(target, str) and target in ("number", "positive", "second") and "target" not in preprocessing:
        preprocessing["target"] = "none" if loss in ("gamma", "poisson") else "standardize"
    of_columns = {"level": "ordinal: [low, mid, high]"} | ({"tags": "multi_hot"} if lists else {})
    preprocessing["columns"] = of_columns | preprocessing.get("columns", {})
    settings = {
        "dataset": {"table": dataset}, "preprocessing": preprocessing, "layers": layers, "loss": loss, "epochs": 3,
        "optimizer": "adam", "lr": 0.01, "split": {"validation": 0.25}, "background": 0,
    }  # fmt: skip
    return Setup(settings | others, interval)


def number(*layers: Any, **others: Any) -> Setup:
    return setup("number", [*layers, "linear: 1"], others.pop("loss", "mse"), **others)


def of_layers() -> dict[str, Setup]:
    plain = ["elu", "exp", "gelu", "gelu: tanh", "identity", "leaky_relu", "prelu", "selu", "sigmoid"]
    plain += ["silu", "softmax", "softplus", "tanh", "batch_norm", "layer_norm", "dropout: 0.2"]
    found = {name: number("linear: 6", name) for name in plain}
    shaped = ["linear: 6", {"reshape": [2, 3]}, "linear: 4", "layer_norm", "tanh", "softmax", "flatten"]
    nested = [{"residual": ["linear: 7", "tanh"]}, {"residual": ["linear: 7", "relu", "batch_norm"]}]
    return found | {
        "shapes": number(*shaped),
        "residual": number(*nested, {"sequential": [{"dense": {"units": 5, "activation": "silu"}}]}),
        "members of shapes": number(*shaped, members=3),
    }


def of_losses() -> dict[str, Setup]:
    found = {loss: number(*NET, loss=loss) for loss in ("mse", "mae", "huber", "log_cosh")}
    found |= {
        "poisson": setup("count", [*NET, "linear: 1", "exp"], "poisson"),
        "exposure": setup("count", [*NET, "linear: 1", "exp"], "poisson", exposure="time"),
        "gamma": setup("positive", [*NET, "linear: 1", "exp"], "gamma", preprocessing={"target": "none"}),
        "quantile": setup("number", [*NET, "linear: 3"], {"quantile": [0.1, 0.5, 0.9]}),
        "several quantiles": setup(["number", "second"], [*NET, "linear: 4"], {"quantile": [0.2, 0.7]}),
        "several numbers": setup(["number", "second"], [*NET, "linear: 2"], "mse"),
        "several labels": setup(["yes", "hail"], [*NET, "linear: 2"], "binary_cross_entropy"),
    }
    for loss in ("binary_cross_entropy", "binary_focal", "hinge"):
        found[f"{loss} of two"] = setup("yes", [*NET, "linear: 1"], loss)
    for loss in ("cross_entropy", "focal", "hinge"):
        found[f"{loss} of three"] = setup("class", [*NET, "linear: 3"], loss)
    found["softmax at the end"] = setup("class", [*NET, "linear: 3", "softmax"], "cross_entropy")
    order = {"ordinal": ["blue", "green", "red"]}
    found["cumulative_logits"] = setup("class", [*NET, "cumulative_logits: 2"], order)
    found["ascending"] = setup("class", [*NET, "linear: 2", "ascending"], order)
    return found


def of_steps() -> dict[str, Setup]:
    numbers = ["robust", "min_max", "log1p", "quantile: 20", "piecewise_linear: 5", "clip", "none"]
    numbers += [["robust", "smooth_clip"], {"views": ["standardize", "piecewise_linear: 4"]}]
    listed = [[*one] if isinstance(one, list) else [one] for one in numbers]
    found = {f"numbers {one}": number(*NET, preprocessing={"numbers": ["impute: mean", *one]}) for one in listed}
    for step in ("one_hot", "hashing: 5", "embedding: 3", "target_mean", "ordinal"):
        found[f"categories {step}"] = number(*NET, preprocessing={"categories": step})
    parts = "calendar: [trend, year_cycle, month_cycle, week_cycle, day_cycle, weekend]"
    found["dates"] = number(*NET, preprocessing={"dates": parts})
    found["lists"] = number(*NET, lists=True)
    for steps in (["clamp", "log1p", "standardize"], ["quantile: 30"], ["robust"], ["min_max"]):
        found[f"target {steps}"] = number(*NET, preprocessing={"target": steps})
    return found


def of_ensembles() -> dict[str, Setup]:
    folds = {"members": 3, "holdout": "fold", "split": {"test": 0.2}}
    blend = {"blend": ["linear", "trees", "forest", "constant"], **folds}
    three = [*NET, "linear: 3"]
    return {
        "members": number(*NET, preprocessing={"categories": "embedding: 2"}, members=4),
        "float64": number(*NET, "batch_norm", dtype="float64", interval=0.9),
        "float64 classes": setup("class", three, "cross_entropy", dtype="float64", members=2),
        "interval": number(*NET, interval=0.8),
        "interval of quantiles": setup("number", [*NET, "linear: 3"], {"quantile": [0.1, 0.5, 0.9]}, 0.8),
        "sets": setup("class", three, "cross_entropy", 0.9),
        "sets of two": setup("yes", [*NET, "linear: 1"], "binary_cross_entropy", 0.9, class_weights="balanced"),
        "blend of numbers": number(*NET, **blend),
        "blend with intervals": number(*NET, **blend, interval=0.9, lists=True),
        "blend of two classes": setup("yes", [*NET, "linear: 1"], "binary_cross_entropy", **blend),
        "blend of three classes": setup("class", three, "cross_entropy", 0.8, **blend),
    }


RUNS = of_layers() | of_losses() | of_steps() | of_ensembles()
FEW = ("several labels", "blend with intervals", "sets")
