"""Tables and configs whose right verdict is known: situations with a fault that was planted, and sound ones.

Each function makes the settings and the table of a situation from random numbers. `PLANTED` has the codes of which at
least one must be among the verdicts that are shown; in a situation of `SOUND` no verdict may be a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array

Situation = tuple[dict[str, Any], dict[str, Any]]  # settings and table
Maker = Callable[[np.random.Generator], Situation]

WORSE = {"worse_than_constant", "worse_than_linear", "no_better_than_constant"}
USELESS = {"worse_than_constant", "no_better_than_constant"}


def net(task: str, outputs: int = 1, *hidden: int, **changes: Any) -> dict[str, Any]:
    """Return the settings of a net with these hidden layers."""
    layers: list[Any] = [layer for units in hidden for layer in ({"linear": units}, "relu")]
    numbers = {"loss": "mse", "preprocessing": {"numbers": "standardize", "target": "standardize"}}
    classes = {"loss": "binary_cross_entropy" if outputs == 1 else "cross_entropy"}
    common = {"dataset": {"table": "y"}, "layers": [*layers, {"linear": outputs}], "optimizer": "adam", "lr": 0.01}
    return {**common, "epochs": 60, **(numbers if task == "numbers" else classes), **changes}


def columns(X: Array, y: Any, **others: Any) -> dict[str, Any]:
    return {**{f"x{j}": column for j, column in enumerate(X.T)}, **others, "y": y}


def labels(truth: Array, names: str = "no yes") -> list[str]:
    return [names.split()[int(i)] for i in truth]


def chance(rng: np.random.Generator, z: Array) -> Array:
    """Draw 0 or 1, where 1 has the logit z."""
    return np.asarray(rng.random(len(z)) < 1 / (1 + np.exp(-z)))


# Planted faults


def rare_frauds(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(900, 5))
    return net("classes", 1, 8), columns(X, labels(chance(rng, X[:, 0] - 3.9), "ok fraud"))


def rare_class_of_four(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(800, 3))
    truth = np.where(rng.random(800) < 0.06, 3, np.argmax(X + rng.gumbel(size=X.shape) * 0.3, axis=1))
    return net("classes", 4, 8, epochs=30), columns(X, labels(truth, "a b c rare"))


def noise_numbers(rng: np.random.Generator) -> Situation:
    return net("numbers", 1, 16, epochs=30), columns(rng.normal(size=(300, 6)), rng.normal(size=300))


def noise_classes(rng: np.random.Generator) -> Situation:
    return net("classes", 1, 16, epochs=30), columns(rng.normal(size=(300, 6)), labels(rng.random(300) < 0.5))


def large_net_on_few_rows(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(140, 20))
    y = X[:, 0] + X[:, 1] + rng.normal(size=140)
    return net("numbers", 1, 64, 64, epochs=80, split=0.4), columns(X, y)


def large_net_on_noisy_classes(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(200, 12))
    return net("classes", 1, 64, 64, epochs=80, split=0.4), columns(X, labels(chance(rng, 2 * X[:, 0])))


def ended_too_early(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(300, 5))
    y = np.sin(2 * X[:, 0]) + X[:, 1]
    return net("numbers", 1, 16, epochs=8, lr=0.003, optimizer="sgd", batch_size=32), columns(X, y)


def lr_too_small(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(400, 4))
    return net("classes", 1, 8, lr=0.003, optimizer="sgd", epochs=30), columns(X, labels(chance(rng, 3 * X[:, 0])))


def lr_too_large(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(300, 5))
    settings = net("numbers", 1, 16, lr=1.0, epochs=20, clip={"norm": 1})
    return settings, columns(X, X @ np.arange(5) + rng.normal(size=300))


def shifted_test_rows(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(500, 3))
    late = np.arange(500) >= 400
    X[late] += 3
    y = np.square(X[:, 0]) + X[:, 1] + 0.3 * rng.normal(size=500)
    return by_part(net("numbers", 1, 16), columns(X, y), late, rng)


def new_groups_in_test(rng: np.random.Generator) -> Situation:
    group = rng.integers(0, 25, 500)
    X = rng.normal(size=(25, 4))[group] + 0.05 * rng.normal(size=(500, 4))  # the inputs give the group away
    y = (2 * rng.normal(size=25))[group] + 0.3 * rng.normal(size=500)
    return by_part(net("numbers", 1, 32, 32), columns(X, y), group >= 18, rng)


def drift_over_time(rng: np.random.Generator) -> Situation:
    X, time = rng.normal(size=(600, 3)), np.linspace(0, 1, 600)
    z = 4 * X[:, 0] * np.cos(np.pi * time**3)
    return by_part(net("classes", 1, 8, epochs=30), columns(X, labels(chance(rng, z))), time > 0.75, rng)


def linear_net_on_xor(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(400, 2))
    return net("classes", 1, epochs=30), columns(X, labels(X[:, 0] * X[:, 1] > 0))


def wild_net_on_a_line(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(200, 30))
    y = X @ rng.normal(size=30) + rng.normal(size=200)
    return net("numbers", 1, 128, 128, epochs=60, lr=0.03, split=0.4), columns(X, y)


def numbers_as_categories(rng: np.random.Generator) -> Situation:
    size = rng.uniform(20, 200, 200)
    texts = [f"{value:.2f} m2" for value in size]
    settings = net("numbers", 1, 16, epochs=30)
    settings["preprocessing"]["categories"] = {"one_hot": {"unseen": "other"}}
    return settings, {"size": texts, "y": 3 * size + rng.normal(size=200)}


def little_beyond_the_majority(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(800, 4))
    return net("classes", 1, 4, epochs=30), columns(X, labels(chance(rng, 0.9 * X[:, 0] + 1.8)))


def by_part(settings: dict[str, Any], table: dict[str, Any], test: Array, rng: np.random.Generator) -> Situation:
    """Return the situation in which some rows are the test rows, and a fifth of the others validate."""
    part = np.where(test, "test", np.where(rng.random(len(test)) < 0.2, "validation", "train"))
    return {**settings, "split": {"column": "part"}}, {"part": part.tolist(), **table}


def each_row_six_times(rng: np.random.Generator) -> Situation:
    again = rng.permutation(np.repeat(np.arange(50), 6))
    X, y = rng.normal(size=(50, 5)), rng.normal(size=50)
    return net("numbers", 1, 64, epochs=100, split={"validation": 0.25, "test": 0.2}), columns(X[again], y[again])


PLANTED: dict[Maker, set[str]] = {
    rare_frauds: {"never_predicted", "majority"},
    rare_class_of_four: {"never_predicted"},
    noise_numbers: USELESS,
    noise_classes: USELESS,
    large_net_on_few_rows: {"overfit"},
    large_net_on_noisy_classes: {"overfit"},
    ended_too_early: {"too_short"},
    lr_too_small: {"too_short", *WORSE},
    lr_too_large: WORSE,
    shifted_test_rows: {"worse_on_test"},
    new_groups_in_test: {"worse_on_test"},
    drift_over_time: {"worse_on_test"},
    linear_net_on_xor: USELESS,
    wild_net_on_a_line: {"worse_than_linear"},
    numbers_as_categories: USELESS,
    little_beyond_the_majority: {"majority", "never_predicted"},
    each_row_six_times: {"copies"},
}

# Sound situations


def a_line(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(300, 4))
    return net("numbers", 1, early_stopping=10), columns(X, X @ [1, 2, 0, -1] + rng.normal(size=300))


def a_line_with_heavy_tails(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(400, 4))
    return net("numbers", 1, early_stopping=10), columns(X, X @ [1, 2, 0, -1] + rng.standard_t(3, size=400))


def a_curve(rng: np.random.Generator) -> Situation:
    X = rng.uniform(-2, 2, size=(600, 2))
    y = np.sin(2 * X[:, 0]) + np.square(X[:, 1]) + 0.3 * rng.normal(size=600)
    return net("numbers", 1, 16, 16, early_stopping=10, split={"validation": 0.2, "test": 0.2}), columns(X, y)


def xor(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(500, 2))
    return net("classes", 1, 16, early_stopping=10), columns(X, labels(X[:, 0] * X[:, 1] > 0))


def logistic(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(400, 4))
    truth = labels(chance(rng, 2 * X[:, 0] - X[:, 1]))
    return net("classes", 1, 8, early_stopping=10, split={"validation": 0.2, "test": 0.3}), columns(X, truth)


def three_clouds(rng: np.random.Generator) -> Situation:
    truth = rng.integers(0, 3, 300)
    X = 3 * np.eye(3)[truth] + rng.normal(size=(300, 3))
    return net("classes", 3, 8, early_stopping=10), columns(X, labels(truth, "a b c"))


def rare_but_clear(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(900, 3))
    truth = rng.random(900) < 0.08
    X[truth, 0] += 4
    return net("classes", 1, 8, early_stopping=10), columns(X, labels(truth))


def test_rows_alike(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(500, 3))
    y = X[:, 0] * X[:, 1] + 0.5 * rng.normal(size=500)
    return by_part(net("numbers", 1, 16, early_stopping=10), columns(X, y), rng.random(500) < 0.25, rng)


def groups_apart(rng: np.random.Generator) -> Situation:
    group = rng.integers(0, 50, 600)
    X = rng.normal(size=(600, 3))
    y = X @ [1, -1, 0.5] + 0.5 * rng.normal(size=50)[group] + 0.5 * rng.normal(size=600)
    settings = net("numbers", 1, 8, early_stopping=10, split={"group": "who", "validation": 0.2, "test": 0.2})
    return settings, columns(X, y, who=[f"p{i}" for i in group])


def counts(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(500, 3))
    settings = net("numbers", 1, 8, loss="poisson", early_stopping=10, preprocessing="standardize")
    return {**settings, "layers": [*settings["layers"], "exp"]}, columns(X, rng.poisson(np.exp(0.7 * X[:, 0] + 0.5)))


def absolute_errors(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(400, 3))
    y = np.abs(X[:, 0]) * 3 + rng.exponential(size=400)
    return net("numbers", 1, 16, loss="mae", early_stopping=10), columns(X, y)


def towns(rng: np.random.Generator) -> Situation:
    town, X = rng.integers(0, 12, 500), rng.normal(size=(500, 2))
    y = rng.normal(size=12)[town] * 2 + X[:, 0] + 0.5 * rng.normal(size=500)
    settings = net("numbers", 1, 8, early_stopping=10)
    settings["preprocessing"]["categories"] = "one_hot"
    return settings, columns(X, y, town=[f"t{i}" for i in town])


def a_preset_on_numbers(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(200, 3))
    y = np.sin(X[:, 0]) + X[:, 1] + 0.3 * rng.normal(size=200)
    return {"dataset": {"table": "y"}, "split": {"validation": 0, "test": 0.2}}, columns(X, y)


def a_preset_on_classes(rng: np.random.Generator) -> Situation:
    X = rng.normal(size=(240, 3))
    return {"dataset": {"table": "y"}}, columns(X, labels(chance(rng, 3 * X[:, 0] * np.sign(X[:, 1]))))


def few_different_values(rng: np.random.Generator) -> Situation:
    X = rng.integers(1, 5, (600, 3)) - 2.5
    return net("classes", 1, 8, early_stopping=10), columns(X, labels(chance(rng, X[:, 0] * X[:, 1])))


SOUND: tuple[Maker, ...] = (
    a_line, a_line_with_heavy_tails, a_curve, xor, logistic, three_clouds, rare_but_clear, test_rows_alike,
    groups_apart, counts, absolute_errors, towns, a_preset_on_numbers, a_preset_on_classes,
    few_different_values,
)  # fmt: skip
