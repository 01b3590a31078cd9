"""`nnfs trace` and `nnfs gradcheck`: what they print, and their exit codes."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.display.matrix import matrix
from nnfs_cli.nn.entry_formulas import four_digits
from nnfs_cli.trace.source import batch_of_config
from tests.components.registry import components_restored
from tests.conftest import CONFIGS, unsealed
from tests.report.traced import data_of

WRONG = """
    import numpy as np
    from nnfs_cli import Layer

    class Sine(Layer, name="wrong_sine"):
        '''Periodic activation: y = sin(x), element by element.

        Gradient: dx = cos(x) dy.
        '''

        def forward(self, p, x, context):
            return np.sin(x), lambda dy, g, need_dx: np.cos(x) * dy * 1.01
"""


def test_trace_prints_the_step_with_its_numbers(inside: Any) -> None:
    done = inside("trace", CONFIGS / "iris.yaml")
    assert done.returncode == 0
    batch = batch_of_config(workflows.load(CONFIGS / "iris.yaml"), "iris")
    batch.model.differentiate(batch.x, batch.y)
    gradients = batch.model.gradients.arrays
    for name in ("0.weight", "2.weight"):
        for number in gradients[name][0, :4]:
            assert four_digits(number) in done.stdout.split()
    assert [line for line in done.stdout.splitlines() if line.istitle() and line.isalpha()] == [
        "Data", "Forward", "Loss", "Backward", "Update",
    ]  # fmt: skip
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_trace_of_one_layer_and_of_given_rows(inside: Any) -> None:
    done = inside("trace", CONFIGS / "iris.yaml", "--layer", "layers.2", "--row", "3", "--row", "5")
    assert "counted from 0: 3 (" in done.stdout
    assert "layers.2  linear 3" in done.stdout
    assert "2.weight" in done.stdout
    assert "layers.0" not in done.stdout
    missing = inside("trace", CONFIGS / "iris.yaml", "--layer", "layers.9")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "the net has no layer 'layers.9'; its layers are layers.0, layers.1 and layers.2" in " ".join(
        missing.stderr.split()
    )


def test_trace_as_json_has_the_exact_numbers(inside: Any) -> None:
    done = inside("trace", CONFIGS / "iris.yaml", "--json")
    steps = json.loads(done.stdout)["steps"]
    batch = batch_of_config(workflows.load(CONFIGS / "iris.yaml"), "iris")
    batch.model.differentiate(batch.x, batch.y)
    weight = next(step for step in steps if step["path"] == "2.weight")
    shown = {array["name"]: array["values"] for array in weight["arrays"]}
    np.testing.assert_array_equal(np.array(shown["dL/dw"], "float32"), batch.model.gradients.arrays["2.weight"])


def test_trace_of_a_long_net_is_summed_up(inside: Any) -> None:
    layers = "layers=[" + ", ".join(["linear: 4", "tanh"] * 10) + ", linear: 3, softmax]"
    done = inside("trace", CONFIGS / "iris.yaml", "--set", layers)
    assert len(done.stdout.splitlines()) < 170
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "layers.18" in done.stdout


def test_trace_of_a_run_follows_its_weights(inside: Any, tmp_path: Path) -> None:
    inside("train", CONFIGS / "iris.yaml", "--quiet", "--set", "epochs=3")
    done = inside("trace", "runs/iris-1", "--weights", "last", "--layer", "layers.0", "--json")
    found = json.loads(done.stdout)
    assert found["weights"] == "the last weights after epoch 3 of runs/iris-1"
    weight = next(step for step in found["steps"] if step["path"] == "0.weight")["arrays"][0]["values"]
    with np.load(tmp_path / "runs/iris-1/weights/last.npz") as kept:
        np.testing.assert_array_equal(np.array(weight, "float32"), kept["0.weight"])
    snapshot = json.loads(inside("trace", "runs/iris-1", "--weights", "epoch-1", "--json").stdout)
    assert snapshot["weights"] == "the weights after epoch 1 of runs/iris-1"
    missing = inside("trace", "runs/iris-1", "--weights", "epoch-9")
    assert missing.returncode == 2
    assert "has no epoch-9 weights; it has best, last, epoch-0, epoch-1, epoch-2 and epoch-3" in missing.stderr
    refused = inside("trace", "runs/iris-1", "--set", "lr=1")
    assert refused.returncode == 2
    assert "--set changes a config" in refused.stderr


def test_gradcheck_passes_for_a_right_net(inside: Any) -> None:
    done = inside("gradcheck", CONFIGS / "iris.yaml")
    assert done.returncode == 0
    assert "layers.2  linear 3       x" in done.stdout
    assert "wrong" not in done.stdout
    found = json.loads(inside("gradcheck", CONFIGS / "iris.yaml", "--json").stdout)
    assert not found["wrong"]
    assert [one["path"] for one in found["layers"]] == ["layers.0", "layers.1", "layers.2", "loss"]


def test_gradcheck_names_the_wrong_layer_and_exits_3(inside: Any, write: Callable[[str, str], Path]) -> None:
    file = write("wrong.py", textwrap.dedent(WRONG))
    with components_restored():
        done = inside("gradcheck", CONFIGS / "iris.yaml", "--code", file, "--set", "layers.1=wrong_sine")
        traced = inside("trace", CONFIGS / "iris.yaml", "--code", file, "--set", "layers.1=wrong_sine")
    assert done.returncode == 3
    assert "error: layers.1 (wrong_sine): the gradient with respect to x is wrong: at x[" in done.stderr
    assert "layers.0" not in done.stderr
    assert "y = sin(x), element by element" in traced.stdout


def test_trace_says_which_gradients_are_wrong(inside: Any, write: Callable[[str, str], Path]) -> None:
    file = write("wrong.py", textwrap.dedent(WRONG))
    right = inside("trace", CONFIGS / "iris.yaml")
    with components_restored():
        settings = ["--code", file, "--set", "layers.1=wrong_sine"]
        wrong = inside("trace", CONFIGS / "iris.yaml", *settings)
        found = json.loads(inside("trace", CONFIGS / "iris.yaml", *settings, "--json").stdout)
        page = inside("trace", CONFIGS / "iris.yaml", *settings, "--html", "wrong.html")
        html = Path(page.stdout.strip()).read_text()
    assert "gradients   23 checked, all right" in right.stdout
    assert "gradients   10 of 23 checked are wrong" in wrong.stdout
    assert found["wrong"]
    checks = {step["path"]: step["checks"] for step in found["steps"] if step["phase"] == "backward"}
    assert {path: {one["wrong"] for one in several} for path, several in checks.items()} == {
        "loss": set(),
        "loss.activation": set(),
        "loss.together": {False},
        "layers.2": {False},  # behind the wrong layer
        "layers.1": {True},
        "layers.0": {True},
    }
    assert "10 of 23 checked are wrong" in html
    assert html.count(", wrong</td>") == 10


def test_a_layer_may_be_named_by_its_number(inside: Any) -> None:
    short = inside("trace", CONFIGS / "iris.yaml", "--layer", "2").stdout
    assert short == inside("trace", CONFIGS / "iris.yaml", "--layer", "layers.2").stdout
    assert "layers.2  linear 3" in short


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_gradcheck_passes_for_every_config(path: Path, inside: Any) -> None:
    done = inside("gradcheck", path)
    assert done.returncode == 0, done.stderr


def test_a_matrix_is_aligned_and_leaves_out_its_middle() -> None:
    lines = matrix(np.array([[0.5, -1.25, 100, 4], [10, 0, 3, 4]]), 20, four_digits)
    assert ["  ".join(line) for line in lines] == [
        "      0  ⋯  3",
        "0   0.5  ⋯  4",
        "1  10    ⋯  4",
    ]


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_of_a_run_has_the_epochs_that_the_run_kept(inside: Any, tmp_path: Path) -> None:
    settings = ["--set", "epochs=3", "--quiet", "--no-report"]
    run = inside("train", CONFIGS / "iris.yaml", *settings).stdout.strip()
    done = inside("trace", run, "--html", "page.html", "--json")
    assert json.loads(done.stdout) == {"page": "page.html"}
    frames = data_of((tmp_path / "page.html").read_text())["frames"]
    assert [frame["epoch"] for frame in frames] == ["0", "1", "2", "3"]
    # A page is written over a page, but over nothing else.
    assert inside("trace", CONFIGS / "iris.yaml", "--html", "page.html").stdout == "page.html\n"
    assert len(data_of((tmp_path / "page.html").read_text())["frames"]) == 1
    (tmp_path / "mine.html").write_text("mine")
    refused = inside("trace", CONFIGS / "iris.yaml", "--html", "mine.html")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_kept_weights_of_another_net_are_refused(inside: Any, tmp_path: Path) -> None:
    settings = ["--set", "epochs=2", "--quiet", "--no-report"]
    runs = [
        inside("train", CONFIGS / "iris.yaml", "--set", f"layers.0.linear={units}", *settings).stdout.strip()
        for units in (4, 5)
    ]
    snapshots = [tmp_path / run / "snapshots.npz" for run in runs]
    snapshots[0].write_bytes(snapshots[1].read_bytes())
    unsealed(tmp_path / runs[0])
    done = inside("trace", runs[0], "--html", "page.html")
    assert done.returncode == 2
    assert "is damaged: the weights of its epochs are those of another net" in " ".join(done.stderr.split())
    assert not (tmp_path / "page.html").exists()


def test_the_page_has_all_layers(inside: Any) -> None:
    done = inside("trace", CONFIGS / "iris.yaml", "--html", "page.html", "--layer", "layers.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--layer is for the terminal" in done.stderr
