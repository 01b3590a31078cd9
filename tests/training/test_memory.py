"""How much memory training takes: data, predictions, four times the parameters, two batches of activations, a fifth."""

from __future__ import annotations

import gc
import mmap
import tracemalloc
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.inspection.cost_estimate import estimate_cost
from nnfs_cli.nn.layers import Context
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.spill import SpilledCopy
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from tests.training.compiled.trainings import Training

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


@dataclass(frozen=True)
class Case:
    """A net for whose training one of the three is large."""

    rows: int
    inputs: int
    hidden: tuple[int, ...]
    batch: int | str


CASES = {
    "data": Case(100_000, 60, (20,), 512),
    "parameters": Case(500, 784, (1_500, 1_500), 64),
    "activations": Case(12_000, 20, (200, 200, 200), "full"),
    "batches of two sizes": Case(9_000, 20, (200, 200, 200), 4_000),
    "one hidden layer": Case(6_000, 20, (1_000,), 4_000),
}


def spec_of(case: Case, folder: Path) -> Config:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((case.rows, case.inputs), np.float32)
    np.savez(folder / "a.npz", X=X, y=rng.integers(0, 2, case.rows))
    config = {
        "dataset": {"npz": "a.npz"},
        "split": {"validation": 0.2},
        "preprocessing": {"numbers": "none"},
        "layers": [*(layer for width in case.hidden for layer in ({"linear": width}, "relu")), {"linear": 1}],
        "loss": "binary_cross_entropy",
        "optimizer": "adam",
        "batch_size": case.batch,
        "epochs": 2,
    }
    (folder / "c.yaml").write_text(yaml.safe_dump(config))
    return Config.load(folder / "c.yaml")


def held(encoded: EncodedRows) -> int:
    """Bytes of the arrays."""
    return sum(array.nbytes for array in (encoded.X, encoded.y, encoded.truth, encoded.weight) if array is not None)


BRIEFLY = ("data", "parameters", "activations")  # the others are slow tests


@pytest.fixture(scope="module", autouse=True)
def _imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Train once, so that what the first training imports is not counted as its memory."""
    folder = tmp_path_factory.mktemp("first")
    experiment = workflows.prepare(spec_of(Case(60, 2, (2,), 20), folder))
    workflows.train(experiment, workflows.begin(experiment, folder / "runs"))


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=() if name in BRIEFLY else pytest.mark.slow) for name, case in CASES.items()],
)
def test_peak_of_training(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each_engine: str) -> None:
    monkeypatch.setattr(Checkpoint, "seconds_between_writes", 1e9)  # a slow machine would write a state in between
    spec = spec_of(case, tmp_path)
    if each_engine == "compiled":  # which compiles and tries the products at first
        experiment = workflows.prepare(spec)
        workflows.train(experiment, workflows.begin(experiment, tmp_path / "first"))
        del experiment
    gc.collect()
    tracemalloc.start()
    try:
        experiment = workflows.prepare(spec)
        run = workflows.begin(experiment, tmp_path / "runs")
        gc.collect()
        tracemalloc.reset_peak()
        workflows.train(experiment, run)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    model = experiment.predictor.model
    peak -= model._training._largest_zeros.nbytes  # which has addresses but takes no memory: see below
    data = sum(map(held, experiment.splits.values()))
    parameters = model.parameters.vector.nbytes
    n_numbers = case.inputs + 2 * sum(case.hidden) + 1  # of a row: what goes in, and what comes out of each layer
    activations = 4 * n_numbers * min(experiment.batches.size, len(experiment.training_rows))
    batches = 3 if each_engine == "compiled" else 2  # probes and evaluations make their passes in NumPy
    predictions = 16 * case.rows  # which wait for the report
    allowed = 1.2 * (data + predictions + 4 * parameters + batches * activations)
    assert experiment.config.engine == each_engine
    assert peak < allowed, f"{peak:,} of {allowed:,}"
    assert peak > 0.5 * allowed, "the bound says nothing"


def test_what_only_training_needs_is_free_when_it_ends(each_engine: str) -> None:
    gc.disable()  # what nobody refers to is free without it
    try:
        trainer = Training().train(each_engine)
        trainer.model.end_training()
        loop = weakref.ref(trainer._loop)
        del trainer
        assert loop() is None
    finally:
        gc.enable()


def test_zeros_that_are_only_read_take_no_memory() -> None:
    statm = Path("/proc/self/statm")
    if not statm.exists():  # other systems do as Linux does, and do not say so
        return

    def taken() -> int:
        return int(statm.read_text().split()[1]) * mmap.PAGESIZE

    n = 32_000_000
    before, zeros = taken(), Context("float32").zeros((n,))
    np.dot(zeros, zeros)
    assert taken() - before < n
    ones = np.ones(n, np.float32)
    assert taken() - before > 4 * n
    assert ones[0]


def test_the_best_weights_of_a_large_net_wait_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, case = [], Case(2_000, 60, (20,), 64)
    for large in (1_000_000, 0):
        monkeypatch.setattr(SpilledCopy, "large", large)
        experiment = workflows.prepare(spec_of(case, tmp_path))
        run = workflows.begin(experiment, tmp_path / "runs")
        workflows.train(experiment, run)
        weights.append([(run.path / "weights" / f"{which}.npz").read_bytes() for which in ("best", "last")])
        weights.append([(run.path / "metrics.json").read_bytes()])
    assert weights[:2] == weights[2:]


@pytest.mark.parametrize("large", [1_000_000, 0])
def test_what_is_kept_stays_as_it_was(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpilledCopy, "large", large)
    vector = np.arange(5.0)
    kept = SpilledCopy(vector)
    for i in range(3):
        vector += 1
        kept.store(vector)
        now = vector.copy()
        vector *= 7
        np.testing.assert_array_equal(kept.vector, now)
        vector[...] = now + i


def test_check_states_the_memory_of_training(tmp_path: Path) -> None:
    case = Case(1_000, 300, (600, 600), 64)
    experiment = workflows.prepare(spec_of(case, tmp_path))
    stated = estimate_cost(experiment)[1]
    vector = experiment.predictor.model.parameters.vector
    assert stated["net"] == 4 * vector.nbytes + 8  # weights, gradient, both moments, and Adam's count of steps
    assert stated["data"] >= sum(part.X.nbytes for part in experiment.splits.values())
    assert stated["batch"] >= 2 * 4 * 64 * (case.inputs + 2 * sum(case.hidden) + 1)


def test_a_best_that_was_never_kept_changes_nothing(tmp_path: Path) -> None:
    experiment = workflows.prepare(spec_of(CASES["one hidden layer"], tmp_path))
    before = experiment.predictor.model.parameters.vector.copy()
    Checkpoint().into(workflows.begin(experiment, tmp_path / "runs").arrays).restore_best(experiment.predictor.model)
    np.testing.assert_array_equal(experiment.predictor.model.parameters.vector, before)
