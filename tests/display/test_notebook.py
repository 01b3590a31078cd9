"""Progress in a notebook: one display, updated in place, whose last state agrees with what the run recorded."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.api.nets.sequential import Sequential
from nnfs_cli.config.config import Config
from nnfs_cli.display.notebook import SECONDS, in_notebook
from nnfs_cli.display.progress import fold_report, progress_for
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from tests.conftest import CONFIGS
from tests.display.markup import parsed, texts


class Shell(ModuleType):
    """A stand-in for IPython in a kernel: it keeps what is displayed."""

    def __init__(self) -> None:
        super().__init__("IPython")
        self.displays: list[list[dict[str, str]]] = []  # for each display, its states

    def get_ipython(self) -> object:
        return SimpleNamespace(kernel=object())

    def display(self, bundle: dict[str, str], *, raw: bool, display_id: bool) -> object:
        assert raw
        assert display_id
        states = [bundle]
        self.displays.append(states)
        return SimpleNamespace(update=lambda bundle, raw: states.append(bundle))

    def table(self) -> list[list[str]]:
        """Return the cells of the table in the last state of the last display."""
        root = parsed(self.displays[-1][-1]["text/html"])
        return [["".join(cell.itertext()) for cell in line] for line in root.iter("tr")]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", shell)
    return shell


def config_of(*sets: str) -> Config:
    return Config.load(CONFIGS / "iris.yaml", sets)


def trained(folder: Path, config: Config, *others: Callback) -> RunDirectory:
    experiment = workflows.prepare(config)
    run = workflows.begin(experiment, folder)
    workflows.train(experiment, run, [*progress_for(None, config.checkpoint), *others])
    return run


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_the_last_state_is_a_table_with_the_figures_of_the_log_and_the_best_epoch(
    monitor: str, shell: Shell, tmp_path: Path
) -> None:
    run = trained(tmp_path, config_of("epochs=30", "lr=0.5", f"checkpoint.monitor={monitor}"))
    log = {int(row["epoch"]): row for row in run.log.rows()}
    (states,) = shell.displays
    header, *rows = shell.table()
    assert header[:3] == ["epoch", "train_loss", "val_loss"]
    shown = {int(row[0]): row for row in rows}
    assert {1, 30} <= set(shown) <= set(log)
    assert len(shown) < 16
    for epoch, row in shown.items():
        assert [float(cell) for cell in row[1:-1]] == pytest.approx(
            [log[epoch][name] for name in header[1:-1]], abs=5.1e-5
        )
    assert [epoch for epoch, row in shown.items() if row[-1] == "best"] == [run.metrics()["best_epoch"]]
    assert "trained  30 epochs in" in states[-1]["text/plain"]
    assert "progressbar" in states[0]["text/html"]
    assert "progressbar" not in states[-1]["text/html"]
    assert len(states[-1]["text/html"]) < 8_000


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_the_display_is_updated_during_training_but_at_most_five_times_a_second(shell: Shell, tmp_path: Path) -> None:
    class Sleep(Callback):
        def on_step(self, training: Training) -> None:
            time.sleep(0.02)

    started = time.monotonic()
    trained(tmp_path, config_of("epochs=40", "batch_size=full"), Sleep())
    took = time.monotonic() - started
    (states,) = shell.displays
    assert 3 <= len(states) <= 2 + took / SECONDS
    bars = [state["text/plain"].rpartition("\n")[2] for state in states[:-1]]
    assert bars == sorted(bars, key=lambda text: int(text.split()[1]))
    assert all(bar.endswith(" of 40") for bar in bars)


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("why", ["stopped", "raised"])
def test_a_training_that_ends_early_leaves_its_table_and_says_so(why: str, shell: Shell, tmp_path: Path) -> None:
    class End(Callback):
        def on_epoch(self, training: Training) -> None:
            if training.progress.epoch == 5 and why == "stopped":
                training.stop("five are <enough>")
            elif training.progress.epoch == 5:
                raise MemoryError

    if why == "stopped":
        trained(tmp_path, config_of("epochs=9"), End())
        expected = r"5 epochs in \d\.\d s, then stopped: five are <enough>"
    else:
        with pytest.raises(MemoryError):
            trained(tmp_path, config_of("epochs=9"), End())
        expected = r"4 epochs in \d\.\d s, then ended before epoch 9"
    (said,) = texts(shell.displays[-1][-1]["text/html"], "dd")
    assert re.fullmatch(expected, said)
    assert shell.table()[1][0] == "1"


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_epochs_before_the_first_average_do_not_compete(shell: Shell, tmp_path: Path) -> None:
    averaged = ("epochs=12", "optimizer=adam", "lr=0.3", "seed=2", "averaging={swa: {start: 0.5}}")
    run = trained(tmp_path, config_of(*averaged))
    best = run.metrics()["best_epoch"]
    assert [int(row[0]) for row in shell.table()[1:] if row[-1] == "best"] == [best]
    assert min(run.log.rows(), key=lambda row: row["val_loss"])["epoch"] < best  # so the test can fail


def test_a_fold_report_adds_a_row_for_each_fold(shell: Shell) -> None:
    report = fold_report(None, ["one", "<two>"], 2, 1)
    for fold in range(2):
        for name in ("one", "<two>"):
            report(name, 0, fold, {"log_loss": 0.5, "accuracy": math.nan})
    (states,) = shell.displays
    assert [("progressbar" in state["text/html"]) for state in states] == [True, True, True, False]
    assert shell.table() == [
        ["fold", "config", "log_loss", "accuracy"],
        *([fold, name, "0.5000", "-"] for fold in "12" for name in ("one", "<two>")),
    ]


def test_a_module_called_ipython_without_a_shell_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    for ipython in (ModuleType("IPython"), SimpleNamespace(get_ipython=lambda: None)):
        monkeypatch.setitem(sys.modules, "IPython", ipython)  # type: ignore[arg-type]
        assert not in_notebook()


CELL = """
import warnings
from nnfs_cli import workflows
from nnfs_cli.display.progress import progress_for
warnings.simplefilter("ignore")
experiment = workflows.prepare(workflows.load("CONFIG"))
workflows.train(experiment, workflows.begin(experiment, "FOLDER"), progress_for(None))
"""

PROGRAM = """
import sys, nbclient, nbformat
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(sys.argv[1])])
nbclient.NotebookClient(notebook, timeout=100).execute()
(output,) = notebook.cells[0].outputs
print(output.output_type, output.data["text/plain"])
"""


@pytest.mark.slow
def test_a_real_kernel_keeps_one_output_with_the_table(tmp_path: Path) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cell = CELL.replace("CONFIG", (CONFIGS / "iris.yaml").as_posix()).replace("FOLDER", tmp_path.as_posix())
    done = subprocess.run([sys.executable, "-c", PROGRAM, cell], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("display_data epoch  train_loss")
    assert "trained  100 epochs in" in done.stdout


@pytest.mark.parametrize("kept", [True, False])
def test_an_epoch_is_marked_as_the_best_only_if_its_weights_are_kept(kept: bool, shell: Shell) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    stopping = [EarlyStopping(3, monitor="train_loss"), *([Checkpoint()] if kept else [])]
    history = Sequential([Linear(1)]).fit(X, X[:, 0], loss="mse", lr=2.0, epochs=9, callbacks=stopping)
    _, *rows = shell.table()
    best = int(history["epoch"][history["train_loss"].argmin()])
    assert [int(row[0]) for row in rows if row[-1] == "best"] == ([best] if kept else [])
