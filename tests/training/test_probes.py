"""What a training leaves about the inside of its net: right numbers, at the right epochs, and no trace in the net."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump, read
from nnfs_cli.errors import DivergedError, NnfsWarning, RunError
from nnfs_cli.experiment import read_data
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.probes import MOST_EPOCHS, spread, thinned
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.workflows.load_run import config_of
from tests.components.registry import components_restored
from tests.conftest import unsealed
from tests.twins import Leaving, record

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

BASE: dict[str, Any] = {
    "dataset": {"csv": {"path": "table.csv", "target": "y"}},
    "split": {"validation": 0.25},
    "preprocessing": {"categories": "one_hot"},
    "layers": [{"linear": 4}, "relu", {"linear": 1}],
    "loss": "mse",
    "lr": 0.02,
    "batch_size": 8,  # 30 rows to train: 4 steps an epoch
    "epochs": 5,
}
COLORS = ("red", "green", "blue")
Trained = Callable[..., RunDirectory]


def of(family: type[Component], key: str) -> dict[str, dict[str, Any]]:
    """A config for each member of a family."""
    return {name: {key: read(member.examples[0].encode())[0]} for name, member in family.registered.items()}


CASES: dict[str, dict[str, Any]] = {
    **of(Optimizer, "optimizer"),
    **of(Averaging, "averaging"),
    "dropout": {"layers": [{"linear": 6}, "relu", {"dropout": 0.3}, {"linear": 1}]},
    "batch_norm": {"layers": [{"linear": 6}, "batch_norm", {"linear": 1}], "averaging": "ema"},
    "accumulate": {"accumulate": 2},
    "embedding": {"preprocessing": {"categories": {"embedding": 2}}},
    "weights": {"dataset": {"csv": {"path": "table.csv", "target": "y", "weight": "b"}}},
    "members": {"members": 3, "layers": [{"linear": 6}, "batch_norm", {"dropout": 0.3}, {"linear": 1}]},
    "folds": {"members": 3, "holdout": "fold", "split": 0},
    "streamed": {"memory_limit": "1 MB", "optimizer": "adam"},
    "threads": {"threads": 1, "layers": [{"residual": [{"dense": 5}, {"linear": 3}]}, {"linear": 1}]},
}


@pytest.fixture
def train(tmp_path: Path) -> Trained:
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal(40), rng.integers(1, 4, 40)
    rows = [f"{a[i]:.4f},{b[i]},{COLORS[i % 3]},{a[i] * b[i]:.4f}\n" for i in range(40)]
    (tmp_path / "table.csv").write_text("a,b,word,y\n" + "".join(rows))

    def run(*callbacks: Callback, **changes: Any) -> RunDirectory:
        merged = {**BASE, **changes}
        if changes.get("optimizer") == "lbfgs":
            del merged["lr"], merged["batch_size"]
        (tmp_path / "c.yaml").write_text(dump(merged))
        experiment = workflows.prepare(Config.load(tmp_path / "c.yaml"))
        run = workflows.begin(experiment, tmp_path / "runs")
        try:
            workflows.train(experiment, run, callbacks)
        except KeyboardInterrupt:
            resume(run.path)
        return run

    return run


def resume(path: Path, *callbacks: Callback, **options: Any) -> RunDirectory:
    run = RunDirectory.open(path)
    workflows.resume(workflows.reopen(run, **options), run, callbacks)
    return run


def probes(run: RunDirectory) -> dict[str, Array]:
    found = run.arrays.probes()
    assert found is not None
    return found


def snapshots(run: RunDirectory) -> dict[str, Array]:
    found = run.arrays.snapshots()
    assert found is not None
    return found


# No trace


# One optimizer stands for those that keep an array in the same way.
SLOW = ("adagrad", "adamw", "lion", "nadam", "rmsprop")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CASES])
def test_a_training_is_the_same_with_and_without(name: str, train: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 10**9)
    without, probed = (record(train(**CASES[name], probes=on).path) for on in (False, True))
    assert probed.keys() - without.keys() == {"probes.npz", "snapshots.npz"}
    states = [{key: array for key, array in one.get("state.npz", {}).items() if not key.startswith("probes.")}
              for one in (without, probed)]  # fmt: skip
    assert states[0] == states[1]
    assert [one["metrics.json"] for one in (without, probed)] == [without["metrics.json"]] * 2
    for file in ("epochs.csv", "weights/best.npz", "weights/last.npz"):
        assert without[file] == probed[file]


class Gradients(Callback):
    """What other callbacks can see of the net."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def on_log(self, training: Training, row: Any) -> None:
        model = training.model
        self.seen += [model.gradients.vector.tobytes(), model.parameters.vector.tobytes()]


