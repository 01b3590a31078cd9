"""Several processes train the members of an ensemble to the bytes of one process."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.training_rows import RowsInMemory
from nnfs_cli.errors import DivergedError
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import ParameterTree, Views
from nnfs_cli.system.forked import can_fork
from nnfs_cli.system.random import member_streams
from nnfs_cli.training import shared_loop
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.crew import Crew
from nnfs_cli.training.optimizers import Optimizer, Stepper
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow, State
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.training.shared_loop import SharedLoop
from nnfs_cli.training.trainer import Trainer

pytestmark = [
    pytest.mark.skipif(not can_fork(), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

ROWS, INPUTS = 53, 4
NET = ("linear: 6", "relu", "dropout: 0.3", "linear: 1")


def resolved(family: Any, text: str) -> Any:
    return family.resolve(yaml.safe_load(text))


@dataclass
class Job:
    """A training, as far as the number of processes could matter."""

    layers: Sequence[str] = NET
    members: int = 3
    optimizer: str = "adam"
    loss: str = "mse"
    dtype: str = "float32"
    weighted: str = "no"  # no, rows or members
    batch: int = 10
    embedding: bool = False
    lr: float | None = None
    epochs: int = 3
    how: dict[str, Any] = field(default_factory=dict)


class Logs(Callback):
    """Remembers the log, and may act after a step."""

    def __init__(self, stop_at: float = math.inf) -> None:
        self.rows: list[LogRow] = []
        self.at, self.stop_at = set[int](), stop_at

    def next_stop(self, training: Training) -> float:
        return self.stop_at if training.progress.step < self.stop_at else math.inf

    def on_step(self, training: Training) -> None:
        self.at.add(training.progress.step)
        if training.progress.step == self.stop_at:
            training.interrupt(KeyboardInterrupt())

    def on_log(self, training: Training, row: LogRow) -> None:
        self.rows.append({name: figure for name, figure in row.items() if name != "seconds"})


def rows_of(job: Job) -> tuple[Array, Array, Array | None]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(ROWS, INPUTS))
    if job.embedding:
        X[:, 1] = np.arange(ROWS) % 5 - 1
    shape = {"no": None, "rows": (ROWS,), "members": (ROWS, job.members)}[job.weighted]
    weight = None if shape is None else rng.integers(0, 3, shape).astype(job.dtype)
    return X.astype(job.dtype), np.abs(X[:, :1]).astype(job.dtype), weight


def trainer(job: Job, logs: Callback, batches: Any = None) -> Trainer:
    table = Embedding(tables=(EmbeddingTable(1, 5, 2, "word"),)) if job.embedding else None
    rngs = member_streams(job.members, 2, 7, "weights")
    layers = [resolved(Layer, text) for text in job.layers]
    model = Model(layers, resolved(Loss, job.loss), (INPUTS,), job.dtype, rngs, table, job.members)
    rule = resolved(Optimizer, job.optimizer)
    plan = Plan(rule, job.lr or rule.default_lr, engine="numpy", **job.how)
    return Trainer(
        model, batches or Batches(ROWS, job.batch, seed=1, smallest=2), plan, [logs], lambda: {"val_loss": 1.0}
    )


def alone(job: Job) -> tuple[State, list[LogRow]]:
    logs = Logs()
    one = trainer(job, logs)
    assert isinstance(one._loop, SharedLoop | None)
    one.fit(*_fit(job))
    return _copied(one.state()), logs.rows


def _fit(job: Job) -> tuple[Any, ...]:
    X, y, weight = rows_of(job)
    return X, y, job.epochs, weight


def _copied(state: State) -> State:
    return {name: array.copy() for name, array in state.items() if name != "seconds"}


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let three processes share every training from its second step on."""
    for name in ("LONG", "SAMPLE", "SHORT"):
        monkeypatch.setattr(shared_loop, name, -1.0)
    monkeypatch.setattr(shared_loop, "CHUNK", 1e9)
    monkeypatch.setattr(shared_loop, "allowed_threads", lambda: 3)
    return monkeypatch


