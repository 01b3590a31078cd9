"""Twenty faults, each made on purpose in a training that would be sound without it."""

from __future__ import annotations

from typing import Any

from tests.doctor import tables
from tests.doctor.case import Case

WRONG_BACKWARD = '''
from nnfs_cli.nn.layers import Layer


class Cube(Layer, name="cube"):
    """y = x ** 3, with a derivative that is wrong."""

    def build(self, input_shape):
        return input_shape, {}

    def forward(self, p, x, context):
        return x**3, lambda dy, g, need_dx: 2 * x**2 * dy
'''


def net(*layers: Any, **settings: Any) -> dict[str, Any]:
    """Return a config for two classes, with other settings in the place of the usual ones."""
    usual = {"loss": "binary_cross_entropy", "lr": 0.1, "epochs": 10}
    return {"layers": list(layers), **usual, **settings}


def two_classes(**settings: Any) -> dict[str, Any]:
    """Return the config of `configs/breast_cancer.yaml`, with other settings."""
    return net({"linear": 20}, "relu", {"linear": 1}, "sigmoid", **settings)


def of_numbers(**settings: Any) -> dict[str, Any]:
    """Return a sound config for `tables.numbers`, with other settings."""
    layers = [{"linear": 20}, "tanh", {"linear": 1}]
    return net(*layers, **{"loss": "mse", "lr": 0.05, "epochs": 30, **settings})


def hidden(units: int, **settings: Any) -> dict[str, Any]:
    """Return a linear layer with settings."""
    return {"linear": {"units": units, **settings}}


CONSEQUENCES = {
    "worse_than_constant": "the fault ruins the net",
    "no_better_than_constant": "the fault ruins the net",
    "worse_than_linear": "the fault harms the net",
    "never_predicted": "a ruined net predicts one class",
    "majority": "a ruined net predicts one class",
    "stalled": "a ruined net does not learn",
    "cannot_overfit": "a ruined net cannot learn one batch",
    "initial_loss": "the fault shows in the first loss",
    "too_short": "the fault makes training slow",
}


def planted(name: str, settings: Any, table: Any, must: str, where: str, may: str = "", code: str = "") -> Case:
    """Return a case; `must` and `may` list codes, `where` says which of "before" and "after" must find one."""
    true = {**CONSEQUENCES, **dict.fromkeys(may.split(), "a consequence of the fault")}
    return Case(name, settings, table, frozenset(must.split()), "before" in where, "after" in where, true, code)


PLANTED = (
    planted(
        "lr 100 times too high",
        of_numbers(lr=5),
        tables.numbers,
        "lr_too_high diverged",
        "before after",
        "large_updates saturated_units exploding_gradient oscillates",
    ),
    planted(
        "lr 100 times too low",
        two_classes(lr=0.001),
        tables.breast_cancer,
        "lr_too_low",
        "before",
        "small_updates unchanged_weights",
    ),
    planted(
        "dead relus by a bad bias",
        net(hidden(20, bias_init={"constant": -30}), "relu", {"linear": 1}, "sigmoid"),
        tables.breast_cancer,
        "dead_units",
        "before after",
        "unchanged_weights",
    ),
    planted(
        "unscaled inputs",
        two_classes(preprocessing={"numbers": "none"}),
        tables.breast_cancer,
        "input_scale",
        "before",
        "lr_too_high saturated_units dead_units large_updates exploding_gradient oscillates",
    ),
    planted("leaked target", two_classes(), lambda: tables.breast_cancer(tables.leaked), "leaked_target", "before"),
    planted(
        "shuffled labels",
        two_classes(epochs=20),
        lambda: tables.breast_cancer(tables.shuffled),
        "no_better_than_constant worse_than_constant",
        "after",
        "overfit",
    ),
    planted(
        "saturated sigmoids",
        net(hidden(20, init={"normal": 20}), "sigmoid", {"linear": 1}, "sigmoid"),
        tables.breast_cancer,
        "saturated_units",
        "before after",
        "unchanged_weights small_updates",
    ),
    planted(
        "shifted data without a bias",
        of_numbers(layers=[hidden(20, bias=False), "tanh", hidden(1, bias=False)], preprocessing={"numbers": "none"}),
        lambda: tables.numbers(shift=50),
        "input_scale",
        "before",
        "lr_too_high saturated_units large_updates exploding_gradient oscillates",
    ),
    planted(
        "batch norm on batches of 2",
        net({"linear": 20}, "batch_norm", "relu", {"linear": 1}, "sigmoid", batch_size=2),
        tables.breast_cancer,
        "small_batches",
        "before",
        "oscillates lr_too_high",
    ),
    planted(
        "mse on classes",
        two_classes(layers=[{"linear": 20}, "relu", {"linear": 1}], loss="mse", lr=0.01),
        lambda: tables.breast_cancer(tables.as_numbers),
        "loss_for_classes",
        "before",
    ),
    planted(
        "softmax missing",
        net({"linear": 20}, "relu", {"linear": 3}, "sigmoid", loss="cross_entropy"),
        lambda: tables.groups(n_classes=3),
        "last_layer",
        "before",
    ),
    planted(
        "constant features", two_classes(), lambda: tables.breast_cancer(tables.with_constants), "constant", "before"
    ),
    planted(
        "twenty sigmoid layers",
        net(*[{"linear": 16}, "sigmoid"] * 20, {"linear": 1}, "sigmoid"),
        tables.breast_cancer,
        "vanishing_gradient",
        "before after",
        "small_updates unchanged_weights lr_too_low lr_too_high",
    ),
    planted(
        "weights frozen by decay",
        two_classes(optimizer={"adamw": 50}, lr=0.01, epochs=20),
        tables.breast_cancer,
        "decay_too_strong",
        "before after",
        "vanishing_gradient dead_units",
    ),
    planted(
        "too few epochs",
        two_classes(lr=0.01, epochs=6),
        tables.breast_cancer,
        "too_short",
        "after",
        "lr_too_low",
    ),
    planted(
        "overfit on 60 rows",
        net(
            {"linear": 64},
            "relu",
            {"linear": 64},
            "relu",
            {"linear": 1},
            "sigmoid",
            optimizer="adam",
            lr=0.01,
            epochs=150,
        ),
        lambda: tables.groups(n=75, spread=2.5, dims=20, seed=3),
        "overfit",
        "after",
        "parameters",
    ),
    planted(
        "99 to 1 imbalance",
        two_classes(),
        lambda: tables.groups(n=2000, spread=1.5, shares=(0.99, 0.01), seed=1),
        "imbalance never_predicted hidden_by_accuracy",
        "before after",
        "rare",
    ),
    planted(
        "a class that is never predicted",
        net({"linear": 20}, "relu", {"linear": 3}, "softmax", loss="cross_entropy", epochs=20),
        lambda: tables.groups(n=1000, n_classes=3, spread=2.5, shares=(0.48, 0.48, 0.04), seed=2),
        "never_predicted",
        "after",
        "imbalance rare",
    ),
    planted(
        "a wrong backward",
        net({"linear": 20}, "cube", {"linear": 1}, "sigmoid", lr=0.01),
        tables.breast_cancer,
        "wrong_backward",
        "before",
        "exploding_gradient",
        WRONG_BACKWARD,
    ),
    planted(
        "zero initialisation",
        net(hidden(20, init="zeros"), "tanh", hidden(1, init="zeros"), "sigmoid"),
        tables.breast_cancer,
        "symmetric_units",
        "before after",
        "unchanged_weights vanishing_gradient lr_too_low",
    ),
)
