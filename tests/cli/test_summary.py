"""`nnfs summary`: shapes, parameters, memory and multiply-adds of layers, as they can be counted by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.inspection.net_cost import NetCost, cost_of_config, net_cost
from nnfs_cli.nn import kernels
from nnfs_cli.nn.formulas import formulas
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from tests.conftest import Nnfs, one_message
from tests.nn.passes import resolved

DEEP = [
    {"linear": 16},
    "batch_norm",
    {"residual": [{"dense": {"units": 32, "activation": "tanh"}}, {"dropout": 0.1}, {"linear": 8}]},
    {"sequential": [{"linear": {"units": 4, "bias": False}}, "relu"]},
    {"linear": 1},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    numbers, cities = np.random.default_rng(0).random((60, 2)), ("Rome", "Oslo", "Bern")
    rows = [f"{a:.3f},{b:.3f},{cities[i % 3]},{a - b:.3f}\n" for i, (a, b) in enumerate(numbers)]
    (tmp_path / "t.csv").write_text("a,b,city,y\n" + "".join(rows))
    return tmp_path


def config(folder: Path, **changes: Any) -> Path:
    settings: dict[str, Any] = {
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "preprocessing": {"categories": "one_hot"},
        "layers": DEEP,
        "loss": "mse",
        "epochs": 2,
    }
    (folder / "t.yaml").write_text(dump({**settings, **changes}))
    return folder / "t.yaml"


def cost(folder: Path, **changes: Any) -> NetCost:
    return cost_of_config(Config.load(config(folder, **changes)))


def test_figures_are_those_counted_by_hand(folder: Path) -> None:
    found = {line.path: line for line in cost(folder).layers}
    expected = {  # depth, shape, parameters, numbers kept, numbers of outputs, multiply-adds
        "": (0, (5,), 0, 0, 5, 0),
        "layers.0": (0, (16,), 5 * 16 + 16, 96, 16, 5 * 16),
        "layers.1": (0, (16,), 32, 64, 16, 0),
        "layers.2": (0, (8,), 544 + 264 + 128, 936, 8 + 64 + 32 + 8, 16 * 32 + 32 * 8 + 16 * 8),
        "layers.2.layers.0": (1, (32,), 16 * 32 + 32, 544, 64, 16 * 32),
        "layers.2.layers.0.activation": (2, (32,), 0, 0, 32, 0),
        "layers.2.layers.1": (1, (32,), 0, 0, 32, 0),
        "layers.2.layers.2": (1, (8,), 32 * 8 + 8, 264, 8, 32 * 8),
        "layers.3": (0, (4,), 32, 32, 8, 32),
        "layers.3.layers.0": (1, (4,), 32, 32, 4, 32),
        "layers.3.layers.1": (1, (4,), 0, 0, 4, 0),
        "layers.4": (0, (1,), 5, 5, 1, 4),
    }
    assert list(found) == list(expected)
    for path, (depth, shape, parameters, kept, outputs, products) in expected.items():
        line = found[path]
        assert (line.depth, line.shape, line.parameters) == (depth, shape, parameters), path
        assert (line.parameter_bytes, line.output_bytes) == (4 * kept, 4 * 32 * outputs), path
        assert line.multiply_adds == products, path


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_are_those_of_the_net(members: int, dtype: str, folder: Path) -> None:
    changes = {"members": members, "dtype": dtype, "preprocessing": {"categories": {"embedding": 2}}}
    whole = cost(folder, **changes)
    embedding = next(line for line in whole.layers if line.path == "embedding")
    assert (embedding.parameters, embedding.shape, embedding.multiply_adds) == (6, (4,), 0)
    (table,) = [line for line in whole.layers if line.path.startswith("embedding.")]
    assert (table.layer, table.depth, table.shape) == ("city 3", 1, (2,))
    single = 4 * 16 + 16 * 32 + 32 * 8 + 16 * 8 + 8 * 4 + 4
    assert whole.total("multiply_adds") == members * single
    layers = resolved(f"sequential: {json.dumps(DEEP)}").layers
    alone = Model(layers, MSE(), (4,), dtype)
    assert whole.total("parameters") == members * (alone.n_parameters + 6)
    assert whole.total("parameter_bytes") == members * (alone.parameters.vector.nbytes + 6 * alone.dtype.itemsize)


PRODUCTS = (
    "linear: 5", "linear: {units: 5, bias: false}", "residual: [linear: 5]", "residual: [linear: 4]", "dense: 7",
    "layer_norm", "prelu", "softmax",
)  # fmt: skip


@pytest.mark.parametrize("text", PRODUCTS)
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_multiply_adds_are_those_of_the_products_that_are_made(
    text: str, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each matrix product of one forward pass is counted where NumPy makes it; sums of rows are not counted."""
    made = 0
    true_matmul, true_kernel = np.matmul, kernels.matmul

    def count(a: Array, b: Array) -> None:
        nonlocal made
        made += a.size * b.shape[-1] if b.ndim > 1 else 0

    def matmul(a: Array, b: Array, **options: Any) -> Array:
        count(a, b)
        return true_matmul(a, b, **options)

    def kernel(a: Array, b: Array, out: Array) -> Array:
        count(a, b)
        return true_kernel(a, b, out)

    model = Model([resolved(text)], MSE(), shape, "float64")
    x = np.random.default_rng(0).random((1, *shape))
    monkeypatch.setattr(np, "matmul", matmul)
    monkeypatch.setattr(kernels, "matmul", kernel)
    model.predict(x)
    assert net_cost(model, 1).total("multiply_adds") == made


