"""Power losses: what was written but not flushed to the disk is lost, completely or in part.

Everything that a training asks of the system is recorded. After each operation the power fails, in several ways, and
what is on the disk then is read, and trained to its end.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.errors import NnfsError, RunError
from nnfs_cli.runs import epoch_log
from nnfs_cli.runs.arrays import RunArrays
from nnfs_cli.runs.checked_files import CheckedFiles
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.epoch_log import EpochLog
from nnfs_cli.system import files
from nnfs_cli.training.callbacks import Callback
from tests import disk
from tests.disk import Disk, Loss, Operation, Tree, Watch
from tests.twins import Leaving, record

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the operations are those of Unix"),
    pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning"),
]

RUN = "runs/config-1"
STATE, DECISION = f"{RUN}/state.npz", f"{RUN}/decision.json"
BASE: dict[str, Any] = {
    "dataset": {"csv": {"path": "table.csv", "target": "y"}},
    "split": {"validation": 0.25},
    "preprocessing": {"numbers": "standardize"},
    "layers": [{"linear": 3}, "tanh", {"linear": 1}, "sigmoid"],
    "loss": "binary_cross_entropy",
    "optimizer": {"sgd": {"momentum": 0.9}},
    "lr": 0.1,
    "batch_size": 9,  # 18 rows to train: 2 steps an epoch
    "epochs": 3,
    "checkpoint": {"every": 2},
}
STOPS = {"early_stopping": {"patience": 1, "min_delta": 10.0}}  # which is after the second epoch
LOSSES: dict[str, Loss] = {
    "all that was not flushed": disk.OfAllUnsafe(),
    "nothing": Loss(),
    "data that was not flushed": disk.OfUnsafeData(),
    "data that was not flushed, but for its length": disk.OfZeros(),
    "names that were not flushed": disk.OfUnsafeNames(),
    "new names that were not flushed": disk.OfNewNames(),
    **{f"by chance {seed}": disk.ByChance(seed) for seed in range(4)},
}


@dataclass(frozen=True)
class Mark:
    """What the product has said, or is about to do, between operations."""

    what: str  # begun: there is a run; writing: a file is going to be replaced; written: it was; state: so was this one
    path: str = ""
    step: int = 0


@dataclass
class Journal:
    """What happened in a folder, and what was there before."""

    before: Tree
    entries: list[Operation | Mark] = field(default_factory=list)

    @property
    def operations(self) -> int:
        return sum(isinstance(entry, Operation) for entry in self.entries)


@dataclass
class Story:
    """Something that is done with a run, on a disk with something on it."""

    settings: dict[str, Any]
    before: Callable[[], Tree]
    act: Callable[[Path], object]  # with the folder that is the disk
    epochs: int | None = None  # that are asked for when it is resumed


def train(folder: Path, *callbacks: Callback) -> None:
    experiment = workflows.prepare(Config.load(folder.parent / "config.yaml"))
    run = workflows.begin(experiment, folder / "runs")
    workflows.train(experiment, run, callbacks)


def resume(folder: Path, epochs: int | None = None) -> RunDirectory:
    run = RunDirectory.open(folder / RUN)
    workflows.resume(workflows.reopen(run, epochs), run)
    return run


def judge(folder: Path) -> None:
    run = RunDirectory.open(folder / RUN)
    workflows.decide(run, "best_f1")
    workflows.evaluate(run, ["validation"])
    workflows.decide(run, 0.25)
    workflows.evaluate(run, ["train", "validation"])
    workflows.decide(run, "none")
    workflows.evaluate(run, weights="last")


class Place:
    """A folder with a table, and disks in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = np.random.default_rng(3)
        rows = [f"{x:.3f},{z:.3f},{'yes' if x + 0.5 * z > 0 else 'no'}\n" for x, z in rng.normal(size=(24, 2))]
        (folder / "table.csv").write_text("x,z,y\n" + "".join(rows))
        self.configure({})

    def configure(self, settings: dict[str, Any]) -> None:
        merged = {**BASE, **settings}
        if merged["optimizer"] == "lbfgs":
            del merged["lr"], merged["batch_size"]
        (self.folder / "config.yaml").write_text(dump(merged))

    @functools.cached_property
    def interrupted(self) -> Tree:
        return self.made(lambda folder: train(folder, Leaving(3)))

    @functools.cached_property
    def begun(self) -> Tree:
        return self.made(lambda folder: train(folder, Leaving(1)))

    @functools.cached_property
    def finished(self) -> Tree:
        return self.made(train)

    @functools.cached_property
    def killed(self) -> Tree:
        """A run whose log is longer than its last state knows."""
        now, longest = Disk({}), None
        for entry in self.journal(Story({}, dict, train)).entries:
            if isinstance(entry, Operation):
                now.apply(entry)
            left = now.left(Loss())
            if (state := left.get(STATE)) and len(left.get(f"{RUN}/epochs.csv") or b"") > int(npz(state)["log.bytes"]):
                longest = left
        assert longest is not None
        return longest

    def made(self, act: Callable[[Path], object], before: Tree | None = None) -> dict[str, bytes | None]:
        """What is there when something was done."""
        folder = self.fresh("made", before or {})
        with contextlib.suppress(KeyboardInterrupt):
            act(folder)
        return disk.tree_of(folder)

    def fresh(self, name: str, tree: Tree) -> Path:
        folder = self.folder / name
        disk.plant(tree, folder)
        return folder

    def journal(self, story: Story, worsen: Callable[[pytest.MonkeyPatch], object] = lambda patch: None) -> Journal:
        """Do it, as well as it is done, and record it."""
        self.configure(story.settings)
        journal = Journal(story.before())
        folder = self.fresh("recorded", journal.before)
        with pytest.MonkeyPatch.context() as patch, Watch(folder, tell=journal.entries.append) as watch:
            worsen(patch)
            _mark(patch, journal, Path(watch.folder))
            story.act(folder)
        assert whole(journal) == disk.tree_of(folder)  # nothing was done unseen
        return journal


