"""What two runs of one config must agree on, however often one of them was interrupted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.training.callbacks import Callback, Training


class Leaving(Callback):
    """Interrupts training after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, training: Training) -> None:
        if training.progress.step == self.step:
            training.interrupt(KeyboardInterrupt())


def record(run: Path) -> dict[str, Any]:
    """All that two runs have to agree on."""
    files = sorted(path for path in run.rglob("*") if path.is_file())
    kept: dict[str, Any] = {}
    for path in files:
        name = path.relative_to(run).as_posix()
        if name == "environment.json":
            continue
        if name == "epochs.csv":
            lines = [line.split(",") for line in path.read_text().splitlines()]
            at = lines[0].index("seconds")
            kept[name] = [line[:at] + line[at + 1 :] for line in lines]
        elif name == "state.npz":
            with np.load(path) as state:
                kept[name] = {key: state[key].tobytes() for key in state if key not in ("seconds", "log.bytes")}
        elif name == "status.json":
            kept[name] = json.loads(path.read_text())["state"]
        elif name == "report.html":
            kept[name] = lasting(path.read_text(), run.name)
        else:
            kept[name] = path.read_bytes()
    return kept


def lasting(report: str, name: str) -> str:
    """The report of a run of this name without what depends on the time, the machine and the folder."""
    return re.sub('(?s)<section id="(environment|repeat)".*?</section>', "", report).replace(name, "the run")
