"""A search finds what Optuna finds, leaves ordinary runs, and goes on where it was."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from nnfs_cli import Config, ConfigError, DataError, Run, RunError, UserError, tune
from nnfs_cli.config.document import Document
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.search_directory import SearchDirectory
from nnfs_cli.tuning import SAMPLERS, begin, crew, reopen
from nnfs_cli.tuning import tune as search_on
from nnfs_cli.tuning.trial import Outcome, train_trial
from tests.conftest import Nnfs, one_message
from tests.tuning.searches import CONFIG, begun, drawn_and_scored, study_of, write_config

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in this process, which needs no time to start."""
    monkeypatch.setattr(crew, "can_start_workers", lambda: False)


def figures(folder: Path) -> list[float]:
    return [values[0] for _, _, values in drawn_and_scored(folder) if values]


def test_a_search_on_the_command_line(nnfs: Nnfs, inside: Nnfs, tmp_path: Path) -> None:
    write_config(tmp_path)
    words = ["--trials", 4, "--workers", 2, "--metric", "accuracy", "--pruner", "median", "--json", "-q"]
    done = nnfs("tune", "flowers.yaml", *words)
    assert done.returncode == 0, done.stderr
    found, search = json.loads(done.stdout), tmp_path / "runs" / "flowers-tune-1"
    assert found["figures"] == {"accuracy": "max"}
    assert [one["trial"] for one in found["trials"]] == [1, 2, 3, 4]
    assert found["best"]["figures"]["accuracy"] == max(one["figures"]["accuracy"] for one in found["trials"])
    assert study_of(search).best_trial.number + 1 == found["best"]["trial"]
    assert all([*one.intermediate_values] == [1, 2, 3] for one in study_of(search).trials)
    first = found["trials"][0]["values"]  # the config as it is
    assert first == {"lr": 0.001, "layers.0.linear": 6, "optimizer.adamw.weight_decay": 0.01}
    for one in found["trials"]:  # ordinary runs, whose figures are those of the table
        run = Run.open(tmp_path / one["run"])
        assert run.metrics["validation"]["accuracy"] == one["figures"]["accuracy"]
    best = Config.load(tmp_path / found["config"])
    assert best.lr == found["best"]["values"]["lr"]
    assert "# hidden" in (tmp_path / found["config"]).read_text(encoding="utf-8")
    shown = inside("resume", "runs/flowers-tune-1")  # there is nothing left to do, so it shows what was found
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0].split()[:3] == ["trial", "accuracy", "lr"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("sampler", ["tpe", *(pytest.param(one, marks=pytest.mark.slow) for one in SAMPLERS[1:])])
def test_one_worker_finds_the_same_again_however_often_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    calm = begun(tmp_path, trials=12, sampler=sampler)
    search_on(calm, 1)
    whole = drawn_and_scored(calm.path)
    search = begun(tmp_path, trials=12, sampler=sampler)
    calls = []

    def interrupted(*given: Any) -> Outcome:
        calls.append(len(calls))
        if len(calls) in (2, 9):
            raise KeyboardInterrupt
        outcome = train_trial(*given)
        if len(calls) == 5:
            raise KeyboardInterrupt  # it has finished, and nobody has written that down
        return outcome

    monkeypatch.setattr(crew, "train_trial", interrupted)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            search_on(search, 1)
        search = reopen(search.path)
    search_on(search, 1)
    assert drawn_and_scored(search.path) == whole
    assert len(calls) == 12 + 3
    assert len({*figures(search.path)}) > 8
    assert (search.path / "best.yaml").read_bytes() == (calm.path / "best.yaml").read_bytes()


@pytest.mark.usefixtures("here")
def test_a_search_finds_the_better_learning_rate(tmp_path: Path) -> None:
    text = CONFIG.partition("search:")[0].replace("epochs: 3", "epochs: 8") + "search: {lr: {log: [1e-6, 1e-1]}}\n"
    found = search_on(begun(tmp_path, text, trials=12), 1)
    assert found.best is not None
    assert found.best.drawn["lr"] > 1e-2  # type: ignore[operator]
    assert found.importances == {"lr": 1.0}


@pytest.mark.usefixtures("here")
def test_a_search_can_be_made_longer(tmp_path: Path) -> None:
    search = begun(tmp_path, trials=2, sampler="random")
    first = search_on(search, 1)
    more = search_on(reopen(search.path, trials=4), 1)
    assert [*more.trials][:2] == [*first.trials]
    assert len(more.trials) == 4
    whole = begun(tmp_path, trials=4, sampler="random")
    search_on(whole, 1)
    assert drawn_and_scored(whole.path) == drawn_and_scored(search.path)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("sampler", ["qmc", "cmaes", "nsgaii"])
def test_samplers_by_name(tmp_path: Path, sampler: str) -> None:
    text = CONFIG + "  clip: {choice: [null, {norm: {log: [0.1, 2]}}]}\n"
    search = begun(tmp_path, text, trials=4, sampler=sampler)
    search_on(search, 1)
    drawn = [values for _, values, _ in drawn_and_scored(search.path)]
    assert len({values["lr"] for values in drawn}) == 4
    assert len({values["layers.0.linear"] for values in drawn}) > 1


@pytest.mark.usefixtures("here")
def test_a_pruner_stops_poor_trials_early(tmp_path: Path) -> None:
    text = CONFIG.partition("search:")[0].replace("epochs: 3", "epochs: 30") + "search: {lr: {log: [1e-7, 1e-2]}}\n"
    search = begun(tmp_path, text, trials=12, pruner="halving")
    found = search_on(search, 1)
    assert found.count("pruned") >= 3
    assert found.count("pruned", "finished") == 12
    assert found.best is not None
    assert found.best.epochs == 30
    pruned = next(row for row in found.trials if row.state == "pruned")
    run = Run.open(pruned.run)
    assert "pruned" in RunDirectory.open(pruned.run).metrics()["stopped"]
    assert len(run.history) == pruned.epochs < 30  # type: ignore[operator]
    steps = study_of(search.path).trials[pruned.number - 1].intermediate_values
    assert [*steps] == [*range(1, pruned.epochs + 1)]  # type: ignore[operator]


@pytest.mark.usefixtures("here")
def test_several_metrics_have_a_front(tmp_path: Path) -> None:
    search = begun(tmp_path, metrics=("accuracy", "loss", {"f1": "macro"}), trials=6)
    found = search_on(search, 1)
    assert found.figures == {"accuracy": "max", "loss": "min", "f1_macro": "max"}

    def better(one: Any, other: Any) -> bool:
        pairs = [(one.figures[name], other.figures[name], mode) for name, mode in found.figures.items()]
        gains = [(a - b) * (1 if mode == "max" else -1) for a, b, mode in pairs]
        return min(gains) >= 0 and max(gains) > 0

    front = [one.number for one in found.trials if not any(better(other, one) for other in found.trials)]
    assert {*found.front} <= {*front}
    assert found.best is not None
    assert found.best.figures["accuracy"] == max(one.figures["accuracy"] for one in found.trials)


@pytest.mark.usefixtures("here")
def test_trials_that_diverge_or_cannot_be_trained_are_recorded(tmp_path: Path) -> None:
    text = CONFIG.replace("log: [1e-3, 1e-1]", "choice: [0.01, 1e+30]").replace("optimizer: adamw", "optimizer: sgd")
    text = text.partition("  optimizer.adamw")[0]
    found = search_on(begun(tmp_path, text, trials=6, sampler="random"), 1)
    assert found.count("finished") + found.count("diverged") == 6
    diverged = [row for row in found.trials if row.state == "diverged"]
    assert diverged
    assert diverged[0].message.startswith("training diverged")
    assert Run.open(diverged[0].run).path.is_dir()
    assert found.best is not None
    assert found.best.drawn["lr"] == 0.01


@pytest.mark.usefixtures("here")
def test_a_time_that_is_over_still_has_a_trial(tmp_path: Path) -> None:
    found = search_on(begun(tmp_path, minutes=1e-9, trials=5), 1)
    assert len(found.trials) == 1
    assert found.best is not None


@pytest.mark.usefixtures("here")
def test_rows_that_were_given_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X = {"a": [i % 7 / 7 for i in range(40)], "b": [i % 5 / 5 for i in range(40)]}
    table = {**X, "price": [a + 2 * b for a, b in zip(X["a"], X["b"], strict=True)]}
    settings = {"dataset": {"table": "price"}, "layers": ["linear: 4", "relu", "linear: 1"], "loss": "mse", "epochs": 3}
    search = {"lr": {"log": [1e-3, 0.1]}, "layers.0.linear": {"whole": [4, 8]}}
    found = tune(settings, table, trials=3, metrics="r2", name="prices", search=search)
    assert found.path == Path("runs/prices-tune-1")
    assert {"trial", "state", "r2", "lr", "layers.0.linear", "run"} < {*found.trials.columns}
    assert found.best["lr"] == found.trials["lr"][found.trials["r2"].argmax()]
    assert found.best_run.metrics["validation"]["r2"] == max(found.trials["r2"])
    assert "lr: " in found.config
    assert "3 trials in runs/prices-tune-1" in repr(found)
    more = tune(found.path, table, trials=4)
    assert len(more.trials) == 4
    with pytest.raises(DataError, match="were given in Python"):
        tune(found.path, trials=5)
    with pytest.raises(DataError, match="has changed"):
        tune(found.path, {**table, "a": table["b"]}, trials=5)
    with pytest.raises(UserError, match="goes on as it began"):
        tune(found.path, table, metrics="r2")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sampler", "tp"], "there is no sampler 'tp'; did you mean 'tpe'?"),
        (["--pruner", "none", "--sampler", "grid"], "there is no sampler 'grid'"),
        (["--pruner", "mean"], "there is no pruner 'mean'"),
        (["--pruner", "median", "--metric", "loss", "--metric", "accuracy"], "a pruner judges by one figure"),
        (["--sampler", "cmaes", "--metric", "loss", "--metric", "accuracy"], "cmaes searches by one figure"),
        (["--metric", "acuracy"], "did you mean 'accuracy'?"),
        (["--metric", "f1: per_class"], "gives a figure for each class"),
        (["--metric", "f1:per_class", "--metric", "f1_nobody"], "there is no metric 'f1_nobody'"),
        (["--metric", "accuracy", "--metric", "val_accuracy"], "is given twice"),
        (["--metric", "["], "--metric takes a metric"),
        (["--minutes", "0"], "minutes above 0"),
        (["--set", "split.validation=0"], "holds no rows out for validation"),
        (["--set", "search={loss: {choice: [cross_entropy]}}"], "cannot be compared by their loss"),
        (["--set", "search={lr: {log: [-1, 1]}}"], "must be greater than 0"),
    ],
)
def test_wrong_words_leave_no_folder(inside: Nnfs, tmp_path: Path, words: list[str], message: str) -> None:
    write_config(tmp_path)
    assert message in one_message(inside("tune", "flowers.yaml", "--trials", 2, *words), 2)
    assert not list(tmp_path.glob("runs/*"))


