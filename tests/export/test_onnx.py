"""ONNX files compute what NumPy does, under any names, and say what they take and give."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from nnfs_cli.export.format import ExportedModel, Predictions
from nnfs_cli.export.onnx.compositions import composed
from nnfs_cli.export.onnx.format import OnnxFormat
from nnfs_cli.export.onnx.onnx_model import onnx_model
from nnfs_cli.export.onnx.session import open_session, run
from nnfs_cli.pipeline import cells, elementwise, labels, shapes
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value, constant
from tests.export.parity import assert_close, assert_computes
from tests.pipeline.cases import CASES, HOSTILE, Case, case, number, several, texts

ALWAYS = constant([True])
HARD_NAMES = (*HOSTILE, "\ud800", "x" * 10_000, "usable", "prediction", "v1", "v2", "rows")


def predicted(pipeline: Pipeline, given: dict[str, Array]) -> Predictions:
    model = onnx_model(ExportedModel("a model", pipeline, ()))
    return run(open_session(model.SerializeToString()), pipeline, given)


def assert_same(pipeline: Pipeline, given: dict[str, Array], tolerance: float = 1e-12) -> None:
    found, (expected, usable) = predicted(pipeline, given), evaluate(pipeline, given)
    assert found.usable.tolist() == usable.tolist()
    for name, values in expected.items():
        assert_close(found.outputs[name][usable], values[usable], tolerance)


@pytest.mark.parametrize("one", [one for one in CASES if one.name != "hash_bucket"], ids=lambda one: one.name)
def test_computes_every_operation(one: Case, tmp_path: Path) -> None:
    assert_computes(OnnxFormat(), one, tmp_path)


def test_a_hash_is_refused_with_the_name_of_its_column(tmp_path: Path) -> None:
    text = cells.column("town\n", "category")
    pipeline = Pipeline({"town\n": text}, {"y": cells.hash_bucket(text, 13)}, ALWAYS)
    with pytest.raises(ExportError, match=r"ONNX cannot compute the hash of the column 'town\\n'; .*one_hot"):
        OnnxFormat().files(ExportedModel("a model", pipeline, ()), "model")


def test_a_list_is_refused_that_is_divided_at_several_characters() -> None:
    text = cells.column("tags", "category")
    found = cells.has_entries(text, ", ", ("a",))
    pipeline = Pipeline({"tags": text}, {"y": shapes.take(found, [0])}, ALWAYS)
    with pytest.raises(ExportError, match="the lists of the column 'tags' at ', ', only at one character"):
        onnx_model(ExportedModel("a model", pipeline, ()))


def test_a_text_that_is_not_unicode_is_refused() -> None:
    text = cells.column("word", "category")
    pipeline = Pipeline({"word": text}, {"y": cells.look_up(text, ["\ud800"], 1, 2)}, ALWAYS)
    with pytest.raises(ExportError, match=r"ONNX holds texts in UTF-8, which '.*' is not"):
        onnx_model(ExportedModel("a model", pipeline, ()))


def test_any_name_is_kept_or_changed_without_a_collision() -> None:
    columns = {name: number(name) for name in HARD_NAMES}
    outputs = {name: elementwise.add(column, i) for i, (name, column) in enumerate(columns.items())}
    pipeline = Pipeline(columns, outputs, elementwise.less(columns["a"], 100))
    given = {name: np.array([i / 2, 200.0]) for i, name in enumerate(HARD_NAMES)}
    assert_same(pipeline, given)
    model = onnx_model(ExportedModel("*/ \ud800 </script>", pipeline, (), {"\ud800": "\ud800", "a": "🦊"}))
    metadata = {one.key: one.value for one in model.metadata_props}
    assert {one["column"] for one in json.loads(metadata["inputs"]).values()} == set(HARD_NAMES)
    assert {one["name"] for one in json.loads(metadata["outputs"]).values()} == set(HARD_NAMES)
    unchanged = [name for name in HARD_NAMES if json.loads(metadata["outputs"]).get(name, {}).get("name") == name]
    assert set(HARD_NAMES) - set(unchanged) == {"", "\ud800", "a\x00b"}
    assert metadata["usable"] == "usable_3"
    assert metadata["a"] == "🦊"


def test_the_file_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    age, town, day = cells.column("age", "number"), cells.column("town", "category"), cells.column("day", "date")
    code = elementwise.add(cells.look_up(town, ["<empty>", "Rome"], 0, 1), cells.date_part(day, "day_of_month"))
    outputs = {"prediction": elementwise.add(age, code), "probability_a": elementwise.cast(age, "float32")}
    pipeline = Pipeline({"age": age, "town": town, "day": day}, outputs, elementwise.less(age, 200))
    described = [{"name": "age", "kind": "number", "min": 17, "max": 90}]
    model = ExportedModel(
        "adults-1", pipeline, described, {"largest difference": "1.3e-7"}, meanings={"age": "in years"}
    )
    (tmp_path / "model.onnx").write_bytes(OnnxFormat().files(model, "model")["model.onnx"])
    proto = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    assert "; in years; 17 to 90 in training" in proto.graph.input[0].doc_string
    assert "<empty>_2 for an empty cell" in proto.graph.input[1].doc_string
    assert "days since the beginning of 1970" in proto.graph.input[2].doc_string
    assert "adults-1" in proto.doc_string
    assert {one.key: one.value for one in proto.metadata_props}["largest difference"] == "1.3e-7"
    session = open_session((tmp_path / "model.onnx").read_bytes())
    inputs = [(one.name, one.type, one.shape) for one in session.get_inputs()]
    types = ("tensor(double)", "tensor(string)", "tensor(double)")
    assert inputs == [(name, kind, ["rows"]) for name, kind in zip(("age", "town", "day"), types, strict=True)]
    outputs_found = {one.name: (one.type, one.shape) for one in session.get_outputs()}
    assert outputs_found["probability_a"] == ("tensor(float)", ["rows"])
    assert outputs_found["usable"] == ("tensor(bool)", ["rows"])


def test_the_graph_names_the_parts_and_arrays_of_the_net() -> None:
    x = number()
    with part("layer 1: linear"):
        weighted = shapes.matmul(x, constant([[2.0, 3.0]], name="0.weight"))
        found = elementwise.sigmoid(elementwise.add(weighted, constant([1.0, 2.0], name="x")))
    graph = onnx_model(ExportedModel("a", Pipeline({"x": x}, {"y": shapes.take(found, [1])}, ALWAYS), ())).graph
    assert {"0.weight", "x_2"} <= {one.name for one in graph.initializer}
    assert {"MatMul", "Add", "Exp", "Div"} <= {one.op_type for one in graph.node if one.doc_string == "layer 1: linear"}


def test_equal_files_have_equal_bytes() -> None:
    first, second = (OnnxFormat().files(ExportedModel("a", CASES[0].pipeline, ()), "m")["m.onnx"] for _ in range(2))
    assert first == second


def test_an_empty_cell_is_not_an_empty_text() -> None:
    text = cells.column("word", "category")
    code = cells.look_up(text, ["", "<empty>", "a"], 7, 8)
    lists = cells.has_entries(text, ";", ("<empty>", "a"))
    outputs = {
        "code": code,
        "gap": cells.is_gap(text),
        "list": shapes.take(lists, [0]),
        "other": shapes.take(lists, [2]),
    }
    given = {"word": texts("", None, "<empty>", "a", "\ud800", "?")}
    assert_same(Pipeline({"word": text}, outputs, ALWAYS), given)


def test_rows_that_are_refused_have_no_prediction() -> None:
    x = number()
    one = elementwise.cast(elementwise.less(x, 5), "int64")
    outputs = {
        "number": elementwise.multiply(x, 2),
        "single": elementwise.cast(x, "float32"),
        "word": labels.label_of(one, ("no", "yes")),
        "truth": labels.label_of(one, (True, True)),
        "code": labels.label_of(one, (4, 7)),
    }
    pipeline = Pipeline({"x": x}, outputs, elementwise.is_finite(x))
    found = predicted(pipeline, {"x": np.array([1.0, np.inf, np.nan])})
    assert found.usable.tolist() == [True, False, False]
    assert (
        np.isnan(found.outputs["number"]).tolist() == np.isnan(found.outputs["single"]).tolist() == [False, True, True]
    )
    assert found.outputs["word"].tolist() == ["yes", "", ""]
    assert found.outputs["truth"].tolist() == [True, False, False]
    assert found.outputs["code"].tolist()[0] == 7


@pytest.mark.parametrize("n_rows", [0, 1])
def test_few_rows(n_rows: int) -> None:
    given = {"x": np.ones(n_rows)}
    x = number()
    by_member = shapes.matmul(shapes.concatenate([x, x]), constant(np.ones((3, 2, 4)), members=True))
    table = shapes.reshape(shapes.sum_members(by_member), [2, 2])
    outputs = {
        "y": shapes.take(shapes.reshape(shapes.matmul(table, constant(np.eye(2))), [4]), [3]),
        "one": constant([1.0]),
    }
    assert_same(Pipeline({"x": x}, outputs, ALWAYS), given)


def test_nan_is_never_lost() -> None:
    columns, x, given = several(5)
    given = {name: np.where(np.arange(7) == i, np.nan, column) for i, (name, column) in enumerate(given.items())}
    found = [shapes.max_last(x), shapes.min_last(x), shapes.cumulative_max(x), shapes.softmax(x), shapes.sort_last(x)]
    for single in (False, True):
        values = [elementwise.cast(one, "float32") for one in found] if single else found
        one = case("nan", columns, shapes.concatenate(values), given)
        assert_same(one.pipeline, given)


@pytest.mark.parametrize("n", [64, 65, 1000])
@pytest.mark.parametrize("or_equal", [False, True])
def test_counts_many_knots(n: int, or_equal: bool) -> None:
    knots = np.sort(np.random.default_rng(0).integers(0, 3 * n, n).astype(float))
    x = number()
    pipeline = Pipeline({"x": x}, {"y": shapes.count_below(x, knots, or_equal)}, ALWAYS)
    assert_same(pipeline, {"x": np.array([*np.arange(-1, 3 * n + 2, 0.5), np.nan, np.inf, -np.inf])})


def test_days_are_exact_to_the_microsecond() -> None:
    rng = np.random.default_rng(0)
    near = rng.integers(-5_000_000_000_000_000, 5_000_000_000_000_000, 500)  # 1811 to 2128
    days = rng.integers(-700_000, 2_000_000, 500) * 86_400_000_000
    given = {"day": np.array([*near, *days, cells.EMPTY_DATE])}
    day = cells.column("day", "date")
    parts = {
        part: cells.date_part(day, part) for part in ("day_of_year", "days_in_year", "day_of_month", "days_in_month")
    }
    of_day = {"moment": elementwise.remainder(day, 86_400_000_000), "second": elementwise.floor_divide(day, 1_000_000)}
    assert_same(Pipeline({"day": day}, {**parts, **of_day}, ALWAYS), given)


def of_function(name: str, x: Array) -> Array:
    """Return what the composition of a function computes in NumPy."""
    found = composed(getattr(elementwise, name)(number()))
    assert found is not None
    pipeline = Pipeline({"x": number()}, {"y": found}, ALWAYS)
    return evaluate(pipeline, {"x": x})[0]["y"]


@pytest.mark.parametrize("name", ["erf", "normal_cdf", "normal_quantile", "expm1", "log1p", "sigmoid"])
def test_compositions_are_exact_in_float64(name: str) -> None:
    functions = {
        "erf": special.erf,
        "normal_cdf": special.ndtr,
        "normal_quantile": special.ndtri,
        "sigmoid": special.expit,
    }
    tiny = 10.0 ** -np.arange(1, 300)
    grid = np.concatenate([np.linspace(-37, 37, 3001), tiny, -tiny, [np.inf, -np.inf, np.nan, 0.0]])
    within = {"normal_quantile": np.concatenate([np.linspace(0, 1, 3001)[1:-1], tiny]), "log1p": grid[grid > -1]}
    x = within.get(name, grid)
    expected = functions.get(name, getattr(np, name, None))(x)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(of_function(name, x), expected, rtol=4e-15, atol=0)


def test_the_normal_distribution_is_exact_in_float32() -> None:
    x = number()
    pipeline = Pipeline({"x": x}, {"y": elementwise.normal_cdf(elementwise.cast(x, "float32"))}, ALWAYS)
    given = {"x": np.array([*np.linspace(-12, 12, 2001), np.nan, np.inf, -np.inf, 1e30, -1e30]).astype(np.float32)}
    np.testing.assert_allclose(predicted(pipeline, given).outputs["y"], special.ndtr(given["x"]), rtol=1e-5, atol=0)


def test_angles_are_exact_beside_multiples_of_a_quarter_turn() -> None:
    x = number()
    near = np.concatenate([np.arange(-1000, 1000) * math.pi / 6, np.linspace(-9e4, 9e4, 2001)])
    given = {"x": np.array([*near, 1e5, -1e300, -0.0, np.nan, np.inf])}
    functions = {"sine": elementwise.sin(x), "cosine": elementwise.cos(x)}
    found, expected = predicted(Pipeline({"x": x}, functions, ALWAYS), given).outputs, (np.sin, np.cos)
    for values, function in zip(found.values(), expected, strict=True):
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(values, function(given["x"]), rtol=1e-15, atol=0)


ENTRIES = st.text(st.sampled_from("ab;, \"'[]{}()|\n\u3000\x1c.*\\"), max_size=8)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(";, |\"'[.\n\u3000"),
    st.lists(ENTRIES, max_size=3, unique=True),
    st.lists(ENTRIES, min_size=20, max_size=40),
)
def test_finds_entries_in_any_list(delimiter: str, keys: list[str], lists: list[str]) -> None:
    text = cells.column("list", "category")
    found = cells.has_entries(text, delimiter, keys)
    one = case("lists", [text], found, {"list": texts(*lists, *(f" [{one}] " for one in lists))})
    assert_same(one.pipeline, dict(one.cells))


def test_long_and_many_entries_fit() -> None:
    text = cells.column("list", "category")
    keys = [*(f"entry {i}" for i in range(200)), "x🦊" * 5_000]
    lists = texts("entry 7; entry 199", "entry 200", f"['{keys[-1]}'; entry 1]", None)
    one = case("lists", [text], cells.has_entries(text, ";", keys), {"list": lists})
    assert_same(one.pipeline, dict(one.cells))


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    """Draw a pipeline of some operations on three columns, with members in places."""
    columns, x, _ = several(3)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = elementwise.cast(x, draw(st.sampled_from(["float32", "float64"])))
    for _ in range(draw(st.integers(1, 6))):
        x = draw(st.sampled_from(STEPS))(x, rng)
    x = shapes.sum_members(shapes.reshape(x, [int(np.prod(x.features))]))
    outputs = {f"y{i}": shapes.take(x, [i]) for i in range(x.width)}
    return Pipeline({one.settings["name"]: one for one in columns}, outputs, shapes.all_last(elementwise.is_finite(x)))


def _linear(x: Value, rng: np.random.Generator) -> Value:
    lead = (x.members or 2,) if rng.random() < 0.5 else ()
    return shapes.matmul(x, constant(rng.normal(size=(*lead, x.width, 4)), x.dtype, bool(lead)))


def _joined(x: Value, rng: np.random.Generator) -> Value:
    return shapes.concatenate([x, elementwise.tanh(x), shapes.softmax(x)])


def _folded(x: Value, rng: np.random.Generator) -> Value:
    size = int(np.prod(x.features))
    return shapes.reshape(x, [size // 2, 2] if size % 2 == 0 else [size])


STEPS = (
    _linear,
    _joined,
    _folded,
    lambda x, rng: elementwise.sigmoid(x),
    lambda x, rng: elementwise.maximum(x, 0),
    lambda x, rng: elementwise.multiply(x, elementwise.normal_cdf(x)),
    lambda x, rng: elementwise.where(elementwise.less(x, 0), elementwise.expm1(elementwise.minimum(x, 0)), x),
    lambda x, rng: elementwise.subtract(x, shapes.max_last(x)),
    lambda x, rng: shapes.transpose(x, [*reversed(range(len(x.features)))]),
    lambda x, rng: shapes.take(x, rng.integers(0, x.width, 3)),
    lambda x, rng: shapes.cumulative_sum(x),
    lambda x, rng: shapes.sum_members(x),
)


@settings(max_examples=15, deadline=None)
@given(pipelines())
def test_computes_any_pipeline(pipeline: Pipeline) -> None:
    given = several(3)[2]
    single = any(value.dtype == "float32" for value in pipeline.operations)
    assert_same(pipeline, given, 2e-5 if single else 1e-9)


def test_onnxruntime_collects_nothing_about_its_use(tmp_path: Path) -> None:
    """It would begin by giving the session a number, in the folder of temporary files."""
    places = {name: str(tmp_path) for name in ("TMPDIR", "HOME", "XDG_CACHE_HOME")}
    given = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", "import nnfs_cli.export.onnx.session"]
    subprocess.run(command, env={**given, **places}, check=True)
    assert not [*tmp_path.iterdir()]