def _mark(patch: pytest.MonkeyPatch, journal: Journal, folder: Path) -> None:
    def say(what: str, path: Path | None = None, step: int = 0) -> None:
        journal.entries.append(Mark(what, path.relative_to(folder).as_posix() if path else "", step))

    def marked_begin(experiment: Any, folder: Path, begin: Any = workflows.begin) -> RunDirectory:
        run: RunDirectory = begin(experiment, folder)
        say("begun")
        return run

    def marked_write(path: Path, *more: Any, write: Any = files.write_atomically) -> None:
        if path.name == "epochs.csv":  # which is appended to from then on
            write(path, *more)
            return
        say("writing", path.resolve())
        write(path, *more)
        say("written", path.resolve())

    def marked_remove(files: CheckedFiles, name: str, remove: Any = CheckedFiles.remove) -> None:
        say("writing", folder / RUN / name)
        remove(files, name)
        say("written", folder / RUN / name)

    def marked_state(kept: RunArrays, arrays: Any, write: Any = RunArrays.write_state) -> None:
        write(kept, arrays)
        say("state", step=int(arrays["step"]))

    disk.put_instead(patch, "write_atomically", marked_write)
    patch.setattr(CheckedFiles, "remove", marked_remove)
    patch.setattr(RunArrays, "write_state", marked_state)
    patch.setattr(workflows, "begin", marked_begin)


def whole(journal: Journal) -> Tree:
    now = Disk(journal.before)
    for entry in journal.entries:
        if isinstance(entry, Operation):
            now.apply(entry)
    return now.left(Loss())


def npz(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)


class Promises:
    """What may be on the disk, by what was said so far."""

    def __init__(self, journal: Journal) -> None:
        self.versions: dict[str, list[bytes | None]] = {}
        now = Disk(journal.before)
        for entry in journal.entries:
            if isinstance(entry, Operation):
                now.apply(entry)
            elif entry.what == "writing":
                self.versions.setdefault(entry.path, [journal.before.get(entry.path)])
            elif entry.what == "written":
                self.versions[entry.path].append(now.left(Loss()).get(entry.path))
        self.written, self.writing = dict.fromkeys(self.versions, 0), dict.fromkeys(self.versions, 0)
        self.begun, self.step = f"{RUN}/spec.yaml" in journal.before, -1
        if STATE in journal.before:
            self.step = int(npz(journal.before[STATE] or b"")["step"])

    def note(self, mark: Mark) -> None:
        """Something more was said."""
        if mark.what == "begun":
            self.begun = True
        elif mark.what == "state":
            self.step = mark.step
        else:
            counts = self.written if mark.what == "written" else self.writing
            counts[mark.path] += 1

    def broken(self, tree: Tree) -> Iterator[str]:
        """What is not as it should be."""
        for path, versions in self.versions.items():
            if tree.get(path) not in versions[self.written[path] : self.writing[path] + 1]:
                yield f"{path} is {'not whole, or not the last' if path in tree else 'lost'}"
        if self.step >= 0:
            state = tree.get(STATE)
            if state is None or step_of(state) < self.step:
                yield f"the state of step {self.step} is lost"
        if (state := tree.get(STATE)) and len(tree.get(f"{RUN}/epochs.csv") or b"") < log_of(state):
            yield "epochs.csv is shorter than its state knows"
        if self.begun and f"{RUN}/spec.yaml" not in tree:
            yield "the run is lost"


