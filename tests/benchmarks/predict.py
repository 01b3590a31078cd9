"""Predict two million rows beside pyarrow and LightGBM's command, and one row at a time.

pyarrow reads the same table and writes one of its columns. LightGBM predicts the file with 100 trees of 31 leaves: its
package has no command, but the function of its library that the command `task=predict` calls.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.jobs import timed
from tests.benchmarks.part import ROOT, Found, as_installed, described, installed, say

PACKAGES = ("numpy", "pyarrow", "lightgbm", "pandas")
ROWS, FEW_ROWS, COLUMNS, TRAINED_ON = 2_000_000, 20_000, 20, 20_000
NNFS = [sys.executable, "-m", "nnfs_cli"]
NETS = {
    "one hidden layer of 32": "layers: [linear: 32, relu, linear: 1]\n",
    "the nets of the preset": "preset: tabular\nblend: []\n",
    "the preset, with trees": "preset: tabular\n",
}
PYARROW = {
    "csv": "from pyarrow import csv; csv.write_csv(csv.read_csv('rows.csv').select([0]), 'copy.csv')",
    "parquet": "from pyarrow import parquet as p; p.write_table(p.read_table('rows.parquet').select([0]), 'c.parquet')",
}
TREES = """
import lightgbm, numpy
table = numpy.loadtxt("some.csv", delimiter=",", skiprows=1)
data = lightgbm.Dataset(table[:, :-1], table[:, -1])
lightgbm.train({"objective": "regression", "verbose": -1}, data, 100).save_model("trees.txt")
"""
LIGHTGBM = """
import ctypes, sys
library, model, count = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p(), ctypes.c_int()
assert library.LGBM_BoosterCreateFromModelfile(b"trees.txt", ctypes.byref(count), ctypes.byref(model)) == 0
assert library.LGBM_BoosterPredictForFile(model, b"rows.csv", 1, 0, 0, -1, b"", b"by_trees.txt") == 0
"""
ONE_ROW = """
import json, sys, time, warnings
from statistics import median
from nnfs_cli import Run
warnings.simplefilter("ignore")
cells = {f"x{j}": 0.1 * j - 1 for j in range(20)}
forms = {"a dict": cells}
import numpy
forms["an array"] = numpy.array([[*cells.values()]])
try:
    import pandas
    forms["a row of pandas"] = pandas.DataFrame([cells])
except ImportError:
    pass
def microseconds(run, row, turns):
    seconds = []
    for turn in range(turns + 20):
        begun = time.perf_counter()
        run.predict(row)
        seconds.append(time.perf_counter() - begun)
    return 1e6 * median(seconds[20:])
runs = [Run.open(path) for path in sys.argv[2:]]
print(json.dumps([{form: microseconds(run, row, int(sys.argv[1])) for form, row in forms.items()} for run in runs]))
"""


def library() -> Path | None:
    """LightGBM's library, if it is installed and has the usual name."""
    spec = find_spec("lightgbm")
    found = Path(str(spec.origin)).parent / "lib" / "lib_lightgbm.so" if spec else None
    return found if found is not None and found.exists() else None


