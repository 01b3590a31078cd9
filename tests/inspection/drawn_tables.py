"""Tables with planted problems, and configs for them as people write them, all drawn from a seed."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.config.yaml import dump_value

NAMES = ("size", "net weight", "a.b", "größe", "it's", "no", "2020", "x: y", "#1", "[k]", "true", "per cent, %")
TAIL = ("layers:", "  - linear: 6  # wide", "  - relu", "  - linear: {outputs}", "epochs: 2")


def write_drawn(folder: Path, seed: int) -> Path:
    """Write a table with problems and a config for it, and return the path of the config."""
    rng = np.random.default_rng(seed)
    classes = bool(rng.random() < 0.6)
    columns = _columns(rng, int(rng.integers(90, 400)), classes)
    names = [name for name in columns if name != "y"]
    order = ["y", *(names[i] for i in rng.permutation(len(names)))]
    with (folder / "t.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([order, *zip(*(columns[name] for name in order), strict=True)])
    path = folder / "t.yaml"
    path.write_text(_config(rng, columns, classes), encoding="utf-8")
    return path


def _columns(rng: np.random.Generator, n: int, classes: bool) -> dict[str, Sequence[Any]]:
    """Return clean columns, a target, and at random some columns and rows with problems."""
    names = [str(name) for name in rng.permutation(NAMES)]
    signal = rng.normal(size=(n, 2))
    columns: dict[str, Sequence[Any]] = {names.pop(): signal[:, 0], names.pop(): signal[:, 1]}
    score = signal[:, 0] + rng.normal(size=n)
    y: Any = score if rng.random() < 0.5 else np.exp(2.5 * score)
    if classes:
        y = np.where(score > np.quantile(score, rng.choice([0.5, 0.7, 0.94])), "ill", "well")
    columns["y"] = y
    for plant in rng.permutation(len(PLANTS))[: rng.integers(1, 6)]:
        planted = PLANTS[plant](rng, n, y, columns)
        columns |= {names.pop(0) if name == "?" else name: cells for name, cells in planted.items()}
    if rng.random() < 0.2:  # duplicate rows
        again = np.concatenate([np.arange(n), rng.integers(0, n, n // 10)])
        columns = {name: np.asarray(cells)[again] for name, cells in columns.items()}
    return columns


def _useless(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    kinds: list[Sequence[Any]] = [
        ["same"] * n,
        range(n),
        [f"n{i}" for i in rng.permutation(n)],
        [f"a remark about visit {i} of a customer" for i in range(n)],
        ["" if i % 30 else i for i in range(n)],
    ]
    return {"?": kinds[rng.integers(len(kinds))]}


def _outliers(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    cells = rng.normal(size=n)
    cells[rng.permutation(n)[:1]] = 1e7
    return {"?": cells}


def _gaps(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    return {
        "?": [
            "" if empty else f"{cell:.3f}" for empty, cell in zip(rng.random(n) < 0.6, rng.normal(size=n), strict=True)
        ]
    }


def _repeats(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    word = rng.integers(0, 5, n)
    metres = rng.normal(size=n)
    return {"word": [f"w{i}" for i in word], "renamed": [f"v{i}" for i in word], "m": metres, "feet": metres * 3.2808}


def _near_copy(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    buy = rng.normal(size=n)
    return {"buy": buy, "sell": buy + 0.02 * rng.normal(size=n)}


def _coarser(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    city = rng.integers(0, 12, n)
    return {"city": [f"c{i}" for i in city], "country": [f"k{i // 4}" for i in city]}


def _leak(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    if y.dtype.kind == "f":
        return {"?": y * 2.54 + 1}
    return {"?": [f"{label}!" for label in y]}


def _owners(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    who = np.arange(n) // 4
    return {
        "patient": [f"p{i}" for i in who],
        "sex": rng.choice(["f", "m"], n)[who],
        "smoker": rng.choice(["yes", "no"], n)[who],
    }


def _codes(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    return {"town code": rng.integers(0, rng.choice([8, 60]), n) * 11 + 100}


def _large(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    return {"?": rng.normal(size=n) * 1e5}


def _dates(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    """Return dates in whose order the targets are sorted, more or less."""
    rank = np.argsort(np.argsort(y, kind="stable"), kind="stable") + rng.normal(size=n) * n * rng.choice([0, 0.2])
    return {"day": [str(np.datetime64("2020-01-01") + int(i)) for i in rank]}


def _texts(rng: np.random.Generator, n: int, y: Any, columns: Any) -> dict[str, Sequence[Any]]:
    """Return numbers and dates as people write them, some of them with empty cells."""
    numbers = rng.normal(size=n)
    gaps = rng.random(n) < rng.choice([0, 0.1])
    kinds = [
        [f"${1000 + 500 * value:,.2f}" for value in numbers],
        [f"{day % 28 + 1:02}.{day % 12 + 1:02}.2023" for day in rng.integers(0, 500, n)],
        [f"{value:.1f} kg" for value in numbers],
        [f"{100 * value:.0f} %" for value in numbers],
    ]
    return {"?": ["" if gap else cell for gap, cell in zip(gaps, kinds[rng.integers(4)], strict=True)]}


PLANTS = (
    _texts,
    _useless,
    _useless,
    _outliers,
    _gaps,
    _repeats,
    _near_copy,
    _coarser,
    _leak,
    _owners,
    _codes,
    _large,
    _dates,
)


def _config(rng: np.random.Generator, columns: Mapping[str, Any], classes: bool) -> str:
    """Return a config for these columns: in one of several styles, with comments, and with some columns dropped."""
    dropped = [name for name in columns if name != "y" and rng.random() < 0.08 and len(columns) > 4]
    kept = [name for name in columns if name not in dropped and name != "y"]
    lines = ["# made by hand", *_dataset(rng, dropped)]
    split = ["split: 0.25", "split: {validation: 0.2,\n  test: 0.2}  # held out", "split:\n  test: 0.3  # of all"]
    lines += [split[rng.integers(3)]]
    own = [name for name in kept if rng.random() < 0.1 and np.asarray(columns[name]).dtype.kind == "f"]
    if rng.random() < 0.3:
        lines += ["preset: tabular"]
        own = []
    else:
        scale = rng.choice(["standardize", "standardize", "none"])
        lines += ["preprocessing:", f"  numbers: [impute, {scale}]  # all of them"]
        lines += ["  categories: {one_hot: {unseen: other}}", "  dates: calendar"]
        lines += ["  columns:", *(f"    {dump_value(name)}: [impute, robust]  # by hand" for name in own)] * bool(own)
        lines += ["", "# the net", *(line.format(outputs=2 if classes else 1) for line in TAIL)]
    lines += [f"loss: {'cross_entropy' if classes else 'mse'}  # as usual", "seed: 3"]
    return "\n".join(lines) + "\n" * bool(rng.random() < 0.8)


def _dataset(rng: np.random.Generator, dropped: Sequence[str]) -> list[str]:
    if rng.random() < 0.5:
        drop = f", drop: {dump_value(dropped[0] if len(dropped) == 1 else dropped)}" * bool(dropped)
        return [f"dataset: {{csv: {{path: 't.csv', target: y{drop}}}}}  # the data"]
    drops = ["    drop:  # for some reason", *(f"    - {dump_value(name)}  # too" for name in dropped)]
    return ["dataset:", "  csv:", "    target: y  # to predict", *drops * bool(dropped), '    path: "t.csv"']