def test_a_search_goes_on_as_it_began(inside: Nnfs, tmp_path: Path) -> None:
    search = begun(tmp_path, trials=1)
    search.directory.release()
    assert "leave out --metric" in one_message(inside("tune", search.path, "--metric", "loss"), 2)
    assert "leave out --epochs" in one_message(inside("resume", search.path, "--epochs", 3), 2)


def test_a_missing_package_is_named_before_anything_is_written(
    inside: Nnfs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    write_config(tmp_path)
    message = one_message(inside("tune", "flowers.yaml"), 2)
    assert message.strip().endswith("nnfs tune needs optuna and cmaes: pip install 'nnfs-cli[tune]'")
    assert not (tmp_path / "runs").exists()


def test_a_folder_has_one_search_at_a_time(tmp_path: Path) -> None:
    search = begun(tmp_path)
    with pytest.raises(BlockingIOError, match="is being written by"):
        reopen(search.path)
    search.directory.release()
    reopen(search.path).directory.release()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of two trials."""
    folder = tmp_path_factory.mktemp("finished")
    search = begun(folder, trials=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crew, "can_start_workers", lambda: False)
        search_on(search, 1)
    return search.path


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, at the same distance from its config."""
    write_config(tmp_path)
    return Path(shutil.copytree(finished, tmp_path / "runs" / finished.name))


def plan_with(search: Path, **changes: Any) -> None:
    plan = json.loads((search / "search.json").read_text())
    (search / "search.json").write_text(json.dumps({**plan, **changes}))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "search.json").write_text("{"),
        lambda path: (path / "search.json").write_text("{}"),
        lambda path: plan_with(path, trials=-1),
        lambda path: plan_with(path, trials=True),
        lambda path: plan_with(path, sampler="../x"),
        lambda path: plan_with(path, figures={}),
        lambda path: plan_with(path, figures={"loss": "up"}),
        lambda path: plan_with(path, figures={"accuracy": "max"}),
        lambda path: plan_with(path, seed=-1),
        lambda path: plan_with(path, more=1),
        lambda path: plan_with(path, format=2),
        lambda path: (path / "journal.log").write_bytes(b"\xff\n" * 3),
        lambda path: (path / "journal.log").write_text('{"op_code": 0}\n'),
        lambda path: (path / "journal.log").write_text('{"op_code": 99, "worker_id": "x"}\n'),
        lambda path: (path / "config.yaml").write_text("dataset: iris\n"),
        lambda path: (path / "config.yaml").write_text("dataset: [\n"),
        lambda path: (path / "config.yaml").unlink(),
    ],
    ids=range(17),
)
@pytest.mark.usefixtures("here")
def test_a_damaged_folder_is_an_error_of_one_sentence(copied: Path, damage: Any) -> None:
    damage(copied)
    with pytest.raises((RunError, ConfigError)):
        search_on(reopen(copied, trials=3), 1)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["journal.log", "config.yaml", "search.json", "lock"])
