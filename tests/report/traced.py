"""Take the page of a trace apart, as a browser does."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from nnfs_cli import workflows
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.source import batch_of_config

CONFIGS = Path(__file__).parents[2] / "configs"


def batch(name: str, *overrides: str, rows: int = 4) -> TracedBatch:
    return batch_of_config(workflows.load(CONFIGS / name, overrides), Path(name).stem, rows)


def data_of(html: str) -> dict[str, Any]:
    """Return the data of the page, unpacked."""
    found = re.search(r'<script type="application/json" id="trace-data">(.*?)</script>', html, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    data["frames"] = json.loads(zlib.decompress(base64.b64decode(data["frames"])))
    if data["maps"]:
        data["maps"]["bytes"] = zlib.decompress(base64.b64decode(data["maps"]["packed"]))
    return data


class Steps(HTMLParser):
    """The tables of the steps by phase, place and name of the array, as lists of lines of texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[tuple[str, str, str], list[list[str]]] = {}
        self._step, self._key, self._cell, self._name = ("", ""), None, False, False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "section":
            self._step = str(given["data-phase"]), str(given["data-place"])
        self._name = tag == "b"
        if tag == "tr" and self._key:
            self.tables[self._key].append([])
        self._cell = tag == "td" and "data-n" in given

    def handle_data(self, data: str) -> None:
        if self._name:
            self._key = (*self._step, data)
            self.tables[self._key] = []
        elif self._cell and self._key:
            self.tables[self._key][-1].append(data)
        self._name = self._cell = False

    def handle_endtag(self, tag: str) -> None:
        if tag in ("figure", "section"):
            self._key = None

    def array(self, phase: str, place: str, name: str) -> list[list[str]]:
        return [line for line in self.tables[phase, place, name] if line]
