"""Train on large, wide and many-class tables: seconds, peak memory and the figure on other rows, beside LightGBM.

nnfs is `nnfs train` of a config that names nothing but the data, from the start of the process to the report. LightGBM
is its Python package with its defaults, reading the same file with pyarrow. Each runs in a new process, on all cores.
The tables are drawn by a formula with noise, so that the best possible figure is known.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from tests.benchmarks.jobs import timed
from tests.benchmarks.part import ROOT, Found, as_installed, described, say
from tests.benchmarks.race import caches

PACKAGES = ("numpy", "numba", "lightgbm", "pyarrow")
TARGET = "target"
Columns = dict[str, Any]
Drawn = tuple[Columns, Array, Array]  # columns, target, and what the best possible prediction says
SCRIPT = Path(__file__).parent / "big_lightgbm.py"


@dataclass(frozen=True)
class Table:
    """A table: how many rows train and how many are for the figure, and how to draw them."""

    name: str
    rows: int
    others: int
    draw: Callable[[int], Drawn]
    classes: bool = True
    settings: tuple[str, ...] = ()

    def write(self, folder: Path) -> float:
        """Write the rows and the config, and return the best possible figure on the other rows."""
        import pyarrow as pa
        from pyarrow import parquet

        columns, y, best = self.draw(self.rows + self.others)
        table = pa.table({**columns, TARGET: y})
        parquet.write_table(table.slice(0, self.rows), folder / "rows.parquet")
        parquet.write_table(table.slice(self.rows).drop_columns([TARGET]), folder / "others.parquet")
        np.save(folder / "truth.npy", y[self.rows :])
        (folder / "table.yaml").write_text(f"dataset: {{parquet: {{path: rows.parquet, target: {TARGET}}}}}\n")
        return figure(y[self.rows :], best[self.rows :])

    def shortened(self) -> Table:
        """The same with few rows."""
        return Table(self.name, min(self.rows, 2_000), 1_000, self.draw, self.classes, ("epochs=2",))


def figure(y: Array, answer: Array) -> float:
    """RMSE of numbers, or log loss of the probabilities (rows,) of the true classes."""
    if answer.ndim == 1 and y.dtype.kind == "f":
        return float(np.sqrt(np.square(answer - y).mean()))
    return float(-np.log(np.clip(answer, 1e-15, 1)).mean())


def mixed(n: int) -> tuple[Columns, Array]:
    """24 numbers and 6 categories, and a score with interactions, jumps and effects of the categories."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(24, n))
    x[4] = np.exp(x[4])
    x[5] = rng.integers(0, 40, n)
    x[6] = np.round(100 * np.abs(x[6]))
    x[7] = np.where(rng.random(n) < 0.7, 0, x[7] ** 2)
    x[1] += 0.7 * x[0]
    sizes = {"region": 12, "device": 4, "plan": 3, "channel": 8, "store": 300, "weekday": 7}
    codes = {name: rng.integers(size, size=n) for name, size in sizes.items()}
    effects = {name: rng.normal(size=size)[codes[name]] for name, size in sizes.items()}
    score = (
        np.sin(2 * x[0]) * x[1]
        + 1.2 * (x[2] > 0.5) * x[3]
        + 0.5 * np.log(x[4] + 0.1) * effects["region"]
        + 0.8 * (x[5] % 7 < 3) * (x[12] > 0)
        + 0.4 * np.tanh(x[6] / 50) * x[14]
        + 0.5 * (x[7] > 1) * effects["device"]
        + 0.6 * np.maximum(x[8], x[9])
        - 0.5 * np.abs(x[10] * x[11])
        + 0.6 * effects["plan"] * x[13]
        + 0.7 * effects["store"]
        + 0.3 * x[15] ** 2 * (x[16] > 0)
        + 0.2 * x[17]
    )
    columns: Columns = {f"x{j}": numbers.round(4) for j, numbers in enumerate(x)}
    return columns | {name: _texts(name, codes[name], size) for name, size in sizes.items()}, score


def numbers(n: int) -> Drawn:
    """A target of numbers on the mixed columns."""
    columns, score = mixed(n)
    return columns, score + np.random.default_rng(2).normal(size=n), score


def two_classes(n: int) -> Drawn:
    """Two classes on the mixed columns."""
    columns, score = mixed(n)
    p = 1 / (1 + np.exp(-1.5 * (score - np.median(score))))
    return _labelled(columns, p)