def test_other_callbacks_see_the_gradients_of_the_last_step(train: Trained) -> None:
    seen = []
    for on in (False, True):
        gradients = Gradients()
        train(gradients, probes=on, layers=[{"linear": 3}, "batch_norm", {"linear": 1}])
        seen.append(gradients.seen)
    assert seen[0] == seen[1]
    assert len({*seen[0]}) > 5


def test_a_layer_that_cannot_take_the_sample_does_not_end_a_training(train: Trained) -> None:
    with components_restored():

        class Picky(Layer, name="picky"):
            """y = x, for no more than 8 rows."""

            def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
                if len(x) > 8 and context.training:
                    raise OverflowError("too many rows")
                return x, lambda dy, g, need_dx: dy

        with pytest.warns(NnfsWarning, match="no statistics of the layers are recorded: OverflowError"):
            run = train(layers=["picky", {"linear": 1}])
    assert run.status()["state"] == "finished"
    assert run.arrays.probes() is None


# Numbers


def test_statistics_are_those_of_the_rows(train: Trained) -> None:
    """From the snapshots and the table alone, for a net whose mathematics takes four lines."""
    dataset = {"csv": {"path": "table.csv", "target": "y", "drop": ["word"]}}
    run = train(dataset=dataset, split=0, preprocessing={"numbers": "none", "target": "none"}, epochs=30)
    found, kept = probes(run), snapshots(run)
    text = (run.path.parent.parent / "table.csv").read_text().splitlines()[1:]
    table = np.array([[float(cell) for j, cell in enumerate(row.split(",")) if j != 2] for row in text])
    x, y = table[:, :2].astype("float32"), table[:, 2:]
    assert found["epoch"].tolist() == spread(30)
    assert found["step"].tolist() == [5 * epoch for epoch in spread(30)]
    assert kept["epoch"].tolist() == found["epoch"].tolist()
    for i in range(len(found["epoch"])):
        w = {name: array[i].astype(float) for name, array in kept.items() if name != "epoch"}
        z = x @ w["0.weight"] + w["0.bias"]
        h = np.maximum(z, 0)
        d_hat = (h @ w["2.weight"] + w["2.bias"] - y) * 2 / len(x)
        dz = (d_hat @ w["2.weight"].T) * (z > 0)
        expected = {
            "layers.0.output.mean": z.mean(),
            "layers.0.output.std": z.std(),
            "layers.0.output.min": z.min(),
            "layers.0.output.max": z.max(),
            "layers.1.output.zeros": (h == 0).mean(),
            "layers.1.output.dead": (h == 0).all(axis=0).mean(),
            "layers.1.gradient.norm": np.linalg.norm(d_hat @ w["2.weight"].T),
            "layers.0.gradient.norm": np.linalg.norm(dz),
            "layers.2.gradient.norm": np.linalg.norm(d_hat),
            "0.weight.norm": np.linalg.norm(w["0.weight"]),
            "0.weight.gradient": np.linalg.norm(x.T @ dz),
            "2.bias.gradient": np.linalg.norm(d_hat.sum(axis=0)),
        }
        for name, value in expected.items():
            assert found[name][i] == pytest.approx(value, rel=1e-3, abs=1e-5), (name, i)


@pytest.mark.parametrize(("layer", "edge"), [("sigmoid", 4.59512), ("tanh", 2.29756)])  # where 99 % of the way is gone
def test_saturated_numbers_are_close_to_a_bound(layer: str, edge: float, train: Trained) -> None:
    net = [{"linear": {"units": 1, "bias": False, "init": {"constant": 3.0}}}, layer, {"linear": 1}]
    dataset = {"csv": {"path": "table.csv", "target": "y", "drop": ["word", "b"]}}
    run = train(layers=net, split=0, dataset=dataset, preprocessing={"numbers": "none"})
    rows = (run.path.parent.parent / "table.csv").read_text().splitlines()[1:]
    a = np.array([float(row.split(",")[0]) for row in rows])
    share = (np.abs(3 * a) > edge).mean()
    assert 0.05 < share < 0.95
    assert probes(run)["layers.1.output.saturated"][0] == pytest.approx(share)
    assert np.isnan(probes(run)["layers.0.output.saturated"]).all()


