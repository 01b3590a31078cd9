"""Answer rows with exported models, beside the run that they come from and CatBoost's own exports.

The table has 20 columns of numbers and 20,000 rows to train on. Every model computes on one core, in a process of its
own: one row at a time, and many rows together. What is written in C and in C++ is compiled with -O3, and only answers
one row at a time. CatBoost learns the same table with its usual settings.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from tests.benchmarks.jobs import timed
from tests.benchmarks.part import ROOT, Found, as_installed, described, installed, say
from tests.benchmarks.predict import COLUMNS, NETS, NNFS, TRAINED_ON

PACKAGES = ("numpy", "onnxruntime", "catboost")
MANY, TURNS = 10_000, 500
C_MAIN = """
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "model.h"
static double rows[%(many)d][%(columns)d];
static double answers[%(many)d];
static double answer(const double *row)
{
    model_input input;
    model_output output;
    memcpy(&input, row, sizeof input);
    (void)model_predict(&input, &output);
    return output.prediction;
}
"""
CPP_MAIN = """
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>
double ApplyCatboostModel(const std::vector<float>& features);
static double rows[%(many)d][%(columns)d];
static double answers[%(many)d];
static double answer(const double *row)
{
    static std::vector<float> features(%(columns)d);
    for (int j = 0; j < %(columns)d; j++) { features[j] = (float)row[j]; }
    return ApplyCatboostModel(features);
}
"""
TIMED = """
static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
int main(int argc, char **argv)
{
    static double seconds[%(many)d / 20];
    FILE *file = argc < 2 ? NULL : fopen(argv[1], "rb");
    if (file == NULL || fread(rows, sizeof rows, 1, file) != 1) { return 1; }
    for (int turn = 0; turn < %(many)d / 20; turn++) {
        struct timespec begun, ended;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        for (int k = 0; k < 100; k++) {
            const int i = (turn * 100 + k) %% %(many)d;
            answers[i] = answer(rows[i]);
        }
        clock_gettime(CLOCK_MONOTONIC, &ended);
        seconds[turn] = (double)(ended.tv_sec - begun.tv_sec) + 1e-9 * (double)(ended.tv_nsec - begun.tv_nsec);
    }
    qsort(seconds, %(many)d / 20, sizeof seconds[0], by_size);
    printf("%%.17g\\n", 1e6 * seconds[%(many)d / 40] / 100);
    for (int i = 0; i < %(many)d; i++) { printf("%%.17g\\n", answers[i]); }
    return 0;
}
"""


def target(X: Array) -> Array:
    """What the models learn; one of the products and the sine are hard for trees, and the step for nets."""
    found: Array = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + np.where(X[:, 3] > 0.5, X[:, 4], 0)
    return found


def prepare(folder: Path, quick: bool) -> tuple[Array, Array]:
    """Write the table, train all models, and return new rows with their targets."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((TRAINED_ON + MANY, COLUMNS)).round(6)
    y = target(X) + 0.1 * rng.standard_normal(len(X))
    names = [f"x{j}" for j in range(COLUMNS)]
    train = np.column_stack([X, y])[: 1_000 if quick else TRAINED_ON]
    np.savetxt(folder / "some.csv", train, "%.6f", ",", header=",".join([*names, "y"]), comments="")
    for number, (name, net) in enumerate(NETS.items()):
        say(f"training {name}")
        usual = "epochs: 2\n" if quick else "epochs: 60\n" if "preset" not in net else ""
        config = folder / f"net{number}.yaml"
        config.write_text(f"dataset: {{csv: {{path: some.csv, target: y}}}}\nloss: mse\n{usual}{net}", "utf-8")
        timed([*NNFS, "train", config.name, "-q"], folder, {})
    new = X[TRAINED_ON:]
    np.save(folder / "rows.npy", new)
    new.tofile(folder / "rows.bin")
    return new, y[TRAINED_ON:]


def measured_in(folder: Path, kind: str, path: Path, turns: int) -> Found:
    """What `answering` finds for a model."""
    command = [sys.executable, "-m", "tests.benchmarks.answering", kind, str(path), "rows.npy", str(turns)]
    return dict(json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout))


def compiled(folder: Path, command: list[str], main: str, source: Path) -> Found:
    """Compile a model with a program that times it, and return what that finds, with the size of the machine code."""
    program = source.parent / f"main{source.suffix}"
    program.write_text((main + TIMED) % {"many": MANY, "columns": COLUMNS}, encoding="utf-8")
    thing, result = source.with_suffix(".o"), source.with_suffix("")
    subprocess.run([*command, "-c", str(source), "-o", str(thing)], check=True)
    subprocess.run([*command, str(program), str(thing), "-o", str(result), "-lm"], check=True)
    core = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if sys.platform == "linux" else []
    done = subprocess.run([*core, str(result), "rows.bin"], cwd=folder, check=True, capture_output=True, text=True)
    one, *answers = map(float, done.stdout.split())
    return {"one": one, "many": one, "answers": answers, "code": thing.stat().st_size}


