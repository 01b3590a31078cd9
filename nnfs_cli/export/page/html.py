"""Make the page of an exported model."""

from __future__ import annotations

from pathlib import Path

from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.page.runtime import MODEL
from nnfs_cli.export.page.serialized import serialized
from nnfs_cli.report.page import JsonBlock, page

TEMPLATES = Path(__file__).parent / "templates"
ENGINE = ("special.js", "cells.js", "engine.js")  # which need no browser


def page_of(model: ExportedModel) -> str:
    """Return the page of HTML that predicts with a model."""
    return page(
        model.name,
        "model.html",
        folder=TEMPLATES,
        early=ENGINE,
        model=JsonBlock(MODEL, serialized(model.pipeline)),
        about=list(model.about.items()),
    )
