"""Small runs to be served, and an application that is asked without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from pyarrow import csv

from nnfs_cli import Run, train
from nnfs_cli.serve.application import Application
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.metrics import Metrics
from nnfs_cli.serve.models import Models
from nnfs_cli.serve.sources import RunSource
from nnfs_cli.serve.token import Token

CITIES = ("Rome", "Oslo", "Lima")
JSON = "application/json"


def flats(n: int = 160, seed: int = 0) -> dict[str, list[Any]]:
    """A table with numbers, gaps, categories and dates, and two targets to choose from."""
    rng = np.random.default_rng(seed)
    size, rooms = rng.normal(80, 20, n).round(2), rng.integers(1, 7, n)
    city = [CITIES[i] for i in rng.integers(3, size=n)]
    sold = [str(np.datetime64("2020-01-01") + np.timedelta64(int(day), "D")) for day in rng.integers(1500, size=n)]
    price = 2 * size + 10 * rooms + np.array([15 * CITIES.index(one) for one in city]) + rng.normal(0, 5, n)
    gaps = rng.random(n) < 0.1
    return {
        "size": size.tolist(),
        "rooms": [None if gap else int(one) for one, gap in zip(rooms, gaps, strict=True)],
        "city": city,
        "sold": sold,
        "dear": ["yes" if one > 210 else "no" for one in price],
        "price": price.round(2).tolist(),
    }


PREPROCESSING = {
    "numbers": ["impute", "standardize"],
    "categories": "one_hot",
    "dates": "calendar",
}
SETTINGS: dict[str, Any] = {
    "optimizer": "adam",
    "lr": 0.02,
    "epochs": 8,
    "members": 2,
    "engine": "numpy",
    "split": {"validation": 0.3},
}


def csv_of_flats(folder: Path) -> Path:
    """Write the table into a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / "flats.csv"
    csv.write_csv(pa.table(flats()), path)
    return path


def train_flats(folder: Path, name: str = "flats", **settings: Any) -> Run:
    """Train a net that predicts prices."""
    given: dict[str, Any] = {"name": name, "layers": ["linear: 8", "relu", "linear: 1"], "loss": "mse", **SETTINGS}
    given["preprocessing"] = {**PREPROCESSING, "target": "standardize"}
    given["dataset"] = {"csv": {"path": str(csv_of_flats(folder)), "target": "price", "drop": ["dear"]}}
    return train({**given, **settings}, folder=folder)


def train_labels(folder: Path, **settings: Any) -> Run:
    """Train a net that predicts whether a flat is dear."""
    given: dict[str, Any] = {"name": "dear", "layers": ["linear: 8", "relu", "linear: 1", "sigmoid"], **SETTINGS}
    given |= {"loss": "binary_cross_entropy", "preprocessing": PREPROCESSING}
    given["dataset"] = {"csv": {"path": str(csv_of_flats(folder)), "target": "dear", "drop": ["price"]}}
    return train({**given, **settings}, folder=folder)


def rows_of(n: int, seed: int = 1, columns: Sequence[str] = ("size", "rooms", "city", "sold")) -> list[dict[str, Any]]:
    """New rows."""
    table = flats(n, seed)
    return [{name: table[name][i] for name in columns} for i in range(n)]


@dataclass(frozen=True)
class Answer:
    """What a request gets."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The word for programs of a refusal."""
        return str(self.json["error"])

    @property
    def message(self) -> str:
        return str(self.json["message"])


class House:
    """An application with some models, in a loop of its own."""

    def __init__(self, *runs: str, limits: Limits | None = None, token: str | None = None) -> None:
        self.told: list[str] = []
        self._workers = ThreadPoolExecutor(2)
        self._runner = asyncio.Runner()
        self.metrics = Metrics()
        sources = [RunSource.of(text, Path("runs")) for text in runs]
        self.models = Models(sources, self._workers, self.metrics, self.told.append)
        self.application = Application(self.models, limits or Limits(), Token(token), self.metrics, self._workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown()
        self._runner.close()

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    async def asked(
        self, path: str, body: bytes | None = None, kind: str = JSON, method: str = "", **headers: str
    ) -> Answer:
        """What the application answers."""
        given = [(key.replace("_", "-").encode(), value.encode("latin-1")) for key, value in headers.items()]
        if "content_length" not in headers:
            given.append((b"content-length", b"%d" % len(body or b"")))
        if kind:
            given.append((b"content-type", kind.encode()))
        place, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method or ("GET" if body is None else "POST"),
            "path": place,
            "raw_path": place.encode(),
            "query_string": query.encode(),
            "headers": given,
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "root_path": "",
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        found = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))

    def ask(self, path: str, body: Any = None, kind: str = JSON, method: str = "", **headers: str) -> Answer:
        """What the application answers to a request with bytes, or with anything that JSON can hold."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        answer: Answer = self.run(self.asked(path, content, kind, method, **headers))
        return answer

    def ask_together(self, path: str, bodies: Sequence[bytes], kind: str = JSON) -> list[Answer]:
        """What it answers to requests that arrive at the same time."""

        async def all_of_them() -> list[Answer]:
            return await asyncio.gather(*(self.asked(path, body, kind) for body in bodies))

        answers: list[Answer] = self.run(all_of_them())
        return answers