UNREADABLE = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile)


@functools.lru_cache(1000)
def step_of(state: bytes) -> int:
    with contextlib.suppress(*UNREADABLE):
        return int(npz(state)["step"])
    return -1


@functools.lru_cache(1000)
def log_of(state: bytes) -> int:
    with contextlib.suppress(*UNREADABLE):
        return int(npz(state)["log.bytes"])
    return 0


class Replay:
    """The power fails after each operation, in each way."""

    def __init__(self, place: Place, story: Story, journal: Journal, every: int = 1) -> None:
        """Of so many different disks one is read, and all with other names; those and one of ten are trained on."""
        self.place, self.story, self.journal, self.every = place, story, journal, every
        self.prefixes = self.different = self.opened = self.continued = 0
        self.names: set[frozenset[str]] = set()
        self.damage: list[str] = []
        place.configure(story.settings)
        twin = place.fresh("twin", {})
        train(twin)
        if story.epochs:
            resume(twin, story.epochs)
        self.twin, self.last = record(twin / RUN), RunDirectory.open(twin / RUN).epochs()[-1]["epoch"]
        experiment = workflows.prepare(Config.load(place.folder / "config.yaml"))
        self.parameters = experiment.predictor.model.parameters.arrays

    def run(self, losses: dict[str, Loss] = LOSSES) -> Replay:
        now, promises, seen = Disk(self.journal.before), Promises(self.journal), set()
        for i, entry in enumerate([None, *self.journal.entries]):
            if isinstance(entry, Operation):
                now.apply(entry)
            elif isinstance(entry, Mark):
                promises.note(entry)
            self.prefixes += 1
            for name, loss in losses.items():
                loss.begin(i)
                tree = now.left(loss)
                where = f"after {i} of {len(self.journal.entries)} ({_brief(entry)}), without {name}: "
                self.damage += [where + wrong for wrong in promises.broken(tree)]
                key = (promises.begun, fingerprint(tree))
                if self.every and key not in seen:
                    seen.add(key)
                    self.different += 1
                    names = frozenset(re.sub("[0-9a-f]{16}", "", path) for path in tree)
                    if names not in self.names or self.different % self.every == 0:
                        goes_on = names not in self.names or self.every == 1 or self.opened % 10 == 0
                        self.names.add(names)
                        self.damage += [where + wrong for wrong in self.wrong(tree, promises.begun, goes_on)]
        return self

    def wrong(self, tree: Tree, begun: bool, goes_on: bool) -> Iterator[str]:
        """What cannot be done with a disk."""
        self.opened += 1
        folder = self.place.fresh("replayed", tree)
        try:
            run = RunDirectory.open(folder / RUN)
        except RunError as error:
            if begun:
                yield f"there is no run: {error}"
            return
        try:
            self.read(run)
            if goes_on:
                self.continued += 1
                self.go_on(run)
                if (found := record(run.path)) != self.twin:
                    keys = found.keys() | self.twin.keys()
                    yield f"it ends otherwise: {[key for key in sorted(keys) if found.get(key) != self.twin.get(key)]}"
        except (NnfsError, *UNREADABLE) as error:
            yield f"{type(error).__name__}: {error}"

    def read(self, run: RunDirectory) -> None:
        """All that can be read before anything is mended."""
        (
            run.status(),
            run.epochs(),
            run.status_file.lineage(),
            run.records.decision(),
            run.records.data(),
            run.records.environment(),
        )
        if run.status().get("state") == "finished":
            run.metrics()
        for which in run.arrays.kept_weights():
            run.arrays.read_weights(which, self.parameters)
        if run.arrays.has_state():
            npz((run.path / "state.npz").read_bytes())
        for part in ("train", "validation"):
            run.records.confusion(part)
            run.records.confusion(part, "last")

    def go_on(self, run: RunDirectory) -> None:
        """To where the twin is."""
        there = run.status().get("state") == "finished" and run.epochs()[-1]["epoch"] == self.last
        if there:
            workflows.decide(run, "none")
            workflows.evaluate(run, ["train", "validation"])
        else:
            workflows.resume(workflows.reopen(run, self.story.epochs), run)
        shutil.rmtree(run.path / "evaluation" / "validation-last", ignore_errors=True)  # the twin was not asked for it


def _brief(entry: Operation | Mark | None) -> str:
    if isinstance(entry, Operation):
        return f"{entry.kind} {entry.to or entry.path}"
    return f"{entry.what} {entry.path}" if entry else "nothing"


