"""The example notebook runs from top to bottom, and shows what comes out."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest

from tests.notebook import NOTEBOOK, executed
from tests.test_readme import NUMBER

SECONDS = re.compile(r"\bin [\d.,]+ s\b")


def shown(notebook: Any) -> list[tuple[list[str], str]]:
    """Return the types and the text of every output of a notebook, without times."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [
        (sorted(output.get("data", [])), SECONDS.sub("", output.get("text") or output["data"]["text/plain"]))
        for output in outputs
    ]


def test_the_notebook_shows_what_comes_out_today() -> None:
    stored = shown(nbformat.read(NOTEBOOK, as_version=4))
    assert len(stored) > 10
    for (types, text), (new_types, new_text) in zip(stored, shown(executed()), strict=True):
        assert types == new_types
        assert NUMBER.sub("#", text) == NUMBER.sub("#", new_text), "run  python -m tests.notebook"
        ours, theirs = ([float(number) for number in NUMBER.findall(each)] for each in (text, new_text))
        assert ours == pytest.approx(theirs, rel=0.02, abs=1e-4)


def test_the_notebook_is_small_and_names_no_place_of_this_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 150_000
    assert re.findall(r"/(?:home|tmp|root|Users|work)/|\\u001b", text) == []
