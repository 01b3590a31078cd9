"""The page computes every operation as NumPy does, and holds any name."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnfs_cli.export.page import Page
from tests.export.parity import assert_computes
from tests.pipeline.cases import CASES, Case

pytest.importorskip("py_mini_racer")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_page_computes_what_numpy_computes(case: Case, tmp_path: Path) -> None:
    assert_computes(Page(), case, tmp_path)
