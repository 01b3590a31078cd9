"""Fixtures of the tests of the blend."""

from __future__ import annotations

import pytest

from nnfs_cli.runs.directory import RunDirectory
from tests.blend.runs import NUMBERS, trained


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run on three classes."""
    return trained(tmp_path_factory.mktemp("classes"))


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run on numbers."""
    return trained(tmp_path_factory.mktemp("numbers"), **NUMBERS)