def assert_same(job: Job, shared: bool = True, batches: Any = None) -> Trainer:
    """Train in one process and in three, and compare everything to the byte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_loop, "allowed_threads", lambda: 1)
        expected, rows = alone(job)
    logs = Logs()
    one = trainer(job, logs, batches)
    one.fit(*_fit(job))
    found = _copied(one.state())
    assert logs.rows == rows
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].tobytes() == array.tobytes(), name
    assert isinstance(one._loop, SharedLoop)
    assert one._loop._proven == shared
    with pytest.raises(ChildProcessError):  # no process is left
        os.waitpid(-1, os.WNOHANG)
    return one


EXAMPLES = [text for rule in Optimizer.registered.values() if issubclass(rule, Stepper) for text in rule.examples]
SCHEDULES = ("constant", "cosine", "reduce_on_plateau: {patience: 0}")
JOBS = st.builds(
    Job,
    layers=st.sampled_from([
        NET,
        ("linear: 5", "batch_norm", "tanh", "linear: 1"),
        ("residual: [linear: 6, relu, dropout: 0.1, linear: 1]",),
        ("dense: {units: 3, activation: prelu}", "layer_norm", "linear: {units: 1, l2: 0.3}"),
    ]),
    members=st.integers(2, 5),
    optimizer=st.sampled_from(EXAMPLES),
    loss=st.sampled_from(["mse", "mae", "huber", "mse: {reduction: sum}"]),
    dtype=st.sampled_from(["float32", "float64"]),
    weighted=st.sampled_from(["no", "rows", "members"]),
    batch=st.sampled_from([10, 13, ROWS]),
    embedding=st.booleans(),
    lr=st.just(0.001),
    how=st.fixed_dictionaries({
        "accumulate": st.sampled_from([1, 1, 2]),
        "clip": st.sampled_from([None, Clip(norm=0.05), Clip(value=0.01)]),
        "penalty": st.sampled_from([Penalty(), Penalty(l1=0.01, l2=0.1)]),
        "averaging": st.sampled_from([None, *(resolved(Averaging, text) for text in ("ema: 0.9", "swa: 0.4"))]),
        "schedule": st.sampled_from([resolved(Schedule, text) for text in SCHEDULES]),
        "edition": st.sampled_from([1, 2]),
    }),
)  # fmt: skip


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JOBS)
def test_any_ensemble_has_the_bytes_of_one_process(processes: pytest.MonkeyPatch, job: Job) -> None:
    assert_same(job)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JOBS)
def test_any_of_many_ensembles_has_the_bytes_of_one_process(processes: pytest.MonkeyPatch, job: Job) -> None:
    assert_same(job)


def test_meetings_do_not_matter(processes: pytest.MonkeyPatch) -> None:
    processes.setattr(shared_loop, "CHUNK", 1e-9)  # after each step
    assert_same(Job(how={"accumulate": 2}))
    processes.setattr(shared_loop, "SHORT", math.inf)  # never: no step is worth it
    assert_same(Job(), shared=False)


def test_a_callback_is_called_where_it_asks_to_be(processes: pytest.MonkeyPatch) -> None:
    logs = Logs(stop_at=10)  # in the second epoch of 6 steps
    one = trainer(Job(), logs)
    with pytest.raises(KeyboardInterrupt):
        one.fit(*_fit(Job()))
    assert one.progress.step == max(logs.at) == 10
    assert {1, 6, 10} <= logs.at
    assert one.resumable
    saved = _copied(one.state()) | {"seconds": np.array(0.0)}
    again = trainer(Job(), Logs())
    X, y, epochs, _ = _fit(Job())

    def restore(state: State) -> None:
        for name, array in saved.items():
            state[name][...] = array

    again.train(RowsInMemory(X, y), epochs, restore)
    assert again.model.parameters.vector.tobytes() == assert_same(Job()).model.parameters.vector.tobytes()


def test_a_training_diverges_with_the_same_words(processes: pytest.MonkeyPatch) -> None:
    job = Job(layers=("linear: 6", "exp", "linear: 1"), optimizer="sgd", lr=3.0, epochs=50)
    words = set()
    for several in (1, 3):
        processes.setattr(shared_loop, "allowed_threads", lambda n=several: n)
        with pytest.raises(DivergedError) as error:
            trainer(job, Logs()).fit(*_fit(job))
        words.add(str(error.value))
    assert len(words) == 1
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("step", [1, 7, 11])
def test_who_kills_a_process_changes_nothing(processes: pytest.MonkeyPatch, step: int) -> None:
    begin = Crew.begin

    def deadly(self: Crew, steps: int) -> Any:
        if self._whole.progress.step >= step and self._others:
            os.kill(self._others[0]._process, signal.SIGKILL)
        return begin(self, steps)

    processes.setattr(Crew, "begin", deadly)
    assert_same(Job(), shared=step > 1)


def test_without_room_for_processes_or_memory_one_process_trains(processes: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError("no room")

    for place in ("nnfs_cli.training.crew.Forked", "nnfs_cli.training.share.shared_zeros"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(place, refuse)
            assert_same(Job(), shared=False)


class Mixes(Layer, name="mixes_members"):
    """Subtracts the mean over everything, also over members, as no layer should."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        return input_shape, {}

    def forward(self, p: Views, x: Array, context: Any) -> tuple[Array, Backward]:
        return x - x.mean(), lambda dy, g, need_dx: dy


class FromOneMember(Layer, name="from_one_member"):
    """Adds the random numbers of the first member to all."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        return input_shape, {}

    def forward(self, p: Views, x: Array, context: Any) -> tuple[Array, Backward]:
        return x + context.rng.random(x.shape[-1]).astype(x.dtype), lambda dy, g, need_dx: dy


class Odd(Stepper, name="odd_memory"):
    """Remembers something that belongs to no parameter."""

    default_lr = 0.1

    def begin(self, parameters: Array) -> dict[str, Array]:
        return {"odd": np.zeros(3)}

    def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
        parameters -= lr * gradient / np.linalg.norm(gradient)


for _own in (Mixes, FromOneMember):
    Layer.registered.pop(_own.name)
Optimizer.registered.pop("odd_memory")


@pytest.mark.parametrize(
    ("layers", "optimizer"),
    [
        ([Mixes()], "adam"),
        ([FromOneMember()], "adam"),
        ([], Odd()),
    ],
    ids=["mixes", "rng", "optimizer"],
)
def test_a_component_that_does_not_keep_members_apart_is_trained_by_one_process(
    layers: list[Layer], optimizer: Any, processes: pytest.MonkeyPatch
) -> None:
    processes.setattr("tests.training.test_shared_loop.resolved", lambda family, text: (
        text if not isinstance(text, str) else family.resolve(yaml.safe_load(text))
    ))  # fmt: skip
    assert_same(Job(layers=("linear: 6", *layers, "relu", "linear: 1"), optimizer=optimizer), shared=False)  # type: ignore[arg-type]


def test_another_order_of_batches_is_trained_by_one_process(processes: pytest.MonkeyPatch) -> None:
    class Own:
        steps, largest = 6, 10

        def epoch(self, epoch: int) -> Any:
            return Batches(ROWS, 10, seed=1, smallest=2).epoch(epoch)

    assert_same(Job(), shared=False, batches=Own())


def test_a_short_training_stays_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_loop, "allowed_threads", lambda: 3)
    assert_same(Job(), shared=False)
