"""The tables that models are compared on: scikit-learn's own, and any folder of files with a description.

The description is `tables.yaml`, a block of settings for each table:

    titanic:
      path: titanic.csv
      target: survived
      classes: true        # the target is a class; else it is a number
      drop: [alive, who]   # columns that are not for learning
      clip: [4, 8]         # of a target of numbers: what is beyond counts as these
      categories: [pclass] # columns whose numbers are names
      splits: titanic.arff # rows to learn from and to be judged by, as OpenML has them; else 80 and 20 % by chance

A file of splits has the columns type (TRAIN or TEST), rowid, repeat and fold, from 0 on, as CSV or ARFF.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict

from nnfs_cli.arrays import Array
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts

DESCRIPTION = "tables.yaml"
Split = tuple[Array, Array]  # rows to learn from, and to be judged by


class Description(BaseModel):
    """What has to be known of a file."""

    model_config = ConfigDict(extra="forbid")
    path: str
    target: str
    classes: bool = False
    drop: list[str] = []
    clip: tuple[float, float] | None = None
    categories: list[str] = []
    splits: str = ""


@dataclass(frozen=True)
class Task:
    """Columns to learn from, and what is to be known: class indices (rows,), or numbers (rows,)."""

    name: str
    table: Table
    kinds: dict[str, Kind]
    y: Array
    n_classes: int = 0
    words: tuple[str, ...] = field(default=())
    splits: tuple[Split, ...] = ()  # given ones

    def split(self, number: int) -> Split:
        """A given split, or 80 % of the rows to learn from and 20 % to be judged by, class by class."""
        from sklearn.model_selection import train_test_split

        if self.splits:
            return self.splits[number]
        rows = np.arange(self.table.n_rows)
        stratify = self.y if self.n_classes else None
        train, test = train_test_split(rows, test_size=0.2, random_state=number, stratify=stratify)
        return np.sort(train), np.sort(test)


def built_in() -> Iterator[Task]:
    """Those that come with scikit-learn and have something to learn."""
    for name in ("breast_cancer", "wine", "digits", "diabetes"):
        source = DataSource.resolve(name)
        yield _task(name, source.read(), source.target_columns()[0], name != "diabetes", ())


def in_folder(folder: Path) -> Iterator[Task]:
    """Those that a folder describes."""
    for name, settings in yaml.safe_load((folder / DESCRIPTION).read_text(encoding="utf-8")).items():
        about = Description.model_validate(settings)
        table = Csv(path=folder / about.path, target=about.target).read()
        if about.clip:
            clipped = np.clip(table.numbers(about.target), *about.clip)
            table = Table(table.name, {**table.columns, about.target: clipped})
        texts = {column: _names(table.texts(column)) for column in about.categories}
        table = Table(table.name, {**table.columns, **texts})
        task = _task(name, table, about.target, about.classes, about.drop)
        yield replace(task, splits=read_splits(folder / about.splits)) if about.splits else task


def _names(texts: Texts) -> Texts:
    """Return texts that do not look like numbers, which nnfs refuses in a column of categories."""
    return replace(texts, distinct=np.array([f"={text}" for text in texts.distinct.tolist()], object))


def read_splits(path: Path) -> tuple[Split, ...]:
    """Read splits: all folds of the first repeat, then those of the second, and so on."""
    found: dict[tuple[int, int], dict[str, list[int]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        part, *rest = line.replace("'", "").split(",")
        if part in ("TRAIN", "TEST"):
            row, repeat, fold = map(int, rest)
            found.setdefault((repeat, fold), {"TRAIN": [], "TEST": []})[part].append(row)
    return tuple((np.array(sorted(of["TRAIN"])), np.array(sorted(of["TEST"]))) for _, of in sorted(found.items()))


def _task(name: str, table: Table, target: str, classes: bool, drop: tuple[str, ...] | list[str]) -> Task:
    kinds = {column: table.kind(column) for column in table.columns if column not in (target, *drop)}
    table_of_inputs = Table(table.name, {column: table.columns[column] for column in kinds})
    if not classes:
        return Task(name, table_of_inputs, kinds, table.numbers(target))
    labels: Texts = table.texts(target)
    words, y = np.unique(np.array(labels.tolist(), str), return_inverse=True)
    return Task(name, table_of_inputs, kinds, y, len(words), tuple(words.tolist()))
