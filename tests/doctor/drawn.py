"""Thirty faulty and thirty healthy trainings, drawn at random. No rule of the doctor may be tuned on them.

A table, a net and a recipe are drawn. A training is healthy if its net is as good on the test rows as a scikit-learn
MLP, but for noise, and better than a constant prediction. A training is faulty if a fault of random strength was put
into a healthy one and does harm there, which `judge` finds on the test rows; see each fault for the harm that it must
do. The doctor has no part in this, and does not see the test rows. Of the faulty ones, each of the twenty faults has
one, and the other ten have faults that were drawn, too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli import workflows
from tests.doctor.case import Case, own_code, quiet, trained
from tests.doctor.judge import Judged, as_good, clearly_better, judge, reference
from tests.doctor.planted import CONSEQUENCES, WRONG_BACKWARD
from tests.doctor.tables import Table

SEED = 20261129
N_FAULTY = N_HEALTHY = 30
Rng = np.random.Generator


@dataclass(frozen=True)
class Recipe:
    """A table and a way to train a net on it; `task` is numbers, binary or classes."""

    table: Mapping[str, Any]
    task: str
    hidden: tuple[int, ...]
    activation: str
    init: str
    settings: Mapping[str, Any]
    extra: str = ""  # batch_norm or dropout after each linear layer
    bias_init: Any = "zeros"
    bias: bool = True
    last: str | None = None  # in the place of the usual last activation
    last_init: Any = "uniform_fan_in"
    code: str = ""

    @property
    def loss(self) -> str:
        """The loss that fits the task, unless the settings name another."""
        usual = {"numbers": "mse", "binary": "binary_cross_entropy", "classes": "cross_entropy"}
        return str(self.settings.get("loss", usual[self.task]))

    def case(self, name: str, must: str = "", may: str = "") -> Case:
        """Return the training as a case."""
        layers: list[Any] = []
        for units in self.hidden:
            linear = {"units": units, "init": self.init, "bias": self.bias}
            layers.append({"linear": {**linear, "bias_init": self.bias_init} if self.bias else linear})
            layers += [self.extra] if self.extra == "batch_norm" else []
            layers.append(self.activation)
            layers += [{"dropout": 0.1}] if self.extra == "dropout" else []
        n_classes = len(np.unique(self.table["y"]))
        layers.append(
            {"linear": {"units": n_classes if self.task == "classes" else 1, "init": self.last_init, "bias": self.bias}}
        )
        usual = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}.get(self.loss)
        layers += [activation] if (activation := self.last or usual) else []
        settings = {"layers": layers, "loss": self.loss, "split": {"column": "part"}, **self.settings}
        true = {**CONSEQUENCES, **dict.fromkeys(may.split(), "a consequence of the fault")}
        codes = frozenset(must.split())
        return Case(name, settings, lambda: self.table, codes, may=true if must else {}, code=self.code)

    def change(self, **settings: Any) -> Recipe:
        """Return the recipe with other settings."""
        return replace(self, settings={**self.settings, **settings})


def draw_recipe(rng: Rng, task: str | None = None, activations: tuple[str, ...] = (), **fixed: Any) -> Recipe:
    """Draw a table and a sensible way to train on it."""
    task = task or str(rng.choice(["numbers", "binary", "classes"]))
    n = int(10 ** rng.uniform(2.7, 3.4))
    table = draw_table(rng, task, n)
    depth = int(rng.integers(1, 4))
    activation = str(rng.choice(activations or ("relu", "tanh", "gelu", "silu", "leaky_relu")))
    optimizer, lr = _OPTIMIZERS[int(rng.integers(len(_OPTIMIZERS)))]
    batch = int(2 ** rng.integers(4, 7))
    epochs = int(np.clip(rng.uniform(800, 2000) / (0.6 * n / batch), 10, 150))
    settings: dict[str, Any] = {
        "optimizer": optimizer,
        "lr": float(f"{lr * 10 ** rng.uniform(-0.3, 0.3):.2g}"),
        "batch_size": batch,
        "epochs": epochs,
        "schedule": str(rng.choice(["constant", "cosine"])),
        "seed": int(rng.integers(1000)),
    }
    if rng.random() < 0.5:
        settings["early_stopping"] = max(5, epochs // 5)
    init = str(rng.choice(["uniform_fan_in", "he_normal" if "elu" in activation else "xavier_uniform"]))
    extra = str(rng.choice(["", "", "", "dropout", "batch_norm"]))
    hidden = tuple(int(2 ** rng.integers(3, 7)) for _ in range(depth))
    return replace(Recipe(table, task, hidden, activation, init, settings, extra), **fixed)


_OPTIMIZERS: tuple[tuple[Any, float], ...] = (
    ("sgd", 0.1),
    ({"sgd": 0.9}, 0.02),
    ("adam", 0.003),
    ({"adamw": 0.01}, 0.003),
    ("rmsprop", 0.001),
)


def draw_table(rng: Rng, task: str, n: int) -> Table:
    """Draw rows whose target depends smoothly on some of the inputs, with noise, and a column `part` of splits."""
    d, used = int(rng.integers(4, 16)), int(rng.integers(2, 5))
    X = rng.standard_normal((n, d))
    n_outputs = int(rng.integers(3, 6)) if task == "classes" else 1
    Z = np.zeros((n, n_outputs))
    for j in range(n_outputs):
        w, v = rng.standard_normal((2, used)) / np.sqrt(used)
        Z[:, j] = X[:, :used] @ w + np.sin(2 * X[:, :used] @ v) + 0.5 * X[:, 0] * X[:, 1]
    Z /= Z.std(axis=0)
    noise = rng.uniform(0.1, 0.5)
    if task == "numbers":
        y: Any = (10 ** rng.uniform(-1, 3)) * (Z[:, 0] + noise * rng.standard_normal(n)) + rng.uniform(-100, 100)
    elif task == "binary":
        y = np.where(Z[:, 0] + noise * rng.logistic(size=n) > rng.uniform(-0.5, 0.5), "yes", "no")
    else:
        y = np.array(list("abcde"))[np.argmax(Z + noise * rng.gumbel(size=Z.shape), axis=1)]
    X = X * 10 ** rng.uniform(-1, 2, d) + rng.uniform(-5, 5, d)
    part = rng.permutation(np.resize(["train", "train", "train", "validation", "test"], n))
    return {**{f"x{i}": X[:, i] for i in range(d)}, "part": part, "y": y}


@dataclass(frozen=True)
class Fault:
    """A fault: how it gets into a recipe, what must be found, and what is then true as well.

    `needs` are the arguments of `draw_recipe`; `harms` says whether it does the harm that counts, given what was judged
    without and with it.
    """

    name: str
    put: Callable[[Recipe, Rng], Recipe]
    must: str
    harms: Callable[[Judged, Judged], bool]
    may: str = ""
    needs: Mapping[str, Any] | None = None


def worse(without: Judged, with_fault: Judged) -> bool:
    """Return whether the net is clearly worse on the test rows."""
    return clearly_better(without, with_fault)


def always(without: Judged, with_fault: Judged) -> bool:
    """Return True: the fault is one whatever the figures say."""
    return True


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(f"{10 ** rng.uniform(low, high):.2g}")


def _times_lr(low: float, high: float, recipe: Recipe, rng: Rng) -> Recipe:
    return recipe.change(lr=float(f"{recipe.settings['lr'] * 10 ** rng.uniform(low, high):.2g}"))


def _dead(recipe: Recipe, rng: Rng) -> Recipe:
    return replace(recipe, bias_init={"constant": -_log_uniform(rng, 0.5, 1.7)})


def _unscaled(recipe: Recipe, rng: Rng) -> Recipe:
    return recipe.change(preprocessing={"numbers": "none"})


def _leak(recipe: Recipe, rng: Rng) -> Recipe:
    y = np.asarray(recipe.table["y"])
    codes = y if recipe.task == "numbers" else np.unique(y, return_inverse=True)[1].astype(float)
    column = (
        rng.uniform(1, 50) * codes
        + rng.uniform(-9, 9)
        + rng.uniform(0, 0.01) * codes.std() * rng.standard_normal(len(y))
    )
    return replace(recipe, table={"outcome": column, **recipe.table})


def _shuffle(recipe: Recipe, rng: Rng) -> Recipe:
    return replace(recipe, table={**recipe.table, "y": rng.permutation(recipe.table["y"])})


def _saturate(recipe: Recipe, rng: Rng) -> Recipe:
    return replace(recipe, init={"normal": _log_uniform(rng, 0.7, 2)}, extra="")  # type: ignore[arg-type]


def _shift(recipe: Recipe, rng: Rng) -> Recipe:
    names = [name for name in recipe.table if name.startswith("x")]
    far = {name: recipe.table[name] / np.std(recipe.table[name]) + rng.uniform(20, 200) for name in names}
    recipe = replace(recipe, table={**recipe.table, **far}, bias=False, extra="")
    return recipe.change(preprocessing={"numbers": "none"})


def _tiny_batches(recipe: Recipe, rng: Rng) -> Recipe:
    return replace(recipe, extra="batch_norm").change(batch_size=int(rng.integers(2, 4)), epochs=10)


def _as_numbers(recipe: Recipe, rng: Rng) -> Recipe:
    return replace(recipe, table={**recipe.table, "y": (np.asarray(recipe.table["y"]) == "yes").astype(int)}).change(
        loss="mse"
    )


def _constants(recipe: Recipe, rng: Rng) -> Recipe:
    n = len(recipe.table["y"])
    columns = {f"fixed{i}": np.full(n, rng.uniform(-9, 9)) for i in range(int(rng.integers(1, 4)))}
    return replace(recipe, table={**columns, **recipe.table})


def _deep(recipe: Recipe, rng: Rng) -> Recipe:
    return replace(
        recipe, hidden=(int(rng.choice([8, 16, 32])),) * int(rng.integers(8, 26)), activation="sigmoid", extra=""
    )


def _decay(recipe: Recipe, rng: Rng) -> Recipe:
    return recipe.change(optimizer={"adamw": _log_uniform(rng, 0.5, 2.5)}, lr=0.003)


def _few_epochs(recipe: Recipe, rng: Rng) -> Recipe:
    settings = {key: value for key, value in recipe.settings.items() if key != "early_stopping"}
    return replace(
        recipe,
        settings={
            **settings,
            "epochs": int(rng.integers(6, 9)),
            "lr": recipe.settings["lr"] / 3,
            "schedule": "constant",
        },
    )


def _overfit(recipe: Recipe, rng: Rng) -> Recipe:
    part = np.asarray(recipe.table["part"]).copy()
    train = np.flatnonzero(part == "train")
    kept = np.sort(np.concatenate([train[: int(rng.integers(40, 90))], np.flatnonzero(part != "train")]))
    settings = {"optimizer": "adam", "lr": 0.005, "batch_size": 16, "epochs": 200, "seed": recipe.settings["seed"]}
    table = {name: np.asarray(column)[kept] for name, column in recipe.table.items()}
    return replace(recipe, table=table, hidden=(64, 64), extra="", settings=settings)


def _imbalance(low: float, high: float, recipe: Recipe, rng: Rng) -> Recipe:
    y = np.asarray(recipe.table["y"])
    labels = np.unique(y)
    rare = np.flatnonzero(y == labels[0])
    n_rare = max(30, round(rng.uniform(low, high) * (len(y) - len(rare))))
    kept = np.sort(np.concatenate([rare[:n_rare], np.flatnonzero(y != labels[0])]))
    return replace(recipe, table={name: np.asarray(column)[kept] for name, column in recipe.table.items()})


def _wrong_backward(recipe: Recipe, rng: Rng) -> Recipe:
    wrong = str(rng.choice(["2 * x**2 * dy", "3 * x * dy", "-3 * x**2 * dy", "3 * x**2 * dy + 0.1 * dy"]))
    code = WRONG_BACKWARD.replace("2 * x**2 * dy", wrong)
    return replace(recipe, activation="cube", extra="", code=code).change(lr=recipe.settings["lr"] / 10)


def _same_init(recipe: Recipe, rng: Rng) -> Recipe:
    same = "zeros" if rng.random() < 0.5 else {"constant": float(f"{rng.uniform(0.01, 0.3):.2g}")}
    return replace(recipe, init=same, last_init=same, extra="")  # type: ignore[arg-type]


def _last_sigmoid(recipe: Recipe, rng: Rng) -> Recipe:
    return replace(recipe, last="sigmoid")


SLOW = "stalled unchanged_weights vanishing_gradient lr_too_low"
WILD = "saturated_units dead_units oscillates exploding_gradient large_updates lr_too_high diverged input_scale"
RELU: Mapping[str, Any] = {"activations": ("relu",), "extra": ""}
SMOOTH: Mapping[str, Any] = {"activations": ("tanh", "sigmoid"), "extra": ""}
FAULTS = (
    Fault("lr too high", partial(_times_lr, 1, 2.5), "lr_too_high diverged oscillates", worse, f"{WILD} {SLOW}"),
    Fault("lr too low", partial(_times_lr, -3, -1.3), "lr_too_low", worse, SLOW),
    Fault("dead relus", _dead, "dead_units", worse, SLOW, RELU),
    Fault("unscaled inputs", _unscaled, "input_scale", worse, f"{WILD} {SLOW} initial_loss", {"extra": ""}),
    Fault("leak", _leak, "leaked_target", lambda without, with_fault: clearly_better(with_fault, without)),
    Fault("shuffled", _shuffle, "no_better_than_constant worse_than_constant", worse, "overfit stalled"),
    Fault("saturated", _saturate, "saturated_units", worse, f"{WILD} {SLOW} initial_loss", SMOOTH),
    Fault("shifted", _shift, "input_scale", worse, f"{WILD} {SLOW} initial_loss", SMOOTH),
    Fault("tiny batches", _tiny_batches, "small_batches", worse, "oscillates lr_too_high"),
    Fault("mse on classes", _as_numbers, "loss_for_classes", always, "", {"task": "binary"}),
    Fault("softmax missing", _last_sigmoid, "last_layer", always, "", {"task": "classes"}),
    Fault("constant columns", _constants, "constant constant_inputs", always),
    Fault("deep sigmoids", _deep, "vanishing_gradient", worse, f"{SLOW} saturated_units"),
    Fault("decay", _decay, "decay_too_strong", worse, f"{SLOW} dead_units"),
    Fault("few epochs", _few_epochs, "too_short", worse, "lr_too_low"),
    Fault("overfit", _overfit, "overfit", lambda without, with_fault: with_fault.last_is_worse, "parameters"),
    Fault("imbalance", partial(_imbalance, 0.01, 0.02), "imbalance never_predicted hidden_by_accuracy",
          lambda without, with_fault: with_fault.worst_recall < 0.5, "rare", {"task": "binary"}),
    Fault("never predicted", partial(_imbalance, 0.02, 0.06), "never_predicted",
          lambda without, with_fault: with_fault.worst_recall == 0, "imbalance rare majority hidden_by_accuracy",
          {"task": "classes"}),
    Fault("wrong backward", _wrong_backward, "wrong_backward", always, f"{WILD} {SLOW}", {"hidden": (16,)}),
    Fault("same init", _same_init, "symmetric_units", worse, f"{SLOW} initial_loss"),
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A case that was drawn, with what was judged of its training."""

    case: Case
    recipe: Recipe
    judged: Judged

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.case.must

    def is_true(self, code: str) -> bool:
        """Return whether a diagnosis is right.

        It is, if it names the fault or a consequence of it. What can also happen in a sound training is checked on the
        test rows: `overfit` is right if the last weights are clearly worse than the best ones, `too_short` if twice the
        epochs are clearly better, and `never_predicted` and `hidden_by_accuracy` by the share of a class that is found.
        """
        checks: dict[str, Callable[[], bool]] = {
            "overfit": lambda: self.judged.last_is_worse,
            "too_short": lambda: clearly_better(self._for_twice_the_epochs(), self.judged),
            "never_predicted": lambda: self.judged.worst_recall == 0,
            "hidden_by_accuracy": lambda: self.judged.worst_recall < 0.5,
        }
        return code in self.case.must or code in self.case.may or checks.get(code, bool)()

    def _for_twice_the_epochs(self) -> Judged:
        return _train(self.recipe.change(epochs=2 * self.recipe.settings["epochs"]), with_reference=False)[0]