def of_run(folder: Path, number: int, turns: int) -> Iterator[tuple[str, Found]]:
    """A run and its exports, with the sizes of their files."""
    from nnfs_cli.export.c.format import CFormat
    from nnfs_cli.export.c.runner import compiler
    from nnfs_cli.export.export import exported_model
    from nnfs_cli.export.format import Format
    from nnfs_cli.export.onnx.format import OnnxFormat
    from nnfs_cli.export.python.format import PythonFormat
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.workflows.predict import predictor_of

    path = folder / "runs" / f"net{number}-1"
    run = RunDirectory.open(path)
    model = exported_model(run, predictor_of(run, "best", None), "best", None)
    needed = [path / "weights" / "best.npz", path / "data.json", *path.glob("blend.npz")]
    yield "the run: `Run.predict`", {**measured_in(folder, "nnfs", path, turns), "files": _size(*needed)}
    forms: list[Format] = [PythonFormat(), *([OnnxFormat()] if installed("onnxruntime") else []), CFormat()]
    for form in forms:
        place = folder / f"{form.name}{number}"
        place.mkdir()
        files = {place / name: content for name, content in form.files(model, "model").items()}
        for file, content in files.items():
            file.write_bytes(content)
        main, *_ = files
        if form.name != "c":
            found = measured_in(folder, form.name, main, turns)
        else:
            try:
                found = compiled(folder, [*compiler(), "-std=c99", "-O3"], C_MAIN, main)
            except ExportError as error:
                say(str(error))
                continue
        yield f"`nnfs export --to {form.name}`", {**found, "files": _size(*files)}


def of_catboost(folder: Path, turns: int) -> Iterator[tuple[str, Found]]:
    """CatBoost's model and its exports, with the sizes of their files."""
    from catboost import CatBoostRegressor

    table = np.loadtxt(folder / "some.csv", delimiter=",", skiprows=1)
    model = CatBoostRegressor(verbose=False, allow_writing_files=False, random_seed=0).fit(table[:, :-1], table[:, -1])
    for kind, name in (("catboost", "catboost.cbm"), ("catboost_onnx", "catboost.onnx")):
        if kind == "catboost" or installed("onnxruntime"):
            model.save_model(str(folder / name), format=name.rpartition(".")[2])
            what = "`predict`" if kind == "catboost" else "its ONNX file"
            yield what, {**measured_in(folder, kind, folder / name, turns), "files": _size(folder / name)}
    (folder / "cpp").mkdir()
    source = folder / "cpp" / "model.cpp"
    model.save_model(str(source), format="cpp")
    yield "its C++ file", {**compiled(folder, ["g++", "-O3"], CPP_MAIN, source), "files": _size(source)}


def _size(*paths: Path) -> int:
    return sum(path.stat().st_size for path in paths)


def options(parser: argparse.ArgumentParser) -> None:
    """Turns are rows that are answered one at a time."""
    parser.set_defaults(turns=TURNS)


def measured(given: argparse.Namespace) -> Found:
    """Microseconds, sizes, and how good and how equal the answers are, by model and by what answers."""
    of: dict[str, dict[str, Found]] = {}
    with tempfile.TemporaryDirectory(prefix="nnfs-exports-") as name, as_installed(PYTHONPATH=str(ROOT)):
        folder = Path(name)
        new, y = prepare(folder, given.quick)
        for number, net in enumerate(NETS):
            say(net)
            of[net] = dict(of_run(folder, number, given.turns))
        if installed("catboost"):
            say("CatBoost")
            of["CatBoost, 1,000 trees"] = dict(of_catboost(folder, given.turns))
    for answering in of.values():
        first = np.array(next(iter(answering.values()))["answers"])
        for found in answering.values():
            answers = np.array(found.pop("answers"))
            found["differs"] = float(np.abs(answers - first).max() / np.abs(first).max())
            found["rmse"] = float(np.sqrt(np.mean((answers - y) ** 2)))
    return {"turns": given.turns, "rows": len(new), "models": of}


def markdown(found: Found) -> str:
    """A row for each way to answer."""
    lines = [
        described(found) + f"One row: the median of {found['turns']} rows, in C and C++ of the means of 100.",
        "",
        f"| model | answered by | files | one row | of {found['rows']:,} rows | rmse | differs by |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for model, answering in found["models"].items():
        shown = model
        for what, of in answering.items():
            code = f", compiled {_megabytes(of['code'])}" if "code" in of else ""
            times = f"{_microseconds(of['one'])} | {_microseconds(of['many'])}"
            lines.append(
                f"| {shown} | {what} | {_megabytes(of['files'])}{code} | {times} | {of['rmse']:.3f} | "
                f"{of['differs']:.0e} |"
            )
            shown = ""
    return "\n".join(lines) + "\n"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def _microseconds(found: float) -> str:
    return f"{found:,.0f} µs" if found >= 100 else f"{found:.1f} µs" if found >= 1 else f"{found:.2f} µs"
