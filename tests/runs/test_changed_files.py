"""A changed byte in any file of a run is noticed: `verify` names the file, and no prediction rests on it."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnfs_cli import workflows
from nnfs_cli.components import user_code
from nnfs_cli.config.config import Config
from nnfs_cli.errors import RunError
from nnfs_cli.runs.checked_files import CheckedFiles
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.status_file import StatusFile
from tests.conftest import Nnfs, one_message

CONFIG = """\
dataset: breast_cancer
split: {validation: 0.2, test: 0.1}
layers: [linear: 1, sigmoid]
loss: binary_cross_entropy
lr: 0.1
epochs: 2
checkpoint: {every: 1}
"""
PREDICTED_BY = (
    "spec.yaml", "data.json", "status.json", "decision.json", "calibration.json", "weights/best.npz",
)  # fmt: skip
FILES = (
    *PREDICTED_BY, "config.yaml", "environment.json", "metrics.json", "verdict.json", "epochs.csv", "state.npz",
    "background.npz", "probes.npz", "snapshots.npz",
    "weights/last.npz", "weights/epoch-1.npz", "weights/epoch-2.npz", "code/parts.py", "evaluation/train/confusion.csv",
    "evaluation/validation/confusion.csv", "evaluation/test/confusion.csv", "evaluation/validation-last/confusion.csv",
    "evaluation/test-last/confusion.csv",
)  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with a run, its code, and rows to predict."""
    folder = tmp_path_factory.mktemp("changed")
    (folder / "c.yaml").write_text(CONFIG)
    code = user_code.CodeFile(Path("parts.py"), b"# nothing\n", "0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(user_code.LOADED, "parts", code)
        patch.setattr(sys.modules["nnfs_cli.workflows.train"], "code_files_of", lambda config: {"parts.py": code})
        experiment = workflows.prepare(Config.load(folder / "c.yaml"))
        run = workflows.begin(experiment, folder / "runs")
        workflows.train(experiment, run)
        workflows.decide(run, 0.3)
        workflows.evaluate(run)
        workflows.evaluate(run, weights="last")
        columns = [column["name"] for column in run.records.data()["inputs"]]
        (folder / "new.csv").write_text(",".join(columns) + "\n" + ",".join(["1"] * len(columns)) + "\n")
        yield folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "runs" / "c-1"


def flips(path: Path, seed: object, n: int = 10) -> Iterator[int]:
    """Change one byte after the other, and undo it again."""
    content, chance = path.read_bytes(), random.Random(f"{seed}")  # noqa: S311 - nothing secret
    for _ in range(n):
        at = chance.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ chance.randrange(1, 256)]) + content[at + 1 :])
        yield at
    path.write_bytes(content)


def test_every_file_is_recorded(run: Path) -> None:
    assert {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()} == set(FILES)
    assert RunDirectory.open(run).status()["sha256"].keys() == set(FILES)
    assert RunDirectory.open(run).status_file.changed() == []


@pytest.mark.parametrize("name", FILES)
def test_verify_names_a_file_with_a_changed_byte(name: str, run: Path) -> None:
    for _ in flips(run / name, name):
        with pytest.raises(RunError) as error:
            workflows.verify(RunDirectory(run))
        assert (f"{run} has changed since training: {name} is changed" in str(error.value)) or (
            name == "status.json" and f"{run}/status.json is damaged" in str(error.value)
        )


@pytest.mark.parametrize("name", PREDICTED_BY)
def test_no_prediction_rests_on_a_file_with_a_changed_byte(name: str, run: Path) -> None:
    for _ in flips(run / name, name):
        with pytest.raises(RunError, match=f"{run}/{name} is damaged"):
            workflows.batch_predictor(RunDirectory.open(run), run.parent.parent / "new.csv", interval=0.9).all()


@pytest.mark.parametrize("mask", [0x01, pytest.param(0x80, marks=pytest.mark.slow)])
def test_every_byte_of_the_status_counts(mask: int, run: Path) -> None:
    path, status_file = run / "status.json", StatusFile(run)
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :])
        with pytest.raises(RunError, match=r"status\.json"):
            status_file.read()