class Steps(Callback):
    """The weights before the training and after each step."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Array]] = []

    def on_begin(self, training: Training) -> None:
        self.on_step(training)

    def on_step(self, training: Training) -> None:
        self.seen.append({name: array.astype(float) for name, array in training.model.parameters.arrays.items()})


@pytest.mark.parametrize("averaging", [None, {"ema": 0.9}])
@pytest.mark.parametrize("batch_size", [8, "full"])
def test_updates_are_those_of_the_last_step_of_the_epoch(averaging: Any, batch_size: Any, train: Trained) -> None:
    steps = Steps()
    found = probes(train(steps, averaging=averaging, batch_size=batch_size, optimizer="adam"))
    assert np.isnan(found["0.weight.update"][0])
    for i, step in enumerate(found["step"].tolist()[1:], 1):
        before, after = steps.seen[step - 1], steps.seen[step]
        for name in before:
            change = np.linalg.norm(after[name] - before[name]) / np.linalg.norm(after[name])
            assert found[f"{name}.update"][i] == pytest.approx(change, rel=1e-5)


def test_kept_weights_are_those_that_count(train: Trained) -> None:
    run = train(averaging={"ema": 0.9}, checkpoint={"every": 1})
    kept = snapshots(run)
    for i, epoch in enumerate(kept["epoch"].tolist()[1:], 1):
        with np.load(run.path / "weights" / f"epoch-{epoch}.npz") as weights:
            for name in weights:
                np.testing.assert_array_equal(kept[name][i], weights[name])


def test_members_are_kept_apart_and_counted_together(train: Trained) -> None:
    run = train(members=3)
    assert snapshots(run)["0.weight"].shape[:2] == (6, 3)
    weight = snapshots(run)["0.weight"][2].astype(float)
    assert probes(run)["0.weight.norm"][2] == pytest.approx(np.linalg.norm(weight))


def test_a_large_net_keeps_statistics_alone(train: Trained) -> None:
    run = train(layers=[{"linear": 150}, {"linear": 150}, {"linear": 1}], epochs=1)
    assert run.arrays.snapshots() is None
    assert probes(run)["1.weight.norm"].shape == (2,)


# Epochs


@given(st.integers(1, 10**9))
def test_epochs_are_spread_evenly_in_log_time(epochs: int) -> None:
    chosen = spread(epochs)
    assert chosen[:2] == [0, 1]
    assert chosen[-1] == epochs
    assert len(chosen) <= MOST_EPOCHS
    assert chosen == sorted(set(chosen))
    distance = np.log(epochs) / (MOST_EPOCHS - 2)
    for before, after in pairwise(chosen[1:]):
        assert after - before == 1 or np.log(after / before) < distance + 1 / before


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=120), st.integers(2, 60))
def test_thinned_epochs_keep_their_ends(epochs: set[int], most: int) -> None:
    left = thinned(epochs, most)
    assert set(left) <= epochs
    assert len(left) == min(most, len(epochs))
    assert (left[0], left[-1]) == (min(epochs), max(epochs))
    assert left == sorted(left)
    assert thinned(left, most) == left


def test_an_epoch_in_which_training_stops_is_recorded(train: Trained) -> None:
    ended = train(epochs=10**6, early_stopping={"patience": 40, "min_delta": 1e9})
    assert probes(ended)["epoch"][-1] == ended.epochs()[-1]["epoch"] == 41
    assert 41 not in spread(10**6)
    converged = train(optimizer="lbfgs", epochs=10**5, layers=[{"linear": 1}])
    assert "has converged" in converged.metrics()["stopped"]
    assert probes(converged)["epoch"][-1] == converged.epochs()[-1]["epoch"]


def test_a_training_that_diverges_keeps_what_was_seen_before(train: Trained, tmp_path: Path) -> None:
    with pytest.raises(DivergedError):
        train(lr=3.0, epochs=200)
    run = RunDirectory.open(tmp_path / "runs" / "c-1")
    assert run.status()["state"] == "diverged"
    seen = probes(run)["0.weight.norm"]
    assert len(seen) > 1
    assert seen[-1] > seen[0]


# Resumed


@pytest.mark.parametrize(  # before, at and after the end of an epoch
    ("name", "steps"),
    [
        ("dropout", 3),
        ("members", 4),
        ("streamed", 11),
        *(pytest.param("ema", steps, marks=pytest.mark.slow) for steps in range(1, 20)),
    ],
)
def test_interrupted_and_resumed_leaves_the_same(
    name: str, steps: int, train: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 10**9)
    files = [(run.path / file).read_bytes() for run in (train(**CASES[name]), train(Leaving(steps), **CASES[name]))
             for file in ("probes.npz", "snapshots.npz")]  # fmt: skip
    assert files[:2] == files[2:]


class Copied(Callback):
    """Copies the run as a kill after a step would leave it, with the state of an earlier step."""

    def __init__(self, saved: int, killed: int, to: Path) -> None:
        self.saved, self.killed, self.to = saved, killed, to

    def on_step(self, training: Training) -> None:
        store = next(callback for callback in training.callbacks if callback.key == "best")._store
        if training.progress.step == self.saved:
            store.write_state(training.state())
            self.state = (self.to.parent / "c-1" / "state.npz").read_bytes()
        if training.progress.step == self.killed:
            training.state()  # a state that is not written: its records are
            shutil.copytree(self.to.parent / "c-1", self.to)
            (self.to / "state.npz").write_bytes(self.state)
            (self.to / "lock").unlink()


@pytest.mark.parametrize(("saved", "killed"), [(2, 3), (3, 9), (4, 9), (5, 17)])
def test_killed_and_resumed_leaves_the_same(saved: int, killed: int, train: Trained, tmp_path: Path) -> None:
    whole = train(Copied(saved, killed, tmp_path / "runs" / "copy-1"))
    resume(tmp_path / "runs" / "copy-1")
    assert record(tmp_path / "runs" / "copy-1") == record(whole.path)


def test_more_epochs_are_spread_anew_and_are_never_more_than_60(train: Trained) -> None:
    run = train(epochs=700, log_every=100)
    assert probes(run)["epoch"].tolist() == spread(700)
    for epochs in (1400, 2000):
        resume(run.path, epochs=epochs)
        found = probes(run)["epoch"]
        assert 40 < len(found) <= MOST_EPOCHS
        assert (found[0], found[-1]) == (0, epochs)
        assert np.diff(np.log1p(found))[20:].max() < 0.4
        assert snapshots(run)["epoch"].tolist() == found.tolist()
    assert workflows.verify(run).exact


def test_a_run_of_an_earlier_release_goes_on_without(train: Trained) -> None:
    whole = train(probes=False)
    run = train(Leaving(6), probes=False)
    spec = run.path / "spec.yaml"
    assert "probes: false" in spec.read_text()
    assert record(run.path)["state.npz"].keys() == record(whole.path)["state.npz"].keys()
    earlier = train(probes=True)
    unsealed(earlier.path)
    spec = earlier.path / "spec.yaml"
    spec.write_text(spec.read_text().replace("probes: true\n", ""))
    assert config_of(earlier).probes is False


def test_verify_tells_of_other_statistics(train: Trained) -> None:
    run = train()
    assert workflows.verify(run).exact
    unsealed(run.path)
    found = probes(run)
    found["0.weight.norm"][-1] += 1e-9
    run.arrays.write_probes(found)
    with pytest.raises(RunError, match="what differs: what the probes have shown"):
        workflows.verify(run)


# Files from strangers


def whole(k: int = 3) -> dict[str, Array]:
    return {"epoch": np.arange(k), "step": 2 * np.arange(k), "0.weight.norm": np.array([np.nan, np.inf, 1.0])[:k]}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


def test_what_was_written_is_read(run: RunDirectory) -> None:
    assert (run.arrays.probes(), run.arrays.snapshots()) == (None, None)
    weights = {"epoch": np.array([0, 9]), "0.weight": np.ones((2, 3, 1), "float32")}
    run.arrays.write_probes(whole())
    run.arrays.write_snapshots(weights)
    for found, written in ((probes(run), whole()), (snapshots(run), weights)):
        assert found.keys() == written.keys()
        for name in found:
            np.testing.assert_array_equal(found[name], written[name])
    with np.load(run.path / "probes.npz", allow_pickle=False) as anyone:
        np.testing.assert_array_equal(anyone["step"], whole()["step"])


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": np.array([0, 2, 1])},
        {"epoch": np.array([0, 1, 1])},
        {"epoch": np.array([-1, 0, 1])},
        {"epoch": np.arange(3.0)},
        {"epoch": np.arange(3, dtype="int32")},
        {"epoch": np.arange(6).reshape(3, 2)},
        {"epoch": np.empty(0, int), "step": np.empty(0, int), "0.weight.norm": np.empty(0)},
        {name: np.arange(61, dtype=array.dtype) for name, array in whole().items()},
        {"step": np.array([0, 2])},
        {"step": np.array([4, 2, 3])},
        {"0.weight.norm": np.zeros(2)},
        {"0.weight.norm": np.zeros((3, 1))},
        {"0.weight.norm": np.zeros(3, "float32")},
        {"0.weight.norm": np.array(["a", "b", "c"])},
        {"0.weight.norm": np.array([None, {}, ()], object)},
    ],
    ids=lambda changes: f"{changes}"[:40],
)
def test_statistics_that_are_none_are_refused(changes: dict[str, Any], run: RunDirectory) -> None:
    arrays = {**whole(), **changes}
    np.savez(run.path / "probes.npz", **arrays)
    with pytest.raises(RunError, match=r"probes.npz is damaged"):
        run.arrays.probes()


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": np.array([3, 3])},
        {"w": np.array([[1.0], [np.nan]])},
        {"w": np.array(1.0)},
        {"w": np.ones((3, 2))},
        {"w": np.ones((2, 2), "int64")},
    ],
    ids=lambda changes: f"{changes}"[:40],
)
def test_snapshots_that_are_none_are_refused(changes: dict[str, Any], run: RunDirectory) -> None:
    np.savez(run.path / "snapshots.npz", **{"epoch": np.array([0, 1]), "w": np.ones((2, 2)), **changes})
    with pytest.raises(RunError, match=r"snapshots.npz is damaged"):
        run.arrays.snapshots()


def test_a_layer_without_one_of_its_statistics_is_told(run: RunDirectory) -> None:
    np.savez(run.path / "probes.npz", **whole(), **{"layers.0.output.mean": np.zeros(3)})
    with pytest.raises(RunError, match=r"probes.npz is damaged: it lacks 'layers.0.output.std'"):
        run.arrays.probes()


@pytest.mark.parametrize("shape", ["(3 1,)", f"({'1, ' * 65})", "(-1,)", "(0, 99999999999999999, 9999)"])
def test_a_shape_of_no_array_is_told_in_words_of_our_own(shape: str, run: RunDirectory) -> None:
    np.savez(run.path / "probes.npz", **whole())
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    with zipfile.ZipFile(run.path / "probes.npz", "a") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(RunError, match=r"'a(.npy)?' (is not an array of numbers|has a shape of no array)$"):
        run.arrays.probes()


@pytest.mark.parametrize("what", ["cut", "bomb", "claim", "empty", "words", "zeros", "many", "huge"])
def test_a_file_that_is_none_is_refused(what: str, run: RunDirectory) -> None:
    path = run.path / "probes.npz"
    np.savez(path, **whole())
    content = path.read_bytes()
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n"
    match what:
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "bomb":
            np.savez_compressed(path, **whole(), large=np.zeros(10**6))
        case "claim" | "zeros":
            shape = b"(999999999999,)" if what == "claim" else b"(0, 99999999999999999999)"
            text = header % shape
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
        case "empty":
            path.write_bytes(b"")
        case "words":
            path.write_text("no statistics")
        case "many":
            with zipfile.ZipFile(path, "w") as archive:
                for i in range(20_001):
                    archive.writestr(f"{i}.npy", b"")
        case "huge":
            with path.open("ab") as file:
                file.truncate(1 << 27)
    with pytest.raises(RunError, match=r"probes.npz (is damaged|has 134,217,728 bytes)"):
        run.arrays.probes()


@given(place=st.integers(0, 10**4), bit=st.integers(0, 7))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_bit_is_refused_or_does_not_matter(place: int, bit: int, run: RunDirectory) -> None:
    run.arrays.write_probes(whole())
    content = bytearray((run.path / "probes.npz").read_bytes())
    content[place % len(content)] ^= 1 << bit
    (run.path / "probes.npz").write_bytes(content)
    try:
        found = probes(run)
    except RunError:
        return
    for name, array in whole().items():
        np.testing.assert_array_equal(found[name], array)
