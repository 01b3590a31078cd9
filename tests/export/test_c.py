"""Models in C compute what NumPy computes, whatever their columns and labels are called."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.errors import ExportError
from nnfs_cli.export.c.format import CFormat
from nnfs_cli.export.c.interface import Interface
from nnfs_cli.export.c.runner import compiled, compiler, run
from nnfs_cli.export.c.text import RESERVED, comment, decoded, encoded, identifier, literals, string
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.pipeline import cells, elementwise, labels, shapes
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.trees import tree_sums
from nnfs_cli.pipeline.value import DType, Value, constant
from nnfs_cli.prediction.as_pipeline import as_pipeline
from nnfs_cli.prediction.cells import cells_of
from tests.export.parity import assert_close
from tests.pipeline.cases import CASES, Case, numbers, texts
from tests.pipeline.runs import CLOSE, frame, new_rows, trained
from tests.pipeline.runs import assert_close as assert_near
from tests.pipeline.runs import settings as settings_of
from tests.pipeline.test_runs import KINDS

COMPILERS = [
    pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"there is no {name}"))
    for name in ("gcc", "clang")
]
WARNINGS = """
    all extra error conversion shadow double-promotion undef cast-qual vla strict-prototypes missing-prototypes
    switch-default cast-align write-strings
"""
STRICT = ["-std=c99", "-pedantic", *(f"-W{name}" for name in WARNINGS.split())]
HOSTILE = [
    'say "hi"',
    "it's",
    "back\\slash\\",
    "new\nline",
    "*/ int main(void) { return 7; } /*",
    "?" * 4 + "/",
    "</script>",
    "%s%n",
    "🦊 ünï",
    "\u202edrawkcab",
    "int",
    "INT",
    "SELECT",
    "errno",
    "linux",
    "1st",
    "",
    " ",
    "_",
    "a b",
    "a_b",
    "A-b",
    "x" * 10_000,
    "x" * 9_999 + "y",
    "'\"" * 3_000,
    "nul\x00nul",
    "#define x",
    "//",
]


def written(pipeline: Pipeline, folder: Path, about: Mapping[str, str] | None = None) -> Interface:
    """Write a pipeline as model.c and model.h, and return how a program calls it."""
    model = ExportedModel("a model", pipeline, (), about or {})
    for name, content in CFormat().files(model, "model").items():
        (folder / name).write_bytes(content)
    return Interface(model, "model")


def together(cases: list[Case]) -> Case:
    """One pipeline of all cases, with the names of the cases before those of columns and outputs; rows are repeated."""
    n_rows = max(len(next(iter(one.cells.values()))) for one in cases)
    columns, outputs, given = {}, {}, {}
    for one in cases:
        known: dict[int, Value] = {}
        for value in one.pipeline.operations:
            changed = {**value.settings, "name": f"{one.name} {value.settings.get('name')}"}
            inputs = tuple(known[id(found)] for found in value.inputs)
            known[id(value)] = dataclasses.replace(value, inputs=inputs, settings=changed, part=one.name)
        columns |= {f"{one.name} {name}": known[id(value)] for name, value in one.pipeline.columns.items()}
        outputs |= {f"{one.name} {name}": known[id(value)] for name, value in one.pipeline.outputs.items()}
        given |= {f"{one.name} {name}": np.resize(column, n_rows) for name, column in one.cells.items()}
    return Case("all", Pipeline(columns, outputs, constant([True])), given)


def build(interface: Interface, folder: Path, flags: list[str]) -> Path:
    """Compile a written model, if there is a compiler."""
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("there is no C compiler")
    return compiled(interface, folder / "model.c", folder, flags)


def assert_same(interface: Interface, folder: Path, given: Mapping[str, Array], flags: list[str]) -> None:
    """Assert that a written model, compiled with some flags, predicts what NumPy computes."""
    found = run(build(interface, folder, flags), interface, given)
    expected, usable = evaluate(interface.model.pipeline, given)
    np.testing.assert_array_equal(found.usable, usable)
    assert list(found.outputs) == list(expected)
    for name, values in expected.items():
        assert_close(found.outputs[name][usable], values[usable], 1e-12)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_operation(compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler)
    case = together(CASES)
    assert_same(written(case.pipeline, tmp_path), tmp_path, case.cells, [*STRICT, "-O1"])


def hostile() -> Case:
    """A model whose columns, outputs, parts and labels all have hostile names."""
    columns = {name: cells.column(name, "number") for name in HOSTILE}
    word = cells.column("word", "category")
    code = cells.look_up(word, HOSTILE, len(HOSTILE), len(HOSTILE) + 1)
    x = shapes.concatenate([*columns.values(), elementwise.cast(code, "float64")])
    outputs = {f"probability_{name}": shapes.take(x, [i]) for i, name in enumerate(HOSTILE)}
    outputs["prediction"] = labels.label_of(elementwise.remainder(code, len(HOSTILE)), HOSTILE)
    outputs["all"] = labels.joined_labels(elementwise.less(x, 0.5), [*HOSTILE, "last"])
    outputs = {name: dataclasses.replace(value, part=HOSTILE[4]) for name, value in outputs.items()}
    rng = np.random.default_rng(0)
    given = {name: rng.uniform(size=len(HOSTILE) + 2) for name in HOSTILE}
    pipeline = Pipeline({**columns, "word": word}, outputs, constant([True]))
    return Case("hostile", pipeline, {**given, "word": texts(*HOSTILE, None, "another")})


@pytest.mark.parametrize("compiler", COMPILERS)
def test_hostile_names(compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler)
    case = hostile()
    about = dict(zip(HOSTILE, reversed(HOSTILE), strict=True))
    assert_same(written(case.pipeline, tmp_path, about), tmp_path, case.cells, [*STRICT, "-O0"])


def test_the_header_is_one_of_cpp_too(tmp_path: Path) -> None:
    if not shutil.which("g++"):
        pytest.skip("there is no g++")
    written(hostile().pipeline, tmp_path)
    flags = ["-std=c++11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++"]
    subprocess.run(["g++", *flags, tmp_path / "model.h"], check=True)


@given(st.lists(st.text(), max_size=20))
def test_identifiers(names: list[str]) -> None:
    taken: set[str] = set()
    found = [identifier(name, taken) for name in [*names, *names]]
    assert len({*found}) == len(found)
    assert all(
        re.fullmatch("[a-z][a-z0-9_]{0,62}", name) and name not in RESERVED and "__" not in name for name in found
    )


@given(st.text(st.characters() | st.sampled_from("*/?\\\n")))
def test_a_comment_stays_one(text: str) -> None:
    found = comment(text)
    assert not re.search(r"\*/|/\*|\?\?|[\x00-\x1f]", found)


@given(st.text(st.characters(codec=None)))
def test_texts_come_back(text: str) -> None:
    assert decoded(encoded(text)) == text
    assert 0 not in encoded(text)
    assert re.fullmatch(rb'"([ !#->@-\[\]-~]|\\["\\?]|\\[0-7]{3})*"', string(text).encode("ascii"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_exact(dtype: DType) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 4_000, dtype=np.uint64)
    found = bits.astype(np.uint32).view(np.float32) if dtype == "float32" else (bits * bits).view(np.float64)
    found = found[np.isfinite(found)]
    again = np.array([text.removesuffix("f") for text in literals(found, dtype)], dtype)
    np.testing.assert_array_equal(again.view(np.uint8), found.view(np.uint8))


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Interface]:
    """A compiled model of texts."""
    folder = tmp_path_factory.mktemp("words")
    text = cells.column("word", "category")
    entries = cells.has_entries(text, ", ", ("a", "b", "é"))
    outputs = {f"y{i}": shapes.take(entries, [i]) for i in range(4)}
    outputs["hash"] = cells.hash_bucket(text, 1_000_003)
    outputs["place"] = cells.look_up(text, ("b", "", "é", "a\x00", "a"), 8, 9)
    interface = written(Pipeline({"word": text}, outputs, constant([True])), folder)
    return build(interface, folder, [*STRICT, "-O1"]), interface


LISTS = st.text(st.sampled_from("ab, é[](){}'\"\t\x1f\x85\xa0\u2003\u3000\x00"))


@settings(max_examples=25)
@given(st.lists(st.none() | st.text() | LISTS | st.text(min_size=100, max_size=300), min_size=1, max_size=40))
def test_texts(words: tuple[Path, Interface], given: list[str | None]) -> None:
    column = {"word": texts(*given)}
    found, expected = run(*words, column), evaluate(words[1].model.pipeline, column)[0]
    assert {name: values.tolist() for name, values in found.outputs.items()} == {
        name: values.tolist() for name, values in expected.items()
    }


def dates() -> Case:
    """Parts of many dates."""
    date = cells.column("day", "date")
    parts = ("day_of_year", "days_in_year", "day_of_month", "days_in_month")
    rng = np.random.default_rng(0)
    days = np.arange(-800_000, 3_000_000, 731) * 86_400_000_000 + rng.integers(-(10**11), 10**11, 5_199)
    outputs = {part: cells.date_part(date, part) for part in parts}
    return Case("dates", Pipeline({"day": date}, outputs, constant([True])), {"day": np.append(days, cells.EMPTY_DATE)})


def test_days_have_a_time_of_day(tmp_path: Path) -> None:
    written(dates().pipeline, tmp_path)
    test = "MODEL_DAYS(0.5) == 43200000000 && MODEL_DAYS(20000) == 1728000000000000"
    (tmp_path / "main.c").write_text(f'#include "model.h"\nint main(void) {{ return {test} ? 0 : 1; }}\n')
    subprocess.run([*compiler(), *STRICT, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"]).returncode == 0


def test_dates(tmp_path: Path) -> None:
    case = dates()
    assert_same(written(case.pipeline, tmp_path), tmp_path, case.cells, [*STRICT, "-O1"])


def doubled() -> Pipeline:
    """Twice a number of 0 or more."""
    x = cells.column("x", "number")
    return Pipeline({"x": x}, {"prediction": elementwise.multiply(x, 2.0)}, elementwise.less_equal(0.0, x))


def test_a_refused_row_has_a_code_and_no_answer(tmp_path: Path) -> None:
    interface = written(doubled(), tmp_path)
    program = build(interface, tmp_path, [*STRICT])
    found = run(program, interface, {"x": numbers(1.5, -1.0, np.nan, 0.0)})
    assert found.usable.tolist() == [True, False, False, True]
    np.testing.assert_array_equal(found.outputs["prediction"], [3.0, np.nan, np.nan, 0.0])


def test_a_model_keeps_nothing_and_calls_only_mathematics(tmp_path: Path) -> None:
    if not all(map(shutil.which, ("cc", "nm", "objdump"))):
        pytest.skip("there is no C compiler, or nothing that shows what it made")
    written(together(CASES).pipeline, tmp_path)
    subprocess.run(["cc", "-std=c99", "-c", tmp_path / "model.c", "-o", tmp_path / "model.o"], check=True)
    lines = subprocess.run(["nm", tmp_path / "model.o"], check=True, capture_output=True, text=True).stdout
    symbols = [line.split()[-2:] for line in lines.splitlines()]
    assert {kind for kind, _ in symbols}.isdisjoint("BbCGgSs")
    writable = subprocess.run(
        ["objdump", "-h", tmp_path / "model.o"], check=True, capture_output=True, text=True
    ).stdout
    assert not re.findall(r"\.(?:data|bss)\s+(?!0{8}\b)[0-9a-f]{8}\b", writable)
    called = {name for kind, name in symbols if kind == "U"}
    assert called.isdisjoint({"malloc", "calloc", "realloc", "free", "printf", "exit"})


def test_arithmetic_without_nan_is_refused(tmp_path: Path) -> None:
    interface = written(doubled(), tmp_path)
    with pytest.raises(ExportError, match="compile without -ffast-math"):
        build(interface, tmp_path, ["-std=c99", "-ffast-math"])


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interface = written(doubled(), tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExportError, match="install gcc or clang, or set CC"):
        CFormat().predict(tmp_path, "model", interface.model, {"x": numbers()})


def test_a_model_that_is_too_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    x = shapes.concatenate([cells.column("x", "number")] * 2)
    wide = shapes.matmul(x, constant(np.ones((2, 40_000))))
    pipeline = Pipeline({"x": x.inputs[0]}, {"prediction": shapes.sum_last(wide)}, constant([True]))
    with pytest.raises(ExportError, match=r"0\.3 MB on the stack in C, more than 0\.25 MB"):
        written(pipeline, tmp_path)
    monkeypatch.setattr("nnfs_cli.export.c.source.MAX_BYTES", 500_000)
    with pytest.raises(ExportError, match=r"0\.6 MB of constants in C"):
        written(pipeline, tmp_path)


def test_a_tree_that_is_too_large(tmp_path: Path) -> None:
    n = 70_001
    feature, left = np.zeros(n, np.int32), np.arange(n, dtype=np.int32)
    threshold = np.full(n, np.inf, np.float32)
    left[0], threshold[0] = n - 2, 0
    ones = np.ones((1, 1, 1), np.int32)
    x = cells.column("x", "number")
    sums = tree_sums(elementwise.cast(x, "float32"), feature, threshold, left, feature[:, None], ones - 1, ones)
    with pytest.raises(ExportError, match="65,535 nodes"):
        written(Pipeline({"x": x}, {"prediction": shapes.sum_members(sums)}, constant([True])), tmp_path)


@pytest.mark.parametrize("stem", ['a"b', "a\\b", "a\nb", "what??/"])
def test_a_name_that_c_cannot_include(stem: str) -> None:
    with pytest.raises(ExportError, match="choose a name of letters and digits"):
        CFormat().files(ExportedModel("a model", doubled(), ()), stem)


def test_a_trained_model_with_a_blend(tmp_path: Path) -> None:
    blend = [{"trees": {"most": 6, "min_rows": 5}}, {"forest": 3}, "linear", "constant"]
    folds = {"members": 3, "holdout": "fold", "split": {"test": 0.2}, "blend": blend}
    assert_trained(
        settings_of("two", ["linear: 20", "relu", "linear: 1"], "binary_cross_entropy", **folds), tmp_path, "-O1"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_trained_model(kind: str, compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler)
    assert_trained(KINDS[kind], tmp_path, "-O2", "-O3")


def assert_trained(config: dict[str, Any], folder: Path, *levels: str) -> None:
    predictor = trained(config, frame())
    kinds = dict.fromkeys(filter(None, [predictor.encoder.exposure]), "number") | predictor.encoder.kinds
    given = cells_of(predictor.encoder, next(rows_for(new_rows(), predictor.config.dataset).chunks(kinds)))
    interface = written(as_pipeline(predictor), folder)
    expected, usable = evaluate(interface.model.pipeline, given)
    for level in levels:
        found = run(build(interface, folder, [*STRICT, level]), interface, given)
        np.testing.assert_array_equal(found.usable, usable)
        for name, values in expected.items():
            assert_near(found.outputs[name][usable], values[usable], CLOSE[predictor.model.dtype.name], name)


SANITIZED = ["-std=c99", "-g", "-O1", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]


@pytest.mark.slow
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("case", [together(CASES), hostile(), dates()], ids=lambda one: one.name)
def test_nothing_is_undefined(case: Case, compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler)
    interface = written(case.pipeline, tmp_path)
    flags = SANITIZED if compiler == "clang" else [flag.replace(",float-cast-overflow", "") for flag in SANITIZED]
    assert_same(interface, tmp_path, case.cells, flags)
    extremes = {
        "number": [np.inf, -np.inf, 1e308, 2.0**63, 5e-324],
        "category": [None, ""],
        "date": [2**63 - 1, -(2**63)],
    }
    rows = {one.column: np.resize(np.array(extremes[one.kind]), 8) for one in interface.inputs}
    program = build(interface, tmp_path, flags)
    assert len(run(program, interface, rows).usable) == 8


@pytest.mark.slow
def test_memory_is_read_only_where_it_was_written(tmp_path: Path) -> None:
    if not shutil.which("valgrind"):
        pytest.skip("there is no valgrind")
    case = together(CASES)
    interface = written(case.pipeline, tmp_path)
    program = build(interface, tmp_path, ["-std=c99", "-g", "-O1"])
    checked = tmp_path / "checked"
    checked.write_text(f"#!/bin/sh\nexec valgrind -q --error-exitcode=9 {program}\n")
    checked.chmod(0o755)
    expected = evaluate(case.pipeline, case.cells)[1]
    np.testing.assert_array_equal(run(checked, interface, case.cells).usable, expected)


@pytest.mark.slow
@pytest.mark.parametrize("case", [together(CASES), hostile()], ids=lambda one: one.name)
def test_cppcheck_finds_nothing(case: Case, tmp_path: Path) -> None:
    if not shutil.which("cppcheck"):
        pytest.skip("there is no cppcheck")
    written(case.pipeline, tmp_path)
    asked = ["--enable=warning,performance,portability", "--std=c99", "--error-exitcode=1", "--quiet"]
    subprocess.run(["cppcheck", *asked, tmp_path / "model.c"], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_stack_is_what_the_header_says(compiler: str, tmp_path: Path) -> None:
    predictor = trained(settings_of("two", ["linear: 600", "relu", "linear: 1"], "binary_cross_entropy"), frame())
    written(as_pipeline(predictor), tmp_path)
    (said,) = re.findall(r"about ([\d,]+) bytes", (tmp_path / "model.h").read_text(encoding="utf-8"))
    frame_size = int(said.replace(",", "")) + 1_000
    flags = [*STRICT, "-O2", f"-Wframe-larger-than={frame_size}"]
    subprocess.run([compiler, *flags, "-c", tmp_path / "model.c", "-o", tmp_path / "model.o"], check=True)