@pytest.mark.slow  # for the import of PyTorch
def test_multiply_adds_are_half_the_operations_that_pytorch_counts() -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    net = torch.nn.Sequential(torch.nn.Linear(7, 11), torch.nn.ReLU(), torch.nn.Linear(11, 3))
    with FlopCounterMode(display=False) as counter:
        net(torch.ones(1, 7))
    model = Model(resolved("sequential: [linear: 11, relu, linear: 3]").layers, MSE(), (7,))
    assert 2 * net_cost(model, 1).total("multiply_adds") == counter.get_total_flops()


class Low(Layer):
    """Product of two narrow matrices: y = x A B.

    Gradient: dx = dy Bᵀ Aᵀ.
    """

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        n = input_shape[-1]
        init = resolved("linear: 1").init  # type: ignore[attr-defined]
        return input_shape, {"a": ParameterSpec((n, 2), init, n, 2), "b": ParameterSpec((2, n), init, 2, n)}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        return x @ p.a @ p.b, lambda dy, g, need_dx: dy @ p.b.mT @ p.a.mT


class Kernel(Low):
    """One small matrix that is used at each of 10 places."""

    def multiply_adds(self, input_shape: Shape) -> int:
        return 10 * super().multiply_adds(input_shape)


def test_own_layers_are_counted_by_their_matrices_or_as_they_say() -> None:
    found = net_cost(Model([Low(), Kernel()], MSE(), (6,)), 1)
    assert [line.multiply_adds for line in found.layers] == [0, 24, 240]
    assert [line.layer for line in found.layers] == ["inputs", "Low", "Kernel"]
    assert found.formulas()["low"] == formulas(Low) == ("y = x A B", "dx = dy Bᵀ Aᵀ")


# The command


def test_a_line_for_each_layer_fits_80_columns(folder: Path, inside: Nnfs) -> None:
    done = inside("summary", config(folder, members=3))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, lines)) <= 80
    assert lines[0].split("  ")[0] == "layer"
    assert [line.partition("  ")[0] for line in lines if re.match(r"\w", line)][:7] == [
        "layer", "inputs", "linear 16", "batch_norm", "residual", "sequential", "linear 1",
    ]  # fmt: skip
    assert any(line.startswith("  dense 32 ") for line in lines)
    assert any(line.startswith("    tanh ") for line in lines)
    assert "all 3 members" in done.stdout
    assert "for a batch of 32 rows" in done.stdout


def test_a_run_is_as_its_config(folder: Path, inside: Nnfs) -> None:
    path = config(folder, batch_size="full", split={"validation": 0.25})
    assert inside("train", path, "--runs", folder / "runs", "-q").returncode == 0
    (folder / "runs" / "t-1" / "weights" / "best.npz").unlink()  # neither weights nor data are needed
    of_config = json.loads(inside("summary", path, "--json").stdout)
    (folder / "t.csv").unlink()
    of_run = json.loads(inside("summary", folder / "runs" / "t-1", "--json").stdout)
    assert of_run == of_config
    assert of_run["batch"] == 45
    assert of_run["parameters"] == sum(line["parameters"] for line in of_run["layers"] if line["path"].count(".") < 2)
    message = one_message(inside("summary", folder / "runs" / "t-1", "--set", "epochs=3"), 2)
    assert "a run keeps the settings" in message


def test_formulas_are_those_of_each_kind_of_layer_and_of_the_loss(folder: Path, inside: Nnfs) -> None:
    shown = inside("summary", config(folder), "--formula").stdout
    kinds = ["linear", "batch_norm", "residual", "dense", "tanh", "dropout", "sequential", "relu", "mse"]
    blocks = shown.split("\n\n")[2:]
    assert [block.split("\n")[0] for block in blocks] == kinds
    for block in blocks:
        assert re.search(r"^  forward +\S+.*\n(?: {12}.*\n)*  backward +\S", block, re.MULTILINE), block
    plain = json.loads(inside("summary", config(folder), "--formula", "--json").stdout)
    assert list(plain["formulas"]) == kinds
    assert plain["formulas"]["tanh"]["backward"] == "dx = (1 - y²) dy"


def test_what_does_not_fit_is_an_error_with_its_place(folder: Path, inside: Nnfs) -> None:
    done = inside("summary", config(folder, layers=[{"linear": 2}]))
    assert (done.returncode, done.stdout) == (2, "")
    assert "t.yaml:8:5: error: the net gives 2 outputs" in done.stderr
