"""Fixtures that the tests of the data wing share."""

from pathlib import Path

import pytest

from tests.data.encoding_helpers import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return an empty folder in which a test can train."""
    return Folder(tmp_path)