def drawn() -> Iterator[Drawn]:
    """Yield the faulty ones, then the healthy ones. Which ones pass depends on trainings, so this takes minutes."""
    for i in range(N_FAULTY):
        yield _first(partial(_faulty, i), i)
    for i in range(N_HEALTHY):
        yield _first(partial(_healthy, i), 1000 + i)


def _first(attempt: Callable[[Rng], Drawn | None], i: int) -> Drawn:
    """Return the first attempt that passes."""
    for k in range(200):
        found = attempt(np.random.default_rng((SEED, i, k)))
        if found is not None:
            return found
    raise RuntimeError(f"no case {i} passes")


def _healthy(i: int, rng: Rng) -> Drawn | None:
    recipe = draw_recipe(rng)
    judged, best = _train(recipe)
    return Drawn(recipe.case(f"healthy {i}"), recipe, judged) if best is not None and as_good(judged, best) else None


def _faulty(i: int, rng: Rng) -> Drawn | None:
    fault = FAULTS[i] if i < len(FAULTS) else FAULTS[int(rng.integers(len(FAULTS)))]
    recipe = draw_recipe(rng, **(fault.needs or {}))
    without, best = _train(recipe)
    if best is None or not as_good(without, best):
        return None
    broken = fault.put(recipe, rng)
    with_fault, _ = _train(broken, with_reference=False)
    if not fault.harms(without, with_fault):
        return None
    return Drawn(broken.case(f"{fault.name} {i}", fault.must, fault.may), broken, with_fault)


def _train(recipe: Recipe, with_reference: bool = True) -> tuple[Judged, Judged | None]:
    """Train a recipe, and judge it on its test rows, with the scikit-learn reference."""
    with tempfile.TemporaryDirectory() as name, quiet():
        folder = Path(name)
        path = recipe.case("a case").write(folder)
        with own_code(folder / "own.py" if recipe.code else None):
            experiment = workflows.prepare(workflows.load(path))
            judged = judge(experiment, trained(experiment, folder))
        return judged, reference(experiment) if with_reference else None
