"""The trace of a training step: its numbers are those of training, and others compute the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.trace.batch import traced_batch
from nnfs_cli.trace.source import batch_of_config
from nnfs_cli.trace.trace import trace
from nnfs_cli.trace.values import Step, Trace
from nnfs_cli.training.callbacks import Callback, Training

CONFIGS = Path(__file__).parents[2] / "configs"
ALL = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml"))
FEW = ["iris.yaml", "seeds/003_dense.yaml", "toolbox/members.yaml", "toolbox/nested.yaml"]


def traced(name: str, rows: int = 4, **settings: object) -> Trace:
    config = workflows.load(CONFIGS / name, [f"{key}={value}" for key, value in settings.items()])
    return trace(batch_of_config(config, name, rows))


def step(found: Trace, phase: str, path: str) -> Step:
    return next(one for one in found.steps if (one.phase, one.path) == (phase, path))


def assert_numbers_of_training(name: str, dtype: str) -> None:
    config = workflows.load(CONFIGS / name, [f"dtype={dtype}"])
    batch = batch_of_config(config, name)
    found, model = trace(batch), batch.model
    total = model.differentiate(batch.x, batch.y, batch.weight, batch.draws, batch.mean_total)
    weight = len(batch.x) if batch.weight is None else batch.weight.sum(dtype=np.float64)
    assert found.loss == pytest.approx(total / weight, rel=1e-5 if dtype == "float32" else 1e-12)
    updates = {one.path: one for one in found.steps if one.phase == "update"}
    backward = [array for one in found.steps if one.phase == "backward" for array in one.arrays]
    for full_name, gradient in model.gradients.arrays.items():
        shown = [array.values for array in backward if array.name == f"d{full_name.rpartition('.')[2]}"]
        shown += [array.values for array in backward if full_name.endswith(array.name.removeprefix("d"))]
        assert any(np.array_equal(array, gradient) for array in shown), full_name
        if full_name in updates:
            np.testing.assert_array_equal(updates[full_name].array("dL/dw"), gradient)
    for one in found.steps:
        largest = max([abs(check.numerical) for check in one.checks], default=0)
        for check in one.checks:
            if not check.kink:
                assert check.gradient == pytest.approx(check.numerical, rel=1e-4, abs=1e-5 * largest + 1e-8), check


@pytest.mark.parametrize(("name", "dtype"), [*((name, "float32") for name in FEW), ("iris.yaml", "float64")])
def test_the_numbers_of_a_trace_are_those_of_training(name: str, dtype: str) -> None:
    assert_numbers_of_training(name, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted({*ALL} - {*FEW}))
@pytest.mark.filterwarnings("ignore:parcels.csv. 2 cells")
def test_the_numbers_of_every_trace_are_those_of_training(name: str, dtype: str) -> None:
    assert_numbers_of_training(name, dtype)


class FirstStep(Callback):
    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}

    def on_step(self, training: Training) -> None:
        if not self.arrays:
            self.arrays = {name: array.copy() for name, array in training.model.parameters.arrays.items()}


@pytest.mark.parametrize("name", ["iris.yaml", "toolbox/rare_class.yaml", "toolbox/residual.yaml"])
def test_a_trace_of_a_whole_batch_ends_where_the_first_step_of_training_ends(name: str) -> None:
    experiment = workflows.prepare(workflows.load(CONFIGS / name))
    found = trace(traced_batch(experiment, name, experiment.batches.size))
    first = FirstStep()
    experiment.trainer([first]).train(experiment.training_rows, 1)
    for full_name in experiment.predictor.model.gradients.arrays:
        after = step(found, "update", full_name).array("w'")
        np.testing.assert_allclose(after, first.arrays[full_name], rtol=1e-5, atol=1e-7, err_msg=full_name)


def test_tracing_leaves_the_net_as_it_was() -> None:
    experiment = workflows.prepare(workflows.load(CONFIGS / "toolbox/dropout.yaml"))
    batch = traced_batch(experiment, "dropout")
    before = batch.model.parameters.vector.copy()
    first, second = trace(batch), trace(batch)
    np.testing.assert_array_equal(batch.model.parameters.vector, before)
    assert [step.applied for step in first.steps] == [step.applied for step in second.steps]


# --- what the notebooks show -----------------------------------------------------------------------------------------


def test_the_jacobian_of_softmax_is_that_of_notebook_004() -> None:
    # The notebook goes on as if 5, 7, 3 were the outputs of softmax, whose Jacobian is y_i (δ_ij - y_j).
    found = traced("iris.yaml")
    softmax = step(found, "backward", "loss.activation")
    y = step(found, "loss", "loss").array("y_hat").astype(np.float64)
    J, dy, dx = softmax.array("J"), step(found, "backward", "loss").array("dy_hat"), softmax.array("dx")
    for row in range(4):
        notebook = np.diag(y[row] * (1 - y[row])) - np.outer(y[row], y[row]) * (1 - np.eye(3))
        np.testing.assert_allclose(J[row], notebook, atol=1e-7)
        np.testing.assert_allclose(J[row].T @ dy[row], dx[row], atol=1e-7)


@pytest.mark.parametrize("name", ["iris.yaml", "breast_cancer.yaml", "toolbox/counts.yaml"])
def test_the_loss_and_the_activation_collapse_to_y_hat_minus_y(name: str) -> None:
    found = traced(name)
    together = step(found, "backward", "loss.together")
    loss = step(found, "loss", "loss")
    expected = (loss.array("y_hat") - loss.array("y")) / 4
    np.testing.assert_allclose(together.array("dz"), expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(step(found, "backward", "loss.activation").array("dx"), expected, rtol=1e-4, atol=1e-7)
    assert f"{loss.array('y_hat')[0, 0]:.4g} - " in together.applied[0].text


# --- kinds of nets ---------------------------------------------------------------------------------------------------


def test_layers_inside_layers_are_steps_of_their_own() -> None:
    found = traced("toolbox/nested.yaml")
    forward = [(one.path, one.depth) for one in found.steps if one.phase == "forward"]
    assert ("layers.0", 0) in forward
    assert ("layers.0.layers.1", 1) in forward
    backward = [one.path for one in found.steps if one.phase == "backward" and one.path.startswith("layers")]
    assert backward == [path for path, _ in reversed(forward)]


def test_an_embedding_says_what_it_looks_up() -> None:
    found = traced("toolbox/houses.yaml")
    embedding = step(found, "forward", "embedding")
    codes = embedding.array("x")
    table = next(array for array in embedding.arrays if array.what == "parameter")
    column = found.inputs.index(table.name.removesuffix(".weight"))
    assert f"takes row {int(codes[0, column])} of {table.name}" in " ".join(embedding.notes)


def test_one_member_of_an_ensemble_is_traced() -> None:
    config = workflows.load(CONFIGS / "toolbox/members.yaml")
    experiment = workflows.prepare(config)
    traces = [trace(traced_batch(experiment, "members", member=member)) for member in (0, 1)]
    weights = experiment.predictor.model.parameters.arrays["0.weight"]
    for member, found in enumerate(traces):
        assert found.member == member
        np.testing.assert_array_equal(step(found, "forward", "layers.0").array("weight"), weights[member])
    with pytest.raises(UserError, match="there is no member 99"):
        traced_batch(experiment, "members", member=99)


def test_dropout_has_one_mask_for_the_pass_and_for_its_numerical_check() -> None:
    found = traced("toolbox/dropout.yaml")
    dropout = next(one for one in found.steps if one.title.startswith("dropout") and one.phase == "forward")
    x, y = dropout.array("x"), dropout.array("y")
    assert (y == 0).sum() > (x == 0).sum()
    checks = [check for one in found.steps if one.phase == "backward" for check in one.checks if check.name != "dx"]
    assert len(checks) > 10
    for check in checks:
        assert check.kink or check.gradient == pytest.approx(check.numerical, rel=1e-3, abs=1e-6)


def test_rows_can_be_chosen_and_must_exist() -> None:
    experiment = workflows.prepare(workflows.load(CONFIGS / "iris.yaml"))
    assert traced_batch(experiment, "iris", [7, 3]).rows == (7, 3)
    with pytest.raises(UserError, match="there is no training row 1000; the 90 training rows are 0 to 89"):
        traced_batch(experiment, "iris", [1000])
    normed = workflows.prepare(workflows.load(CONFIGS / "toolbox/dropout.yaml"))
    with pytest.raises(UserError, match="batch_norm needs 2 rows or more; found 1 row"):
        traced_batch(normed, "dropout", [0])
    assert len(traced_batch(normed, "dropout", 1).rows) == 2


def test_a_minimizer_makes_no_step_for_a_batch() -> None:
    found = traced("toolbox/lbfgs.yaml")
    last = found.steps[-1]
    assert last.phase == "update"
    assert "makes none for a batch" in last.notes[0]