def prepare(folder: Path, rows: int) -> None:
    """Write the tables, and train the nets and the trees on the first rows."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng = np.random.default_rng(0)
    columns = {f"x{j}": rng.standard_normal(rows).round(6) for j in range(COLUMNS)}
    table = pa.table(columns)
    csv.write_csv(table, folder / "rows.csv")
    parquet.write_table(table, folder / "rows.parquet")
    y = np.sin(columns["x0"]) + columns["x1"] * columns["x2"]
    csv.write_csv(table.append_column("y", pa.array(y)).slice(0, min(TRAINED_ON, rows)), folder / "some.csv")
    for number, net in enumerate(NETS.values()):
        config = folder / f"net{number}.yaml"
        config.write_text(f"dataset: {{csv: {{path: some.csv, target: y}}}}\nloss: mse\nepochs: 2\n{net}", "utf-8")
        timed([*NNFS, "train", config.name, "-q"], folder, {})
    if library():
        timed([sys.executable, "-c", TREES], folder, {})


def commands() -> dict[str, list[str]]:
    """What is timed, by its name."""
    found: dict[str, list[str]] = {}
    for kind in ("csv", "parquet"):
        for number, net in enumerate(NETS):
            given = ["--run", f"runs/net{number}-1", "--input", f"rows.{kind}", "--output", f"answers.{kind}"]
            found[f"`nnfs predict`, {net}, {kind}"] = [*NNFS, "predict", *given]
        if kind == "csv" and library():
            found["LightGBM, csv"] = [sys.executable, "-c", LIGHTGBM, str(library())]
        found[f"pyarrow, {kind}"] = [sys.executable, "-c", PYARROW[kind]]
    return found


def one_row(folder: Path, turns: int) -> dict[str, dict[str, float]]:
    """Microseconds of `Run.predict` for one row, by net and by what holds the row."""
    runs = [f"runs/net{number}-1" for number in range(len(NETS))]
    program = [sys.executable, "-c", ONE_ROW, str(turns), *runs]
    done = subprocess.run(program, cwd=folder, check=True, capture_output=True, text=True)
    return dict(zip(NETS, json.loads(done.stdout), strict=True))


def options(parser: argparse.ArgumentParser) -> None:
    """Fewer turns than elsewhere."""
    parser.set_defaults(turns=5)


def measured(given: argparse.Namespace) -> Found:
    """Seconds and CPU seconds of every turn of each command, and microseconds of one row."""
    rows = FEW_ROWS if given.quick else ROWS
    with tempfile.TemporaryDirectory(prefix="nnfs-predict-") as name, as_installed(PYTHONPATH=str(ROOT)):
        folder = Path(name)
        say(f"{rows:,} rows")
        prepare(folder, rows)
        of: dict[str, list[tuple[float, float]]] = {what: [] for what in commands()}
        for turn in range(given.turns + 1):  # the first is for what is read from the disk
            for what, command in commands().items():
                seconds, cpu, _ = timed(command, folder, {})
                if turn:
                    of[what].append((seconds, cpu))
        say("one row")
        single = one_row(folder, 50 if given.quick else 2_000)
    return {"turns": given.turns, "rows": rows, "commands": of, "one_row": single, "trees": installed("lightgbm")}


def markdown(found: Found) -> str:
    """A row for each command, and one for each net."""
    of = found["commands"]

    def ratio(what: str, other: str) -> str:
        pairs = zip(of[what], of[other], strict=True) if other in of else ()
        shares = [ours[0] / theirs[0] for ours, theirs in pairs]
        return f"{median(shares):.2f}" if shares and "nnfs" in what else ""

    lines = [
        described(found) + f"Each figure is the median of {found['turns']} turns.",
        "",
        f"| {found['rows']:,} rows x {COLUMNS} columns | seconds | CPU seconds | to pyarrow | to LightGBM |",
        "|---|---:|---:|---:|---:|",
    ]
    for what, turns in of.items():
        wall, cpu = (median(side) for side in zip(*turns, strict=True))
        kind = what.rpartition(", ")[2]
        other, trees = (ratio(what, f"{name}, {kind}") for name in ("pyarrow", "LightGBM"))
        lines.append(f"| {what} | {wall:.2f} | {cpu:.2f} | {other} | {trees} |")
    single: dict[str, dict[str, Any]] = found["one_row"]
    forms = list(next(iter(single.values())))
    lines += ["", "| microseconds of `Run.predict` | " + " | ".join(forms) + " |", "|---|" + "---:|" * len(forms)]
    lines += [
        f"| {net} | " + " | ".join(f"{of_net[form]:.0f}" for form in forms) + " |" for net, of_net in single.items()
    ]
    return "\n".join(lines) + "\n"
