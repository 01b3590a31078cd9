"""The page of a trace: its graph is that of the net, and its numbers are those of training."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.components.user_code import load_code
from nnfs_cli.data.table import from_arrays
from nnfs_cli.report import trace_page as module
from nnfs_cli.report.trace_page import trace_page
from nnfs_cli.report.trace_parts.net_graph import NetGraph
from nnfs_cli.report.trace_parts.plane_axes import PlaneAxis
from nnfs_cli.report.trace_parts.unit_maps import _quantized
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.source import batch_of_config, batch_of_run, snapshots_of
from tests.components.registry import components_restored
from tests.report.traced import CONFIGS, Steps, batch, data_of


def written(array: Array) -> list[list[str]]:
    """Return numbers as the page should show them: with four significant digits, and a real minus sign."""
    return [[f"{number:.4g}".replace("-", "\N{MINUS SIGN}") for number in line] for line in np.atleast_2d(array)]


def rounded(array: Array) -> Any:
    return [[float(f"{number:.4g}") for number in line] for line in array.tolist()]


def differentiated(one: TracedBatch) -> dict[str, Array]:
    one.model.differentiate(one.x, one.y, one.weight, one.draws, one.mean_total)
    return {name: array.copy() for name, array in one.model.gradients.arrays.items()}


def columns(graph: NetGraph) -> list[tuple[str, list[str], int]]:
    return [(column.title, column.kinds[1:], column.size) for column in graph.columns]


def links(graph: NetGraph) -> list[tuple[str, int, int]]:
    return [(link.kind, link.start, link.end) for link in graph.links]


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradients_in_the_tables_are_those_of_differentiate_to_the_last_digit(dtype: str) -> None:
    one = batch("iris.yaml", f"dtype={dtype}")
    steps, gradients = Steps(trace_page(one)), differentiated(one)
    for place in ("0", "2"):
        for name in ("weight", "bias"):
            shown = steps.array("backward", f"layers.{place}", f"d{name}")
            assert shown == written(gradients[f"{place}.{name}"])
            assert steps.array("update", f"{place}.{name}", "dL/dw") == shown


def test_the_numbers_of_the_graph_are_those_of_training_and_of_numpy() -> None:
    one = batch("iris.yaml", "dtype=float64")
    data, gradients, w = data_of(trace_page(one)), differentiated(one), one.model.parameters.arrays
    (frame,) = data["frames"]
    z = one.x @ w["0.weight"] + w["0.bias"]
    logits = np.tanh(z) @ w["2.weight"] + w["2.bias"]
    y_hat = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    values = {"inputs": one.x, "layers.0": z, "layers.1": np.tanh(z), "layers.2": logits, "loss.activation": y_hat}
    for place, expected in values.items():
        assert frame["values"][place] == rounded(expected), place
    assert frame["slopes"]["layers.2"] == rounded((y_hat - one.y) / 4)
    assert frame["weights"] == [rounded(w[name].reshape(1, -1))[0] for name in ("0.weight", "2.weight")]
    assert frame["gradients"] == [rounded(gradients[name].reshape(1, -1))[0] for name in ("0.weight", "2.weight")]
    assert frame["biases"] == [None, *(rounded(w[name][None])[0] for name in ("0.bias", "2.bias"))]


def test_each_kept_epoch_has_the_numbers_of_its_own_weights(run: RunDirectory) -> None:
    snapshots, one = run.arrays.snapshots(), batch_of_run(run)
    assert snapshots is not None
    data = data_of(trace_page(one, snapshots_of(run, one)))
    assert [frame["epoch"] for frame in data["frames"]] == [str(epoch) for epoch in snapshots["epoch"]]
    for i, frame in enumerate(data["frames"]):
        assert frame["weights"][0] == rounded(snapshots["0.weight"][i].reshape(1, -1))[0]
        z = one.x @ snapshots["0.weight"][i] + snapshots["0.bias"][i]
        np.testing.assert_allclose(frame["values"]["layers.0"], z, rtol=1e-3, atol=1e-5)
    assert (
        data["frames"][data["start"]]["weights"][0]
        == rounded(one.model.parameters.arrays["0.weight"].reshape(1, -1))[0]
    )


def test_the_page_opens_at_weights_that_no_snapshot_has(run: RunDirectory) -> None:
    one = batch_of_run(run)
    others = snapshots_of(run, one)
    for other in others:
        other.model.parameters.vector[...] += 1
    data = data_of(trace_page(one, others))
    assert len(data["frames"]) == len(others) + 1
    shown = data["frames"][data["start"]]
    assert shown["weights"][0] == rounded(one.model.parameters.arrays["0.weight"].reshape(1, -1))[0]


def test_the_update_at_each_epoch_has_the_learning_rate_of_its_time(
    tmp_path: Path,
) -> None:
    config = workflows.load(CONFIGS / "iris.yaml", ["epochs=4", "schedule=cosine", "lr=0.2"])
    experiment = workflows.prepare(config)
    run = workflows.begin(experiment, tmp_path)
    workflows.train(experiment, run)
    rates = [one.lr for one in snapshots_of(run, batch_of_run(run))]
    logged = [row["lr"] for row in run.epochs()]
    assert rates == [logged[0], *logged]
    assert len({*logged}) > 1


def test_a_large_page_has_fewer_epochs_and_keeps_the_first_the_last_and_its_own(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = batch_of_run(run)
    whole = data_of(trace_page(one, snapshots_of(run, one)))
    monkeypatch.setattr(module, "MOST_CHARACTERS", 1)
    small = data_of(trace_page(one, snapshots_of(run, one)))
    epochs = [[frame["epoch"] for frame in data["frames"]] for data in (whole, small)]
    own = whole["frames"][whole["start"]]["epoch"]
    assert len(epochs[1]) < len(epochs[0])
    assert {epochs[0][0], epochs[0][-1], own} <= {*epochs[1]}
    assert small["frames"][small["start"]]["epoch"] == own


def test_what_only_some_epochs_have_is_hidden_at_the_others() -> None:
    one = batch("iris.yaml", "clip=1.0", "lr=0.1")
    w = one.model.parameters.arrays
    others = [one.with_weights({name: times * w[name] for name in w}, epoch) for epoch, times in ((1, 0), (2, 9))]
    html = trace_page(one, others)
    _, first, second = (frame["texts"] for frame in data_of(html)["frames"])
    assert len(first) == len(second)
    assert sum(text is None for text in second) != sum(text is None for text in first)
    assert "hidden>" in html


# --- the graph -------------------------------------------------------------------------------------------------------


def test_activations_are_rings_and_matrices_are_lines() -> None:
    graph = NetGraph.of(batch("iris.yaml"))
    assert columns(graph) == [("inputs", [], 4), ("linear 10", ["tanh"], 10), ("linear 3", ["softmax"], 3)]
    assert links(graph) == [("weights", 0, 1), ("weights", 1, 2)]


def test_a_dense_layer_has_its_activation_as_a_ring() -> None:
    one = batch("seeds/003_dense.yaml", "dtype=float64")
    data = data_of(trace_page(one))
    assert [(column["title"], column["rings"]) for column in data["columns"][1:]] == [
        ("dense 10", ["sigmoid"]),
        ("dense 1", ["sigmoid"]),
    ]
    w = one.model.parameters.arrays
    z = one.x @ w["0.weight"] + w["0.bias"]
    assert data["frames"][0]["values"]["layers.0"] == rounded(z)
    assert data["frames"][0]["values"]["layers.0.activation"] == rounded(1 / (1 + np.exp(-z)))


def test_layers_inside_layers_are_drawn_with_the_way_past_them() -> None:
    graph = NetGraph.of(batch("iris.yaml", "layers=[residual: [linear: 6, tanh, linear: 4], linear: 3, softmax]"))
    assert columns(graph) == [
        ("inputs", [], 4), ("linear 6", ["tanh"], 6), ("linear 4", ["residual"], 4), ("linear 3", ["softmax"], 3),
    ]  # fmt: skip
    assert links(graph) == [("weights", 0, 1), ("weights", 1, 2), ("shortcut", 0, 2), ("weights", 2, 3)]


def test_learned_vectors_are_a_column_behind_a_band() -> None:
    graph = NetGraph.of(batch("toolbox/houses.yaml"))
    assert columns(graph)[1] == ("embedding", [], 17)
    assert links(graph)[:2] == [("band", 0, 1), ("weights", 1, 2)]


def test_a_member_of_an_ensemble_is_drawn_as_a_net() -> None:
    assert links(NetGraph.of(batch("toolbox/members.yaml"))) == [("weights", 0, 1), ("weights", 1, 2)]


def test_wide_layers_are_drawn_as_their_first_and_last_units() -> None:
    html = trace_page(batch("digits.yaml", "layers=[linear: 300, relu, linear: 10, softmax]"))
    data = data_of(html)
    inputs, hidden, outputs = data["columns"]
    assert inputs["units"] == [*range(8), *range(56, 64)]
    assert hidden["units"][-1] == 299
    assert hidden["hidden"] == {"after": 8, "count": 284}
    assert outputs["names"] == [str(digit) for digit in range(10)]
    assert len(data["frames"][0]["weights"][0]) == 16 * 16
    assert len(html) < 400_000


def test_a_very_deep_net_has_few_lines_in_each_layer() -> None:
    layers = ", ".join(["linear: 24", "tanh"] * 40)
    graph = NetGraph.of(batch("iris.yaml", f"layers=[{layers}, linear: 3, softmax]"))
    assert len(graph.columns) == 42
    drawn = [len(column.units) for column in graph.columns]
    assert 0 < drawn[1] < 24
    assert sum(a * b for a, b in itertools.pairwise(drawn)) <= 5_000


OWN = '''
import numpy as np
from nnfs_cli import Layer, ParameterSpec
from nnfs_cli.nn.initializers import Constant

class Bend(Layer, name="bend", main="units"):
    """Each output is a weighted sum of squares: y = x^2 mix."""
    units: int

    def build(self, input_shape):
        fans = input_shape[0], self.units
        return (self.units,), {"mix": ParameterSpec(fans, Constant(0.5), *fans)}

    def forward(self, p, x, context):
        def backward(dy, g, need_dx):
            g.mix[...] = (x * x).mT @ dy
            return 2 * x * (dy @ p.mix.mT)

        return (x * x) @ p.mix, backward
'''


def test_a_layer_of_the_users_own_is_drawn_with_its_weights(tmp_path: Path) -> None:
    (tmp_path / "bend.py").write_text(OWN)
    with components_restored():
        load_code(tmp_path / "bend.py")
        one = batch("iris.yaml", "layers=[bend: 5, linear: 3, softmax]")
        html = trace_page(one)
    data = data_of(html)
    assert data["columns"][1]["title"] == "bend 5"
    assert data["frames"][0]["weights"][0] == [0.5] * 20
    assert Steps(html).array("backward", "layers.0", "dmix") == written(differentiated(one)["0.mix"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:parcels.csv. 2 cells")
@pytest.mark.parametrize("name", sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml")))
def test_every_config_has_a_page(name: str) -> None:
    html = trace_page(batch(name))
    assert len(html) < 3_000_000
    assert data_of(html)["columns"]


# --- maps of the plane -----------------------------------------------------------------------------------------------


def test_the_map_of_the_output_shows_where_the_net_answers_yes() -> None:
    one = batch("xor.yaml", "layers=[linear: 1, sigmoid]")
    w = one.model.parameters.arrays
    w["0.weight"][...], w["0.bias"][...] = [[5.0], [0.0]], 0.0  # yes to the right of the middle
    maps = data_of(trace_page(one))["maps"]
    side = maps["large"]
    output = np.frombuffer(maps["bytes"], np.int8)[maps["output"] :].reshape(side, side)
    assert (output[:, : side // 4] < -100).all()
    assert (output[:, -side // 4 :] > 100).all()
    x1 = np.frombuffer(maps["bytes"], np.int8)[maps["units"][0][1] :][: maps["size"] ** 2].reshape(maps["size"], -1)
    assert x1[0, 0] > 100  # the second input is large above
    assert x1[-1, 0] < -100


def test_a_map_of_classes_has_the_likeliest_class_of_every_point() -> None:
    one = batch("blobs.yaml")
    maps = data_of(trace_page(one))["maps"]
    x0, x1 = (np.linspace(low, high, maps["large"]) for low, high in zip(maps["low"], maps["high"], strict=True))
    grid = np.stack([x.ravel() for x in np.meshgrid(x0, x1[::-1])], axis=1).astype("float32")
    best = one.model.predict(grid).argmax(axis=1)
    output = np.frombuffer(maps["bytes"], np.int8)[maps["output"] :]
    assert (output // 16 == best).mean() > 0.999  # grid points on a border may round otherwise
    assert maps["classes"] == 5


def test_a_unit_that_is_active_in_a_corner_has_a_map_that_can_be_read() -> None:
    values = np.concatenate([np.zeros(80), np.arange(1, 21)])  # two of the twenty are above the scale
    (found,) = _quantized(values[:, None])
    assert not found[:80].any()
    assert found[80 + 8] == round(127 * 9 / 18)
    assert (found[-3:] == 127).all()


@pytest.mark.parametrize("step", ["standardize", "min_max", "none", "[log1p, standardize]"])
def test_the_axes_of_the_map_are_in_the_units_of_the_data(step: str) -> None:
    one = batch("moons.yaml", f"preprocessing={{numbers: {step}}}")
    encoder = one.predictor.encoder
    low, high = np.array([-1.0, -0.5]), np.array([1.2, 0.8])
    for j, axis in enumerate(PlaneAxis.both(encoder, low, high)):
        assert axis.name == f"x{j}"
        assert len(axis.ticks) >= 2
        for share, label in axis.ticks:
            row = np.full(2, float(label.replace("\N{MINUS SIGN}", "-")))
            (encoded,) = encoder.encode(from_arrays("one", row[None], ["x0", "x1"]), "float64")
            assert abs((encoded[j] - low[j]) / (high[j] - low[j]) - share) < 0.002


def test_nets_with_other_inputs_have_no_map() -> None:
    assert data_of(trace_page(batch("iris.yaml")))["maps"] is None


# --- what comes from data --------------------------------------------------------------------------------------------


def test_names_from_data_are_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    rows = "\n".join(f"{i},{i % 7},{evil if i % 2 else 'no'}" for i in range(40))
    (tmp_path / "evil.csv").write_text(f"{evil},b,c\n{rows}\n")
    (tmp_path / "evil.yaml").write_text(
        "dataset: {csv: {path: evil.csv, target: c}}\nlayers: [linear: 2, linear: 1]\n"
        "loss: binary_cross_entropy\nlr: 0.1\nepochs: 1\n"
    )
    html = trace_page(batch_of_config(workflows.load(tmp_path / "evil.yaml"), evil))
    assert evil not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert data_of(html)["columns"][0]["names"] == [evil, "b"]


def test_names_that_turn_the_text_around_are_shown_as_they_are_written(tmp_path: Path) -> None:
    classes = "no", "yes\u2066"
    rows = "\n".join(f"{i},{i % 7},{classes[i % 2]}" for i in range(40))
    (tmp_path / "evil.csv").write_text(f"a\u202eb,b,c\n{rows}\n", "utf-8")
    (tmp_path / "evil.yaml").write_text(
        "dataset: {csv: {path: evil.csv, target: c}}\nlayers: [linear: 2, linear: 1]\n"
        "loss: binary_cross_entropy\nlr: 0.1\nepochs: 1\n"
    )
    html = trace_page(batch_of_config(workflows.load(tmp_path / "evil.yaml"), "evil"))
    data = json.dumps(data_of(html), ensure_ascii=False, default=repr)
    assert not {"\u202e", "\u2066"} & {*data, *html}
    assert data_of(html)["columns"][0]["names"][0].startswith("a\\")