def test_no_link_is_followed(copied: Path, name: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.move(copied / name, outside) if (copied / name).exists() else outside.write_text("")
    before = outside.stat().st_mtime_ns
    (copied / name).symlink_to(outside)
    with pytest.raises((RunError, OSError)):
        search_on(reopen(copied, trials=3), 1)
    assert outside.stat().st_mtime_ns == before


@pytest.mark.usefixtures("here")
def test_a_link_in_the_place_of_a_trial_is_not_followed(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (copied / "trial-3").symlink_to(tmp_path / "outside")
    found = search_on(reopen(copied, trials=4), 1)
    assert [row.state for row in found.trials] == ["finished", "finished", "failed", "finished"]
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.usefixtures("here")
def test_half_a_line_of_the_journal_and_an_old_lock_do_not_matter(copied: Path) -> None:
    before = drawn_and_scored(copied)
    with (copied / "journal.log").open("ab") as file:
        file.write(b'{"op_code":4,"worker_')
    (copied / "journal.log.lock").symlink_to(copied / "journal.log")
    search_on(reopen(copied, trials=3), 1)
    assert drawn_and_scored(copied)[:2] == before
    assert len(drawn_and_scored(copied)) == 3


@pytest.mark.usefixtures("here")
def test_a_file_that_somebody_else_wrote_is_not_deleted(copied: Path) -> None:
    (copied / "trial-3").mkdir()
    (copied / "trial-3" / "notes.txt").write_text("mine")
    found = search_on(reopen(copied, trials=3), 1)
    assert (copied / "trial-3" / "notes.txt").read_text() == "mine"
    assert found.trials[2].state == "failed"
    assert "nnfs did not write" in found.trials[2].message


def test_a_search_is_no_run(inside: Nnfs, finished: Path) -> None:
    runs = finished.parent.parent
    assert "there is no run in" in inside("runs", cwd=runs).stderr
    listed = inside("runs", "--folder", finished, "--json", cwd=runs)
    assert {run["run"].rpartition("/")[2] for run in json.loads(listed.stdout)["runs"]} == {"trial-1", "trial-2"}
    assert math.isfinite(figures(finished)[0])
    assert SearchDirectory.is_at(finished)
    assert not SearchDirectory.is_at(finished / "trial-1")


def test_a_config_says_by_itself_which_folder_its_paths_start_from(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "table.csv").write_text("x,y\n" + "1,2\n3,4\n" * 20, encoding="utf-8")
    text = "dataset: {csv: {path: table.csv, target: y}}\n" + CONFIG.partition("iris\n")[2]
    text = text.replace("linear: 3", "linear: 1").replace("cross_entropy", "mse")
    search = begin(Document.load(write_config(home, text)), tmp_path / "runs", trials=1)
    search.directory.release()
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    reopen(moved / "runs" / search.path.name).directory.release()
