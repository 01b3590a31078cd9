"""Full, broken and read-only disks: any file operation may fail, once or from then on.

The command ends with exit code 4 and says which file it was about; what was whole before is whole after, nothing
half-written is left, and training goes on as if nothing had been, once there is a disk again.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import gc
import io
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import typer

from nnfs_cli import workflows
from nnfs_cli.cli import app
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.errors import NnfsError, RunError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system import files
from tests import disk
from tests.disk import LOCKING, READING, WRITING, Operation, Tree, Watch
from tests.twins import Leaving, record

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the operations are those of Unix"),
    pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning"),
]

BASE: dict[str, Any] = {
    "dataset": {"csv": {"path": "table.csv", "target": "y"}},
    "split": {"validation": 0.25},
    "preprocessing": {"numbers": "standardize"},
    "layers": [{"linear": 3}, "tanh", {"linear": 1}, "sigmoid"],
    "loss": "binary_cross_entropy",
    "lr": 0.1,
    "batch_size": 9,  # 18 rows to train: 2 steps an epoch
}
RUN = "runs/config-1"
# What a disk refuses for good: a full one makes no room, but gives it back; a read-only one keeps the names.
LASTING = {
    errno.ENOSPC: ("create", "write", "mkdir", "fsync", "replace"),
    errno.EDQUOT: ("create", "write", "mkdir", "fsync", "replace"),
    errno.EIO: WRITING,
    errno.EACCES: ("create", "open", "replace", "unlink", "mkdir", "rmdir", "chmod"),
    errno.EROFS: ("create", "open", "replace", "unlink", "mkdir", "rmdir", "chmod"),
}
# All is done when the lock is let go of, and when a last look is taken at whether it has to be said that it is not; and
# the rests of killed writers are looked for, but need not be found.
HARMLESS = {
    *((kind, f"{RUN}/lock") for kind in ("unlink", "close")),
    *((kind, f"{RUN}/status.json") for kind in READING),
    *(("list", f"{RUN}/{folder}") for folder in ("weights", "code", "evaluation/train", "evaluation/validation")),
    *(("list", folder) for folder in (RUN, f"{RUN}/evaluation")),
}
COMMANDS = {
    "train": ["train", "config.yaml", "--quiet", "--no-report"],  # where a report that fails is only a warning
    "resume": ["resume", RUN, "--quiet", "--no-report"],
    "further": ["resume", RUN, "--quiet", "--no-report", "--epochs"],  # and one more than there were
    "report": ["report", RUN],
    "evaluate": ["evaluate", RUN],
    "decide": ["decide", RUN, "--threshold", "best_f1"],
    "forget": ["decide", RUN, "--threshold", "none"],
    "predict-csv": ["predict", "--run", RUN, "--input", "table.csv", "--output", "out/answers.csv"],
    "predict-parquet": ["predict", "--run", RUN, "--input", "table.csv", "--output", "out/answers.parquet"],
}
# To replace the file of a threshold is much like deleting it or like writing a report; only slow tests do these.
SLOW = ("forget", "report")
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in COMMANDS]
# Of so many operations one is refused; no file takes a multiple of them. The slow tests refuse each.
EVERY = {"train": 16, "resume": 16, "further": 20}

Versions = list[bytes | None]  # what a file may hold: what it did last, and what was to follow


class Refusal:
    """Refuses one operation of some kinds, or all of them from there on."""

    def __init__(self, number: int, kinds: Sequence[str], at: int, lasting: bool = False) -> None:
        self.number, self.kinds, self.at, self.lasting = number, kinds, at, lasting
        self.asked = 0
        self.armed = False  # whether the command has begun
        self.refused: list[Operation] = []

    def __call__(self, operation: Operation) -> int | None:
        if operation.kind not in self.kinds or not self.armed:
            return None
        self.asked += 1
        if self.asked == self.at or (self.lasting and self.asked > self.at):
            self.refused.append(operation)
            return self.number
        return None

    def refused_any(self, *kinds: str, path: str = "") -> bool:
        return any(operation.kind in kinds and path in ("", operation.path) for operation in self.refused)


class Done(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str
    written: dict[str, Versions]
    unheard: list[str]  # errors where nobody could hear them


class Place:
    """A folder with a table and a config of so many epochs."""

    def __init__(self, folder: Path, epochs: int) -> None:
        self.disk, self.epochs = folder / "disk", epochs
        self.command: Any = typer.main.get_command(app)
        for command in self.command.commands.values():
            command.callback = functools.partial(self._begin, command.callback)
        self.refusal: Refusal
        self.ends: dict[str, Tree] = {}
        rng = np.random.default_rng(3)
        rows = [f"{x:.3f},{z:.3f},{'yes' if x + 0.5 * z > 0 else 'no'}\n" for x, z in rng.normal(size=(24, 2))]
        self.files: dict[str, bytes | None] = {
            "table.csv": ("x,z,y\n" + "".join(rows)).encode(),
            "config.yaml": dump({**BASE, "epochs": epochs}).encode(),
        }

    def _begin(self, command: Callable[..., None], **words: Any) -> None:
        self.refusal.armed = True  # the parser of the command line looks at files, but does without
        command(**words)

    def _remembered(self, before: Tree, written: dict[str, Versions], really: Any, path: Path, write: Any) -> None:
        name = os.path.relpath(os.path.realpath(path), self.disk)
        if not name.startswith(RUN) or name.endswith("epochs.csv"):  # which is appended to
            really(path, write)
            return
        versions = written.setdefault(name, [before.get(name)])
        try:
            really(path, write)
        except BaseException:
            versions.append(disk.content_of(write))
            raise
        armed, self.refusal.armed = self.refusal.armed, False
        written[name] = [path.read_bytes()]
        self.refusal.armed = armed

    def put(self, tree: Tree) -> None:
        disk.plant({**self.files, **tree}, self.disk)

    @functools.cached_property
    def interrupted(self) -> Tree:
        self.put({})
        experiment = workflows.prepare(Config.load(self.disk / "config.yaml"))
        run = workflows.begin(experiment, self.disk / "runs")
        with pytest.raises(KeyboardInterrupt):
            workflows.train(experiment, run, [Leaving(2 * self.epochs - 1)])
        return self.made()

    @functools.cached_property
    def finished(self) -> Tree:
        self.put({})
        assert self.run("train").code == 0
        return self.made()

    @functools.cached_property
    def decided(self) -> Tree:
        self.put(self.finished)
        assert self.run("decide").code == 0
        return self.made()

    @functools.cached_property
    def twins(self) -> dict[str, dict[str, Any]]:
        """What a run is in the end, by the command that trained it."""
        self.put(self.finished)
        short = record(self.disk / RUN)
        assert self.run("further").code == 0
        return {"train": short, "resume": short, "further": record(self.disk / RUN)}

    def after(self, name: str) -> Tree:
        """What is there after a command of which nothing was refused."""
        if name not in self.ends:
            self.put(self.before(name))
            assert self.run(name).code == 0
            self.ends[name] = disk.tree_of(self.disk)
        return self.ends[name]

    def made(self) -> Tree:
        return {path: content for path, content in disk.tree_of(self.disk).items() if path not in self.files}

    def before(self, name: str) -> Tree:
        match name:
            case "train":
                return {}
            case "resume":
                return self.interrupted
            case "forget":
                return self.decided
            case "predict-csv" | "predict-parquet":
                return {**self.finished, "out": None, "out/answers.csv": b"old", "out/answers.parquet": b"old"}
        return self.finished

    def run(self, name: str, refusal: Refusal | None = None) -> Done:
        """Run a command there."""
        words = [*COMMANDS[name], *([self.epochs + 1] if name == "further" else [])]
        self.refusal = refusal = refusal or Refusal(0, (), 0)
        before, written = disk.tree_of(self.disk), dict[str, Versions]()
        unheard: list[str] = []
        stdout, stderr = io.StringIO(), io.StringIO()
        handler = signal.getsignal(signal.SIGTERM)
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            patch.chdir(self.disk)
            patch.setattr(sys, "unraisablehook", lambda what: unheard.append(repr(what.exc_value)))
            remembered = functools.partial(self._remembered, before, written, files.write_atomically)
            disk.put_instead(patch, "write_atomically", remembered)
            try:
                with Watch(self.disk, refusal), contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
                    self.command.main([*map(str, words)], prog_name="nnfs")
            except SystemExit as end:
                code = int(end.code or 0)
            gc.collect()  # what was left open is closed now, and says so
        signal.signal(signal.SIGTERM, handler)
        return Done(code, stdout.getvalue(), stderr.getvalue(), written, unheard)


@pytest.fixture(scope="module", params=[1], ids=["short"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        disk.prepare(patch)
        made = Place(tmp_path_factory.mktemp("faults"), request.param)
        assert made.twins
        gc.collect()
        gc.freeze()  # so that it takes no time to look for what was left open
        try:
            yield made
        finally:
            gc.unfreeze()


def invalid(place: Place, name: str, refusal: Refusal, done: Done, goes_on: bool) -> Iterator[str]:
    """What is not as it should be after a command of which something was refused."""
    before, now = place.before(name), disk.tree_of(place.disk)
    yield from _said(place, refusal, done)
    yield from done.unheard
    for path in now:
        if path.endswith(".tmp") and not refusal.refused_any("unlink", path=path):
            yield f"{path} is left"
        if path == f"{RUN}/lock" and not any(operation.path == path for operation in refusal.refused):
            yield f"{path} is left"
    for path, versions in done.written.items():
        if f"{RUN}/spec.yaml" in now and now.get(path) not in versions:
            yield f"{path} is neither what it was nor what it was to be"
    if name in place.twins:
        yield from _goes_on(place, name, now, refusal, goes_on)
    else:
        yield from _reads(place)
        yield from _unharmed(place, name, before, now, done.written)


def _said(place: Place, refusal: Refusal, done: Done) -> Iterator[str]:
    if done.code == 0 and {(operation.kind, operation.path) for operation in refusal.refused} <= HARMLESS:
        return
    if done.code == 0 and f"warning: {RUN} cannot be written to; nothing is saved there\n" in done.stderr:
        return  # an evaluation shows its figures all the same
    if done.code != 4:
        yield f"it ends with {done.code}: {done.stderr.strip()[-300:]}"
        return
    if done.stdout:
        yield f"it prints {done.stdout!r}"
    *notes, last = done.stderr.splitlines()
    if not (found := re.fullmatch(rf"error: (.+): {os.strerror(refusal.number)}", last)):
        yield f"it names no file: {last}"
    elif ".tmp" in found[1] or not (place.disk / found[1]).resolve().is_relative_to(place.disk.resolve()):
        yield f"it names another file: {last}"
    if notes and not re.fullmatch(
        f"{RUN} keeps what was learned until .*; to continue:\n  nnfs resume {RUN}", "\n".join(notes)
    ):
        yield f"it says {notes}"


def _goes_on(place: Place, name: str, now: Tree, refusal: Refusal, goes_on: bool) -> Iterator[str]:
    """There is no run, or one that is trained to its end."""
    if RUN not in now:
        return
    try:
        run = RunDirectory.open(place.disk / RUN)
    except RunError as error:
        if not (refusal.lasting and refusal.refused_any("unlink", "rmdir")):
            yield f"what is left is no run: {error}"
        return
    if not goes_on:
        return
    try:
        epochs = place.epochs + 1 if name == "further" else None
        if run.status().get("state") == "finished" and (not epochs or run.epochs()[-1]["epoch"] == epochs):
            run.lock()
            run.release()
        else:
            workflows.resume(workflows.reopen(run, epochs), run)
    except (NnfsError, OSError) as error:
        yield f"it does not go on: {error}"
        return
    if run.status()["sha256"].keys() < {"spec.yaml", "data.json", "state.npz", "weights/best.npz", "weights/last.npz"}:
        yield f"it has no digests but those of {sorted(run.status()['sha256'])}"
    if (found := record(run.path)) != place.twins[name]:
        keys = found.keys() | place.twins[name].keys()
        yield f"it ends otherwise: {[key for key in sorted(keys) if found.get(key) != place.twins[name].get(key)]}"


def _reads(place: Place) -> Iterator[str]:
    """Every file of the run is one whose digest is recorded."""
    try:
        run = RunDirectory.open(place.disk / RUN)
        yield from (f"{changed} is not recorded" for changed in run.status_file.changed())
        run.records.decision()
    except NnfsError as error:
        yield f"it cannot be read: {error}"


def _unharmed(place: Place, name: str, before: Tree, now: Tree, written: dict[str, Versions]) -> Iterator[str]:
    """All is as before, or as it was to be; digests may be recorded of both, see `StatusFile.replace`."""
    after = place.after(name)
    for path in sorted(before.keys() | now.keys()):
        if path.endswith((".tmp", "lock")) or path in place.files:
            continue
        if path == f"{RUN}/status.json" and now.get(path) in written.get(path, ()):
            continue
        if (path in now, now.get(path)) not in ((path in tree, tree.get(path)) for tree in (before, after)):
            yield f"{path} is neither what it was nor what it was to be"


def none(faults: Sequence[str]) -> None:
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:40]])


def refused(
    place: Place, name: str, number: int, kinds: Sequence[str], lasting: bool, every: int, on: int
) -> list[str]:
    """All that is wrong when one of every so many operations is refused; after one of `on` of them it goes on."""
    faults: list[str] = []
    at = 0
    while True:
        at += 1 if at < 3 else every
        refusal = Refusal(number, kinds, at, lasting)
        place.put(place.before(name))
        done = place.run(name, refusal)
        if not refusal.refused:
            assert done.code == 0
            print(name, errno.errorcode[number], "lasting" if lasting else "once", refusal.asked, "asked")
            return faults
        first = refusal.refused[0]
        where = f"{name}: {errno.errorcode[number]} at {at} ({first.kind} {first.to or first.path}): "
        faults += [where + fault for fault in invalid(place, name, refusal, done, at % on == 0)]


@pytest.mark.parametrize("name", NAMES)
def test_no_operation_that_a_full_disk_refuses_once_does_harm(name: str, place: Place) -> None:
    every = EVERY.get(name, 1)
    none(refused(place, name, errno.ENOSPC, WRITING + LOCKING, False, every, 8 if every == 1 else 2))


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_is_full_from_any_operation_on_does_no_harm(name: str, place: Place) -> None:
    none(refused(place, name, errno.ENOSPC, LASTING[errno.ENOSPC], True, EVERY.get(name, 4), 2))


# By default a command meets one of two errors.
OTHERWISE = [
    pytest.param(name, number, id=f"{name}-{number}", marks=[pytest.mark.slow] if name in SLOW or i % 2 != j else [])
    for i, name in enumerate(COMMANDS)
    for j, number in enumerate([errno.EIO, errno.EACCES, errno.EDQUOT])
]


@pytest.mark.parametrize(("name", "number"), OTHERWISE)
def test_some_operations_that_are_refused_otherwise_do_no_harm(name: str, number: int, place: Place) -> None:
    none(refused(place, name, number, WRITING + LOCKING, False, 53, 1))
    none(refused(place, name, number, LASTING[number], True, 59, 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_cannot_be_read_is_not_reported_as_damaged(name: str, place: Place) -> None:
    none(refused(place, name, errno.EIO, READING, False, 37, 1))


@pytest.mark.slow
@pytest.mark.parametrize("place", [2], indirect=True, ids=["long"])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("number", LASTING, ids=errno.errorcode.get)
@pytest.mark.parametrize("name", NAMES)
def test_no_operation_that_is_refused_does_harm(name: str, number: int, lasting: bool, place: Place) -> None:
    none(refused(place, name, number, LASTING[number] if lasting else WRITING + LOCKING, lasting, 1, 1))


@pytest.mark.slow
@pytest.mark.parametrize("place", [2], indirect=True, ids=["long"])
@pytest.mark.parametrize("name", NAMES)
def test_no_file_that_cannot_be_read_is_reported_as_damaged(name: str, place: Place) -> None:
    none(refused(place, name, errno.EIO, READING, False, 1, 1))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_cannot_be_written_to_is_named_and_left_as_it_was(name: str, number: int, place: Place) -> None:
    """As one that belongs to somebody else; the superuser, who may be testing, would be let in."""
    refusal = Refusal(number, LASTING[number], 1, lasting=True)
    place.put(place.before(name))
    before = disk.tree_of(place.disk)
    done = place.run(name, refusal)
    none(list(_said(place, refusal, done)))
    assert disk.tree_of(place.disk) == before


def test_the_test_finds_files_that_are_written_in_place(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.put_instead(monkeypatch, "write_atomically", lambda path, write: path.write_bytes(disk.content_of(write)))
    faults = refused(place, "resume", errno.ENOSPC, ("write",), True, 2, 1)
    assert any("state.npz is neither what it was nor what it was to be" in fault for fault in faults)
