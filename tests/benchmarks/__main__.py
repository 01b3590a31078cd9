"""Measures the tool beside its peers: `python -m tests.benchmarks`, after `pip install '.[bench]'`.

Each contestant trains in a process of its own, and they take turns, so that a machine that is busy for a while is busy
for all. Prints tables of medians, and writes every turn to a JSON file.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nnfs_cli.runs.environment import describe_environment
from tests.benchmarks import full_batch
from tests.benchmarks.commands import measure, predicting, startup
from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.overhead import overhead
from tests.benchmarks.race import as_installed, race
from tests.benchmarks.report import RESULTS, markdown
from tests.benchmarks.workloads import WORKLOADS

PEERS = ("numpy", "numba", "torch", "jax", "scikit-learn", "pyarrow")


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def measured(turns: int, wanted: list[str], quick: bool = False) -> dict[str, Any]:
    """Everything; `quick` shortens it, for a look at whether it works."""
    environment = describe_environment()
    machine = {key: environment[key] for key in ("processor", "cores", "platform", "python", "blas")}
    machine["packages"] = {name: version(name) for name in PEERS}
    races: dict[str, Any] = {}
    with as_installed() as without:
        machine["without_variables"] = without
        for workload in WORKLOADS:
            if workload.name in wanted:
                workload = workload.shortened(2 * turns) if quick else workload
                print(f"{workload.name}: {workload.description} ...", file=sys.stderr)
                seconds = race(workload, CONTESTANTS, turns)
                races[workload.name] = {"description": workload.description, "seconds": seconds}
        print("full batch ...", file=sys.stderr)
        full = full_batch.FullBatch(1_000 if quick else 8_000)
        seconds = race(full, full_batch.CONTESTANTS, turns)
        races[full.name] = {"description": full.description, "seconds": seconds}
        print("commands ...", file=sys.stderr)
        commands = measure(turns, startup) | ({} if quick else measure(turns, predicting))
        small = WORKLOADS[1].shortened(3) if quick else WORKLOADS[1]
        shares = overhead(small)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "turns": turns,
        "machine": machine,
        "races": races,
        "commands": commands,
        "overhead": shares,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    names = [workload.name for workload in WORKLOADS]
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(names)}; all unless given")
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    given = parser.parse_args()
    if unknown := set(given.workloads) - set(names):
        parser.error(f"there is no workload {', '.join(sorted(unknown))}")
    if missing := [name for name in PEERS if not _installed(name)]:
        parser.error(f"{', '.join(missing)} not installed; pip install '.[bench]' brings them all")
    found = measured(given.turns, given.workloads or names)
    given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(markdown(found), end="")
