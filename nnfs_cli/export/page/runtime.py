"""Run the scripts of a page in V8, without a browser, to prove what they compute."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import text_of
from nnfs_cli.export.format import Predictions, output_types
from nnfs_cli.export.page.serialized import packed_cells
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.system.extras import needed

MODEL = "model"  # the id of the script element that holds the model as JSON


def run_in_v8(html: str, proof: str, pipeline: Pipeline, cells: Mapping[str, Array]) -> Predictions:
    """Return what the scripts in the head of a page predict for cells, called by the script `proof`.

    Raises `UserError` if the engine is not installed.
    """
    with needed("export", "proving a page"):
        from py_mini_racer import MiniRacer
    scripts = _Scripts(html)
    given = packed_cells({name: cells[name] for name in pipeline.columns})
    with MiniRacer() as engine:
        code = "\n".join([*scripts.head, proof])
        found = engine.call(f"((model, given) => {{{code}\nreturn proved(model, given)}})", scripts.model, given)
    outputs = {
        name: typed_output(pipeline, name, texts)
        for name, texts in zip(pipeline.outputs, found["outputs"], strict=True)
    }
    return Predictions(outputs, np.array(found["usable"], bool))


def typed_output(pipeline: Pipeline, name: str, texts: list[str]) -> Array:
    """Return an output (rows,) of a pipeline that the scripts gave as texts."""
    value, dtype = pipeline.outputs[name], output_types(pipeline)[name]
    if value.operation == "label_of":
        labels = {text_of(label): label for label in value.settings["labels"]}
        found = np.empty(len(texts), object)
        found[:] = [labels[text] for text in texts]
        return found.astype(dtype)
    return np.array(texts, object if dtype.hasobject else np.float64).astype(dtype)


class _Scripts(HTMLParser):
    """The scripts in the head of a page, and the model that it holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.head: list[str] = []
        self.model = ""
        self._id: str | None = None
        self._open = self._in_head = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note where the head and scripts begin."""
        self._in_head = tag == "head" or (self._in_head and tag != "body")
        self._open, self._id = tag == "script", dict(attributes).get("id")

    def handle_endtag(self, tag: str) -> None:
        """Note where a script ends."""
        self._open = False

    def handle_data(self, data: str) -> None:
        """Keep the text of a script."""
        if self._open and self._id == MODEL:
            self.model += data
        elif self._open and self._in_head:
            self.head.append(data)
