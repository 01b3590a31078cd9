"""Pages predict in Chromium what their runs do, for runs with every layer, loss and preprocessing step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.export.format import ExportedModel, Predictions
from nnfs_cli.export.page.format import PageFormat
from nnfs_cli.export.page.html import TEMPLATES
from nnfs_cli.export.page.runtime import typed_output
from nnfs_cli.export.page.serialized import packed_cells
from tests.browser import Browser
from tests.export.runs import RUNS
from tests.export.test_parity import prove_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")]


class PageInChromium(PageFormat):
    """A page whose scripts compute in Chromium."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        proof = (TEMPLATES / "proof.js").read_text(encoding="utf-8").replace('"use strict";', "")
        call = f"(given) => {{{proof}\nreturn proved(document.getElementById('model').textContent, given)}}"
        with self.browser.open(folder / f"{stem}{self.suffix}") as opened:
            given = packed_cells({name: cells[name] for name in model.pipeline.columns})
            found: dict[str, Any] = opened.page.evaluate(call, given)
            assert opened.errors == []
        named = zip(model.pipeline.outputs, found["outputs"], strict=True)
        outputs = {name: typed_output(model.pipeline, name, texts) for name, texts in named}
        return Predictions(outputs, np.array(found["usable"], bool))


@pytest.fixture(scope="module")
def form(browser: Browser) -> PageInChromium:
    return PageInChromium(browser)


@pytest.mark.parametrize("name", RUNS)
def test_a_page_predicts_in_chromium_what_the_run_does(form: PageInChromium, tmp_path: Path, name: str) -> None:
    prove_run(form, tmp_path, name)
