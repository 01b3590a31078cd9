"""Make the page of an exported model."""

from __future__ import annotations

from pathlib import Path

from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.page.answers import answers
from nnfs_cli.export.page.fields import fields
from nnfs_cli.export.page.reasons import reasons
from nnfs_cli.export.page.runtime import MODEL
from nnfs_cli.export.page.serialized import serialized
from nnfs_cli.report.page import JsonBlock, page
from nnfs_cli.system.wording import counted

TEMPLATES = Path(__file__).parent / "templates"
ENGINE = ("special.js", "cells.js", "operations.js", "engine.js", "reasons.js", "csv.js")  # which need no browser
SCRIPTS = ("charts.js", "form.js", "answer.js", "table.js", "model.js")
NO_REASONS = "The run keeps no training rows to compare with, so this page gives no reasons."


def page_of(model: ExportedModel) -> str:
    """Return the page of HTML that predicts with a model: a form, reasons, curves and a table of many rows."""
    pipeline, attributor = model.pipeline, model.attributor
    explained = None if attributor is None or pipeline.encoded is None else reasons(pipeline, attributor)
    shown = {
        "name": model.name,
        "fields": fields(pipeline, model.inputs, model.meanings),
        "answers": answers(pipeline, model.targets),
        "interval": model.interval,
        "reasons": explained,
    }
    return page(
        model.name,
        "model.html",
        SCRIPTS,
        ("model.css",),
        early=ENGINE,
        folder=TEMPLATES,
        targets=model.targets,
        columns=counted(len(pipeline.columns), "column"),
        no_reasons="" if explained else NO_REASONS,
        about=list(model.about.items()),
        model=JsonBlock(MODEL, serialized(pipeline)),
        page=JsonBlock("page", shown),
    )
