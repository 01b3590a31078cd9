"""A case: a config and its table, what the doctor must find in it, and what else it may say."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnfs_cli import NnfsWarning, workflows
from nnfs_cli.components.component import Component
from nnfs_cli.components.user_code import LOADED, load_code
from nnfs_cli.config.yaml import dump
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.examine_config import examine_config
from nnfs_cli.doctor.examine_run import examine_run
from nnfs_cli.errors import DivergedError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory
from tests.doctor.tables import Table, write_csv

TARGET = "y"


@dataclass(frozen=True)
class Case:
    """A training to examine.

    `must` holds codes of which at least one has to be found, `may` those that are true as well, each with the reason.
    `before` and `after` say whether `nnfs doctor CONFIG` and `nnfs doctor RUN` must find it. `table` makes the rows;
    with none, the settings name a data set themselves.
    """

    name: str
    settings: Mapping[str, Any]
    table: Callable[[], Table] | None = None
    must: frozenset[str] = frozenset()
    before: bool = False
    after: bool = False
    may: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    def write(self, folder: Path) -> Path:
        """Write the config, its table and its code to a folder, and return the path of the config."""
        settings = dict(self.settings)
        if self.table is not None:
            write_csv(folder / "rows.csv", self.table())
            settings["dataset"] = {"csv": {"path": "rows.csv", "target": TARGET}}
        if self.code:
            (folder / "own.py").write_text(self.code)
        path = folder / "case.yaml"
        path.write_text(dump(settings))
        return path


@dataclass(frozen=True)
class Seen:
    """What was found in a case before and after its training, and the figures of the run."""

    before: tuple[Diagnosis, ...]
    after: tuple[Diagnosis, ...]
    metrics: Mapping[str, Any]

    @property
    def codes(self) -> set[str]:
        """The codes of all warnings."""
        return warned(self.before) | warned(self.after)


def warned(diagnoses: Iterable[Diagnosis]) -> set[str]:
    """Return the codes of those that say that something is wrong; a note is true and needs no remedy."""
    return {one.code for one in diagnoses if one.severity == "warning"}


def see(case: Case, folder: Path, before: bool = True, after: bool = True) -> Seen:
    """Examine the config, train, and examine the run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = case.write(folder)
    with own_code(folder / "own.py" if case.code else None), quiet():
        config = workflows.load(path)
        found = tuple(examine_config(config).diagnoses) if before else ()
        if not after:
            return Seen(found, (), {})
        run = trained(workflows.prepare(config), folder)
        return Seen(found, tuple(examine_run(run).diagnoses), _metrics(run))


def trained(experiment: Experiment, folder: Path) -> RunDirectory:
    """Return the run of a training, which may have diverged."""
    run = workflows.begin(experiment, folder / "runs")
    with contextlib.suppress(DivergedError):
        workflows.train(experiment, run)
    return run


def _metrics(run: RunDirectory) -> Mapping[str, Any]:
    return run.metrics() if run.status()["state"] == "finished" else {}


@contextlib.contextmanager
def own_code(path: Path | None) -> Iterator[None]:
    """Define the components of a file within a `with` block."""
    tables = [LOADED, *(family.registered for family in Component.families.values())]
    before = [dict(table) for table in tables]
    if path is not None:
        load_code(path)
    try:
        yield
    finally:
        for table, content in zip(tables, before, strict=True):
            table.clear()
            table.update(content)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Ignore the warnings of nnfs within a `with` block: the doctor says the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NnfsWarning)
        yield


def tables_folder() -> Path | None:
    """Return the folder of real tables that NNFS_TABLES names, if there is one."""
    name = os.environ.get("NNFS_TABLES", "")
    return Path(name) if name and Path(name).is_dir() else None