def wide(n: int) -> Drawn:
    """10,000 numbers, of which 10 matter."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 10_000))
    return _labelled({f"x{j}": x[:, j] for j in range(x.shape[1])}, 1 / (1 + np.exp(-x[:, :10].sum(axis=1))))


def words(n: int) -> Drawn:
    """2,000 categories of 6 words each, of which 10 matter."""
    codes = np.random.default_rng(4).integers(6, size=(n, 2_000))
    score = 2 * ((codes[:, :10] == 1).sum(axis=1) - 10 / 6)
    return _labelled({f"c{j}": _texts("v", codes[:, j], 6) for j in range(codes.shape[1])}, 1 / (1 + np.exp(-score)))


def many_classes(n: int) -> Drawn:
    """500 classes, each a normal distribution in 20 dimensions."""
    rng = np.random.default_rng(5)
    centres = 1.2 * rng.normal(size=(500, 20))
    k = rng.integers(500, size=n)
    x = centres[k] + rng.normal(size=(n, 20))
    best = np.empty(n)
    for rows in np.array_split(np.arange(n), max(1, n // 1_000)):
        logits = x[rows] @ centres.T - np.square(centres).sum(axis=1) / 2
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        best[rows] = shares[np.arange(len(rows)), k[rows]] / shares.sum(axis=1)
    return {f"x{j}": x[:, j] for j in range(20)}, _named("class", k), best


def _labelled(columns: Columns, p: Array) -> Drawn:
    """Draw one of two classes with the probability p of the second."""
    second = np.random.default_rng(6).random(len(p)) < p
    return columns, np.where(second, "yes", "no"), np.where(second, p, 1 - p)


def _named(word: str, codes: Array) -> Array:
    return np.char.add(word, np.char.zfill(codes.astype(str), 3))


def _texts(word: str, codes: Array, size: int) -> Any:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), [f"{word}{i}" for i in range(size)]).cast(pa.string())


LIMIT = "memory_limit=2 GB"
MILLION = "1,000,000 rows x 30 columns"
TABLES = (
    Table(f"{MILLION}, two classes", 1_000_000, 100_000, two_classes),
    Table(f"{MILLION}, two classes, `memory_limit: 2 GB`", 1_000_000, 100_000, two_classes, settings=(LIMIT,)),
    Table(f"{MILLION}, a number", 1_000_000, 100_000, numbers, classes=False),
    Table("500 rows x 10,000 numbers", 500, 2_000, wide),
    Table("500 rows x 2,000 categories", 500, 2_000, words),
    Table("50,000 rows x 20 numbers, 500 classes", 50_000, 10_000, many_classes),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Which tables."""
    parser.set_defaults(turns=1)
    parser.add_argument("--tables", nargs="+", type=int, metavar="N", help=f"only these, from 1 to {len(TABLES)}")


def measured(given: argparse.Namespace) -> Found:
    """By table: the best possible figure, and of each contestant seconds, CPU seconds, megabytes and its figure."""
    wanted = [TABLES[i - 1] for i in given.tables] if given.tables else TABLES
    found = {}
    with tempfile.TemporaryDirectory(prefix="nnfs-big-") as kept, as_installed(**caches(kept), PYTHONPATH=str(ROOT)):
        for table in wanted:
            say(table.name)
            with tempfile.TemporaryDirectory(prefix="nnfs-big-") as name:
                found[table.name] = compare(table.shortened() if given.quick else table, Path(name), given.turns)
    return {"turns": given.turns, "tables": found}


def compare(table: Table, folder: Path, turns: int) -> dict[str, Any]:
    """Let nnfs and LightGBM train by turns."""
    best = table.write(folder)
    settings = [word for setting in table.settings for word in ("--set", setting)]
    commands = {"nnfs": [sys.executable, "-m", "nnfs_cli", "train", "table.yaml", *settings]}
    commands["LightGBM"] = [sys.executable, str(SCRIPT), TARGET]
    took: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, command in commands.items():
            took[name].append(timed(command, folder, {}))
    timed(
        [sys.executable, "-m", "nnfs_cli", "predict", "--input", "others.parquet", "--output", "nnfs.parquet"],
        folder,
        {},
    )
    figures = {
        name: figure_of(folder, file) for name, file in (("nnfs", "nnfs.parquet"), ("LightGBM", "lightgbm.parquet"))
    }
    return {"rows": table.rows, "best": best, "took": took, "figures": figures}


def figure_of(folder: Path, file: str) -> float:
    """The figure of a file of predictions."""
    from pyarrow import parquet

    y, said = np.load(folder / "truth.npy"), parquet.read_table(folder / file)
    if y.dtype.kind == "f":
        return figure(y, said["prediction"].to_numpy())
    answer = np.zeros(len(y))  # no probability of a class that no training row has
    for label in np.unique(y):
        rows, name = y == label, f"probability_{label}"
        if name in said.column_names:
            answer[rows] = said[name].to_numpy()[rows]
    return figure(y, answer)


def markdown(found: Found) -> str:
    """A row for each table and contestant."""
    lines = [
        described(found)
        + f"Times are medians of {counted(found['turns'])}. The figure is the log loss or the RMSE on other rows.",
        "",
        "| table | | seconds | CPU seconds | peak MB | figure |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name, of in found["tables"].items():
        title = name
        for contestant, turns in of["took"].items():
            seconds, cpu, megabytes = (median(each) for each in zip(*turns, strict=True))
            shown = f"{seconds:,.0f} | {cpu:,.0f} | {megabytes:,.0f} | {of['figures'][contestant]:.4g}"
            lines.append(f"| {title} | {contestant} | {shown} |")
            title = ""
        lines.append(f"| | the best possible | | | | {of['best']:.4g} |")
    return "\n".join(lines) + "\n"


def counted(turns: int) -> str:
    """Some turns, in words."""
    return "1 turn" if turns == 1 else f"{turns} turns"
