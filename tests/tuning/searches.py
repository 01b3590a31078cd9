"""Small searches for tests, and what a search has left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from nnfs_cli.config.document import Document
from nnfs_cli.tuning import Search, begin

CONFIG = """\
# how iris is told apart
dataset: iris
layers:
  - linear: 6 # hidden
  - relu
  - linear: 3
loss: cross_entropy
epochs: 3
optimizer: adamw
search:
  lr: {log: [1e-3, 1e-1]}
  layers.0.linear: {choice: [4, 6, 8]}
  optimizer.adamw.weight_decay: {log: [1e-4, 1]}
"""


def write_config(folder: Path, text: str = CONFIG) -> Path:
    """Write a config into a folder."""
    path = folder / "flowers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def begun(folder: Path, text: str = CONFIG, metrics: tuple[Any, ...] = (), **asked: Any) -> Search:
    """Begin a search in a folder."""
    return begin(Document.load(write_config(folder, text)), folder / "runs", metrics, **asked)


def study_of(search: Path) -> optuna.Study:
    """Open the journal of a search as any other program would."""
    storage = JournalStorage(JournalFileBackend(str(search / "journal.log")))
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


def drawn_and_scored(search: Path) -> list[tuple[str, dict[str, Any], list[float] | None]]:
    """Return the state, the values and the figures of each trial."""
    return [(one.state.name, one.params, one.values) for one in study_of(search).get_trials()]