def fingerprint(tree: Tree) -> bytes:
    digest = hashlib.sha256()
    for path in sorted(tree):
        content = tree[path]
        digest.update(f"{path} {-1 if content is None else len(content)}\n".encode() + (content or b""))
    return digest.digest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        disk.prepare(patch)
        yield Place(tmp_path_factory.mktemp("power"))


def stories(place: Place) -> dict[str, Story]:
    return {
        "train": Story({}, dict, train),
        "train further after a stop": Story(STOPS, lambda: place.made(train), lambda folder: resume(folder, 5), 5),
        "resume": Story({}, lambda: place.interrupted, resume),
        "resume without a log": Story({}, lambda: place.begun, resume),
        "resume after a kill": Story({}, lambda: place.killed, resume),
        "train further": Story({}, lambda: place.finished, lambda folder: resume(folder, 4), 4),
        "judge": Story({}, lambda: place.finished, judge),
        "train without a state": Story({"optimizer": "lbfgs"}, dict, train),
    }


NAMES = (
    "train",
    "train without a state",
    "train further",
    "train further after a stop",
    "resume",
    "resume without a log",
    "resume after a kill",
    "judge",
)


def none(damage: Sequence[str]) -> None:
    assert not damage, "\n".join([f"{len(damage)} times", *damage[:60]])


def replayed(place: Place, name: str, every: int) -> Replay:
    place.configure({})
    story = stories(place)[name]
    replay = Replay(place, story, place.journal(story), every).run()
    counts = f"{replay.journal.operations} operations, {replay.prefixes} prefixes, {replay.different} different disks"
    print(f"{name}: {counts}, {replay.opened} opened, {replay.continued} trained on, {len(replay.damage)} damaged")
    return replay


THOROUGH = {
    "train without a state",
    "train further",
    "train further after a stop",
    "resume without a log",
    "resume after a kill",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in THOROUGH else name for name in NAMES]
)
def test_a_loss_of_power_after_any_operation_costs_no_run_and_no_state(name: str, place: Place) -> None:
    replay = replayed(place, name, 24)
    none(replay.damage)
    assert replay.continued >= 5


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_to_the_same_end_after_each_loss_of_power(name: str, place: Place) -> None:
    replay = replayed(place, name, 1)
    none(replay.damage)
    assert replay.opened == replay.different
    assert replay.continued >= 0.8 * replay.different


def flush_no_file(patch: pytest.MonkeyPatch) -> None:
    def flush(descriptor: int, really: Callable[[int], object] = os.fsync) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            really(descriptor)

    patch.setattr(os, "fsync", flush)


def flush_no_folder(patch: pytest.MonkeyPatch) -> None:
    disk.put_instead(patch, "sync_folder", lambda folder: None)


def flush_no_new_log(patch: pytest.MonkeyPatch) -> None:
    def sync_folder(folder: Path) -> None:
        if folder.name == "runs":  # in which there is a new run
            files.sync_folder(folder)

    patch.setattr(epoch_log, "sync_folder", sync_folder)


def write_in_place(patch: pytest.MonkeyPatch) -> None:
    def write_over(path: Path, write: Callable[[Any], object]) -> None:
        with path.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        files.sync_folder(path.parent)

    disk.put_instead(patch, "write_atomically", write_over)


def flush_no_log(patch: pytest.MonkeyPatch) -> None:
    def sync(log: EpochLog) -> int:
        log.flush()
        return log._file.tell() if log._file else 0

    patch.setattr(EpochLog, "sync", sync)


@pytest.mark.parametrize(
    ("worsen", "loss", "damage"),
    [
        (flush_no_file, "data that was not flushed", "state.npz is not whole"),
        (flush_no_file, "data that was not flushed, but for its length", "is not whole"),
        (flush_no_folder, "all that was not flushed", "the state of step 1 is lost"),
        (flush_no_folder, "names that were not flushed", "the run is lost"),
        (write_in_place, "nothing", "state.npz is not whole"),
        (flush_no_new_log, "new names that were not flushed", "epochs.csv is shorter than its state knows"),
        (flush_no_log, "all that was not flushed", "epochs.csv is shorter than its state knows"),
    ],
)
def test_the_test_finds_writes_that_are_less_durable(worsen: Any, loss: str, damage: str, place: Place) -> None:
    # With probes, the folder is flushed before the first state, and a log that was not flushed does no harm.
    story = replace(stories(place)["train"], settings={"probes": worsen is not flush_no_new_log})
    replay = Replay(place, story, place.journal(story, worsen), 0)
    assert any(damage in found for found in replay.run({loss: LOSSES[loss]}).damage)