def test_verify_names_all_files_that_were_changed_taken_away_or_added(run: Path, inside: Nnfs) -> None:
    (run / "config.yaml").write_text("changed")
    (run / "evaluation" / "test" / "confusion.csv").unlink()
    (run / "weights" / "epoch-7.npz").write_bytes(b"added")
    (run / "notes.txt").write_text("a file of somebody else's is none of ours")
    expected = "config.yaml, evaluation/test/confusion.csv and weights/epoch-7.npz are changed, missing or added"
    assert f"{run} has changed since training: {expected}" in one_message(inside("verify", run, "-q"), 2)


@pytest.mark.parametrize("how", ["changed", "missing", "added"])
def test_a_threshold_that_nnfs_did_not_write_decides_nothing(how: str, run: Path, inside: Nnfs) -> None:
    predict = ("predict", "--run", run, "--input", run.parent.parent / "new.csv")
    if how == "changed":
        decision = json.loads((run / "decision.json").read_text())
        (run / "decision.json").write_text(json.dumps(decision | {"threshold": 0.9}))
    elif how == "missing":
        (run / "decision.json").unlink()
    else:
        kept = (run / "decision.json").read_bytes()
        assert inside("decide", run, "--threshold", "none").returncode == 0
        (run / "decision.json").write_bytes(kept)
    message = one_message(inside(*predict), 2)
    assert message.startswith(f"error: {run / 'decision.json'} is ")
    assert message.endswith("; `nnfs decide` writes it again\n")
    assert inside("decide", run, "--threshold", "0.6").returncode == 0
    assert inside(*predict).returncode == 0
    assert RunDirectory.open(run).status_file.changed() == []


def test_a_resumed_run_does_not_take_changed_files_for_its_own(run: Path, inside: Nnfs) -> None:
    (run / "config.yaml").write_text("changed")
    (run / "code" / "parts.py").write_text("changed")
    assert inside("resume", run, "--epochs", 3, "-q").returncode == 0
    assert RunDirectory.open(run).status_file.changed() == ["code/parts.py", "config.yaml"]
    assert RunDirectory.open(run).records.decision() == {"threshold": 0.3, "class": "benign", "by": "hand"}


def test_whoever_is_killed_while_files_are_replaced_leaves_files_that_are_recorded(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of the writes of `decide` and `evaluate`; others than those of the power loss tests."""
    write, writes, thresholds = CheckedFiles.write, 0, set()
    for last in range(10):
        writes = 0

        def killed(files: CheckedFiles, name: str, content: bytes, last: int = last) -> None:
            nonlocal writes
            if writes == last:
                raise KeyboardInterrupt
            writes += 1
            write(files, name, content)

        with monkeypatch.context() as patch:
            patch.setattr(CheckedFiles, "write", killed)
            try:
                workflows.decide(RunDirectory.open(run), 0.1 + 0.01 * last)
                workflows.evaluate(RunDirectory.open(run))
                break
            except KeyboardInterrupt:
                pass
        left = RunDirectory.open(run)
        assert left.status_file.changed() == []
        decision = left.records.decision()
        assert decision is not None
        thresholds.add(decision["threshold"])
    assert 3 <= last < 9  # the digests of both, at least one confusion table, the decision, and the digests
    assert len(thresholds) > 1
    assert all(isinstance(digest, str) for digest in RunDirectory.open(run).status()["sha256"].values())


def test_the_page_of_a_run_is_recorded_and_goes_when_training_goes_on(run: Path, inside: Nnfs) -> None:
    opened = RunDirectory.open(run)
    path = opened.records.write_report("<p>a page</p>")
    assert path.read_text() == "<p>a page</p>"
    assert opened.status_file.changed() == []
    path.write_text("another page")
    assert opened.status_file.changed() == ["report.html"]
    assert inside("resume", run, "--epochs", 3, "-q").returncode == 0
    assert opened.status_file.changed() == []
