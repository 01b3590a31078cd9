"""Ask `nnfs serve` over the loopback: single rows in JSON on 32 connections, and many rows at once.

The client runs in another process of the same machine, so both share its cores. Each answer is awaited before the next
request is sent on a connection.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.part import ROOT, Found, as_installed, described, say
from tests.benchmarks.predict import COLUMNS, NETS, NNFS, prepare

PACKAGES = ("numpy", "pyarrow", "fastapi", "uvicorn", "uvloop", "httptools")
JSON, CSV, ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"
JOBS = {  # the rows of a request, its format, the connections
    "one row, 32 connections": (1, JSON, 32),
    "one row, 1 connection": (1, JSON, 1),
    "100 rows in JSON, 8 connections": (100, JSON, 8),
    "20,000 rows in CSV, 2 connections": (20_000, CSV, 2),
    "20,000 rows in Arrow, 2 connections": (20_000, ARROW, 2),
    "three reasons of one row, 2 connections": (1, f"{JSON}?reasons=3", 2),
}


def options(parser: argparse.ArgumentParser) -> None:
    """Say how long each turn lasts."""
    parser.set_defaults(turns=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn (default: %(default)s)")


def write_bodies(folder: Path) -> None:
    """Write the body of each job into a file of its own."""
    import pyarrow as pa
    from pyarrow import csv

    rng = np.random.default_rng(1)
    for number, (n, kind, _) in enumerate(JOBS.values()):
        table = pa.table({f"x{j}": rng.standard_normal(n).round(6) for j in range(COLUMNS)})
        path = str(folder / f"body{number}")
        if kind.startswith(JSON):
            Path(path).write_text(json.dumps(table.to_pylist()), encoding="utf-8")
        elif kind == CSV:
            csv.write_csv(table, path)
        else:
            with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table)


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The port of a server with all nets."""
    runs = [f"net{number}=runs/net{number}-1" for number in range(len(NETS))]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*NNFS, "serve", *runs, "--port", "0"], cwd=folder, stderr=log)
    try:
        while not (found := re.search(r"serving +http://127.0.0.1:(\d+)", (folder / "log").read_text("utf-8"))):
            if process.poll() is not None:
                raise RuntimeError((folder / "log").read_text("utf-8"))
            time.sleep(0.05)
        yield int(found[1])
    finally:
        process.terminate()
        process.wait()


def turn(folder: Path, port: int, net: int, job: int, seconds: float) -> dict[str, float]:
    """Requests and rows per second, and the median and the 99th percentile of the milliseconds of a request."""
    n, kind, connections = [*JOBS.values()][job]
    kind, _, query = kind.partition("?")
    path = f"/models/net{net}/predict{'?' if query else ''}{query}"
    words = [str(port), path, kind, str(folder / f"body{job}"), str(connections), str(seconds)]
    client = [sys.executable, "-m", "tests.benchmarks.http_client", *words]
    found: dict[str, Any] = json.loads(
        subprocess.run(client, cwd=ROOT, check=True, capture_output=True, timeout=seconds + 60).stdout
    )
    if [*found["statuses"]] != ["200"]:
        raise RuntimeError(f"{path} was answered with {found['statuses']}")
    return {"rows": n * found["requests"], **{key: found[key] for key in ("requests", "p50", "p99")}}


def measured(given: argparse.Namespace) -> Found:
    """Every turn of each job with each net."""
    seconds = 0.3 if given.quick else given.seconds
    with tempfile.TemporaryDirectory(prefix="nnfs-serve-") as name, as_installed(PYTHONPATH=str(ROOT)):
        folder = Path(name)
        say("training")
        prepare(folder, 20_000)
        write_bodies(folder)
        of: dict[str, dict[str, list[dict[str, float]]]] = {net: {job: [] for job in JOBS} for net in NETS}
        with served(folder) as port:
            for number in range(given.turns + 1):  # the first warms up
                for i, net in enumerate(NETS):
                    for k, job in enumerate(JOBS):
                        say(f"{net}, {job}")
                        found = turn(folder, port, i, k, seconds if number else seconds / 3)
                        if number:
                            of[net][job].append(found)
    return {"turns": given.turns, "seconds": seconds, "nets": of}


def markdown(found: Found) -> str:
    """A row for each job with each net."""
    lines = [
        described(found) + f"Each figure is the median of {found['turns']} turns of {found['seconds']:g} seconds.",
        "",
        "| net | requests | per second | rows per second | median | p99 |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for net, jobs in found["nets"].items():
        for job, turns in jobs.items():
            of = {key: median(turn[key] for turn in turns) for key in turns[0]}
            times = " | ".join(f"{of[key]:.1f} ms" for key in ("p50", "p99"))
            lines.append(f"| {net} | {job} | {of['requests']:,.0f} | {of['rows']:,.0f} | {times} |")
    return "\n".join(lines) + "\n"
