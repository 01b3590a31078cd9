"""Each check of a run says what it should of numbers that are known, and nothing of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from nnfs_cli.config.config import Config
from nnfs_cli.doctor.after import (
    best_epoch,
    decay,
    gradients,
    loss_curve,
    rare_class,
    symmetry,
    units,
    updates,
    verdicts,
)
from nnfs_cli.doctor.after.trained_run import TrainedRun
from nnfs_cli.workflows.verdicts import Verdict

EPOCHS = np.array([0, 1, 10, 100])
STEPS = EPOCHS * 10


def config(*layers: Any, **settings: Any) -> Config:
    usual = {"dataset": "moons", "loss": "binary_cross_entropy", "epochs": 100, "lr": 0.1}
    net = layers or ({"linear": 4}, "tanh", {"linear": 4}, "relu", {"linear": 1}, "sigmoid")
    return Config.model_validate({**usual, "layers": list(net), **settings})


def run(
    losses: Sequence[float] = (), codes: str = "", made: Config | None = None, state: str = "finished", **probes: Any
) -> TrainedRun:
    """Return a run with these training losses, verdicts and probes; in the name of a probe, ``__`` stands for a dot."""
    log = [{"epoch": i + 1.0, "step": 10.0 * (i + 1), "train_loss": loss} for i, loss in enumerate(losses)]
    told = [Verdict(code, "warning", "a sentence", "a remedy") for code in codes.split()]
    arrays = {name.replace("__", ".").lstrip("_"): np.asarray(array, float) for name, array in probes.items()}
    if arrays:
        arrays |= {"epoch": EPOCHS, "step": STEPS}
    return TrainedRun(made or config(), state, log, arrays, {}, told, None)


def weights(name: str, norm: Any = 1.0, gradient: Any = 1.0, update: Any = 0.01) -> dict[str, Any]:
    """Return the probes of one weight at four epochs."""
    ones = np.ones(4)
    return {f"{name}.norm": norm * ones, f"{name}.gradient": gradient * ones, f"{name}.update": update * ones}


def with_weights(codes: str = "", made: Config | None = None, **by_name: Mapping[str, Any]) -> TrainedRun:
    named = [weights(name.lstrip("_") + ".weight", **values) for name, values in by_name.items()]
    return run([0.6] * 100, codes, made, **{key: value for one in named for key, value in one.items()})


FALLING = [1 / epoch for epoch in range(1, 21)]
SAWTOOTH = [0.5, 0.4, *[0.2, 0.4] * 9]
NOISY_BUT_DONE = [1.0, 0.1, *[1e-5, 2e-5] * 9]


@pytest.mark.parametrize(("losses", "found"), [(SAWTOOTH, True), (FALLING, False), (NOISY_BUT_DONE, False)])
def test_a_loss_oscillates_if_it_often_rises_by_much_of_itself_and_of_the_gain(
    losses: list[float], found: bool
) -> None:
    diagnoses = [*loss_curve.oscillates(run(losses))]
    assert bool(diagnoses) == found
    assert all(one.edits == {"lr": 0.03} for one in diagnoses)


@pytest.mark.parametrize(
    ("losses", "codes", "found"),
    [
        ([0.693] * 20, "no_better_than_constant", True),
        ([0.693] * 20, "", False),  # such as a net that was trained before
        (FALLING, "no_better_than_constant", False),
        ([0.693] * 3, "no_better_than_constant", False),
    ],
)
def test_a_loss_that_does_not_fall_counts_only_in_a_net_that_finds_nothing(
    losses: list[float], codes: str, found: bool
) -> None:
    assert bool([*loss_curve.does_not_fall(run(losses, codes))]) == found


def test_of_a_run_that_diverged_the_layer_that_grew_first_is_named() -> None:
    sick = run(
        [0.7, np.inf],
        state="diverged",
        layers__0__output__std=[1, 2, 8, 90],
        layers__2__output__std=[1, 20, 50, np.nan],
    )
    (one,) = loss_curve.diverged(sick)
    assert "the output of layers.2 grew first, in epoch 1" in one.measured
    assert one.edits == {"lr": 0.01}
    assert not [*loss_curve.diverged(run(FALLING))]


@pytest.mark.parametrize(
    ("dead", "found"), [([0, 0, 0.5, 1], True), ([1, 0.9, 0.5, 0.2], False), ([1] * 3 + [np.nan], False)]
)
def test_dead_units_count_at_the_end(dead: list[float], found: bool) -> None:
    assert bool([*units.dead_units(run(FALLING, layers__3__output__dead=dead))]) == found


def test_only_hidden_layers_that_saturate_are_looked_at() -> None:
    flat = np.ones(4)
    assert [*units.saturated_units(run(FALLING, layers__1__output__saturated=flat))]
    assert not [*units.saturated_units(run(FALLING, layers__3__output__saturated=flat))]  # relu has one end only
    assert not [*units.saturated_units(run(FALLING, layers__5__output__saturated=flat))]  # answers should be certain


@pytest.mark.parametrize(
    ("first", "code"), [(1e-6, "vanishing_gradient"), (1e6, "exploding_gradient"), (1e-2, None), (1e2, None)]
)
def test_gradients_of_first_and_last_weights_are_compared_beside_their_weights(first: float, code: str | None) -> None:
    sick = with_weights(_0={"gradient": first}, _2={}, _4={"gradient": 30, "norm": 30})
    assert [one.code for one in gradients.vanishing_or_exploding(sick)] == ([code] if code else [])


def test_a_gradient_that_is_zero_everywhere_says_nothing_about_layers() -> None:
    zero = {"gradient": 0}
    assert not [*gradients.vanishing_or_exploding(with_weights(_0=zero, _2=zero, _4=zero))]


@pytest.mark.parametrize(
    ("update", "codes", "found"),
    [(1e-4, "too_short", True), (1e-4, "", False), (1e-2, "too_short", False)],  # times 1,000 steps
)
def test_small_updates_count_in_a_net_that_has_more_to_learn(update: float, codes: str, found: bool) -> None:
    one = {"update": update}
    diagnoses = [*updates.small_updates(with_weights(codes, _0=one, _2=one, _4=one))]
    assert bool(diagnoses) == found
    assert all(1 < one.edits["lr"] / 0.1 <= 100 for one in diagnoses)


@pytest.mark.parametrize(
    ("update", "codes", "found"),
    [(0.3, "", True), (0.3, "better_than_linear", False), ([0.5, 0.5, 0.01, 0.01], "", False)],
)
def test_large_updates_count_late_in_a_net_that_is_not_known_to_be_good(update: Any, codes: str, found: bool) -> None:
    diagnoses = [*updates.large_updates(with_weights(codes, _0={}, _2={"update": np.array(update)}))]
    assert bool(diagnoses) == found
    assert all(one.edits == {"lr": 0.001} for one in diagnoses)


@pytest.mark.parametrize(
    ("values", "codes", "found"),
    [
        ([1, 2, 3, 3, 3, 3], "", True),
        ([1, 2, 3, 3, 3, 3], "overfit", False),
        ([1, 0.9, 3, 3, 3, 3], "", False),
        ([1, 1.1, 1.01, 1.02, 1, 1.03], "", False),
    ],
)
def test_a_best_epoch_at_the_start_counts_if_the_last_ones_are_clearly_worse(
    values: list[float], codes: str, found: bool
) -> None:
    sick = run([0.5] * 6, codes)
    log = [{**row, "val_loss": value} for row, value in zip(sick.log, values, strict=True)]
    sick = TrainedRun(sick.config, sick.state, log, {}, {}, sick.verdicts, None)
    assert bool([*best_epoch.best_at_first_epoch(sick)]) == found


def test_the_movement_of_weights_is_the_sum_of_their_updates() -> None:
    assert with_weights(_0={"update": 0.002}).movement("0.weight") == pytest.approx(0.002 * 1000)
    assert with_weights(_0={"update": np.nan}).movement("0.weight") is None


def test_weights_that_stay_while_others_move_are_named() -> None:
    (one,) = updates.unchanged_weights(with_weights(_0={"update": 1e-9}, _2={"update": 1e-9}, _4={}))
    assert one.measured.startswith("the weights of layers.0 and layers.2 changed by at most")
    assert not [*updates.unchanged_weights(with_weights(_0={}, _2={}, _4={}))]


@pytest.mark.parametrize(
    ("weight_decay", "norm", "codes", "found"),
    [
        (10, [1, 0.5, 0.1, 0.1], "worse_than_linear", True),
        (10, [1, 0.5, 0.1, 0.1], "better_than_linear", False),
        (10, [1, 1, 1, 2], "worse_than_linear", False),
        (0.01, [1, 0.5, 0.1, 0.1], "worse_than_linear", False),  # remembers 1,000 steps
    ],
)
def test_decay_kills_weights_that_forget_and_shrink(weight_decay: float, norm: Any, codes: str, found: bool) -> None:
    made = config(optimizer={"adamw": weight_decay})
    diagnoses = [*decay.killed_by_decay(with_weights(codes, made, _0={"norm": np.array(norm)}))]
    assert bool(diagnoses) == found


@pytest.mark.parametrize(
    ("last", "found"), [(np.zeros((3, 4)), True), (np.tile([[1.0], [2], [3]], 4), True), (np.eye(3, 4), False)]
)
def test_units_with_equal_weights_are_symmetric(last: Any, found: bool) -> None:
    made = with_weights(_0={}, _2={}, _4={})
    snapshots = {"0.weight": np.stack([np.zeros((3, 4)), last])}
    sick = TrainedRun(made.config, made.state, made.log, made.probes, snapshots, (), None)
    assert bool([*symmetry.symmetric_units(sick)]) == found


@pytest.mark.parametrize(
    ("rare", "class_weights", "found"),
    [((30, 10), None, True), ((5, 35), None, False), ((30, 10), "balanced", False), ((2, 1), None, False)],
)
def test_a_rare_class_that_is_missed_counts_if_the_accuracy_is_high(
    rare: tuple[int, int], class_weights: str | None, found: bool
) -> None:
    missed, right = rare
    table = {"often": {"often": 960, "rare": 0}, "rare": {"often": missed, "rare": right}}
    made = config(class_weights=class_weights)
    sick = TrainedRun(made, "finished", (), {}, {}, (), table)
    assert bool([*rare_class.hidden_by_accuracy(sick)]) == found


def test_of_two_classes_a_threshold_is_the_remedy_and_of_more_their_weights() -> None:
    two = {"often": {"often": 960, "rare": 0}, "rare": {"often": 30, "rare": 10}}
    turned = {"a rare one": {"a rare one": 10, "often": 30}, "often": {"a rare one": 0, "often": 960}}
    three = {"often": {"often": 960, "rare": 0, "x": 0}, **{name: {"often": 30, name: 10} for name in ("rare", "x")}}
    found = []
    for table in (two, turned, three):
        sick = TrainedRun(config(metrics=["accuracy"]), "finished", (), {}, {}, (), table)
        (one,) = rare_class.hidden_by_accuracy(sick)
        found.append((one.remedy.split(", and metrics")[0], one.edits))
    assert found == [
        ("`nnfs decide RUN --costs fp=1,fn=20`", {"metrics": ["accuracy", "balanced_accuracy"]}),
        ("`nnfs decide RUN --costs fp=20,fn=1`", {"metrics": ["accuracy", "balanced_accuracy"]}),
        ("class_weights: balanced", {"class_weights": "balanced"}),
    ]


def test_verdicts_that_are_notes_and_those_about_new_rows_are_no_diagnoses() -> None:
    told = run([1.0] * 6, "overfit too_short better_than_linear narrow_intervals")
    assert {one.code: one.edits for one in verdicts.verdicts_on_training(told)} == {
        "overfit": {},
        "too_short": {"epochs": 12},
    }
