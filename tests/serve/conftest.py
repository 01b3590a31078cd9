"""Runs and applications that the tests of the server share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nnfs_cli import Run
from tests.serve.house import House, train_flats, train_labels


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs flats-1 (numbers) and dear-1 (classes)."""
    folder = tmp_path_factory.mktemp("served")
    train_flats(folder)
    train_labels(folder)
    return folder


@pytest.fixture(scope="session")
def house(runs: Path) -> Iterator[House]:
    """An application with both models, flats first."""
    with House(f"{runs}/flats", f"{runs}/dear-1") as one:
        yield one


@pytest.fixture(scope="session")
def flats_run(runs: Path) -> Run:
    return Run.open(runs / "flats-1")


@pytest.fixture(scope="session")
def dear_run(runs: Path) -> Run:
    return Run.open(runs / "dear-1")
