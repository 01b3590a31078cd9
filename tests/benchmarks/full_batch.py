"""The net of notebook 002, all rows at once, epoch after epoch, beside the loop that one writes without a tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from nnfs_cli.arrays import Array
from tests.benchmarks.contestants import nnfs
from tests.benchmarks.race import Turns

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "configs" / "seeds" / "002_arithmetic.yaml"


@dataclass(frozen=True)
class FullBatch:
    """Epochs of one step each; every thousandth is logged."""

    name: str = "full batch"
    steps: int = 1
    description: str = "7,000 x 2, 4-4-3, all rows a step, float64, gradient descent"

    def config(self, folder: Path) -> Path:
        """That of the repository, for more epochs than a race has."""
        config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
        file = folder / CONFIG.name
        file.write_text(yaml.safe_dump({**config, "epochs": 10**7, "log_every": 1_000, "threads": 1}), encoding="utf-8")
        return file


def start() -> tuple[Array, Array, list[list[Array]]]:
    """The scaled rows, and the tool's first weights and biases by layer, all as the notebook has them: transposed."""
    from nnfs_cli import workflows
    from nnfs_cli.config.config import Config

    experiment = workflows.prepare(Config.load(CONFIG))
    arrays = list(experiment.predictor.model.parameters.arrays.values())
    encoded = experiment.splits["train"]
    layers = [[np.array(W.T), np.array(b[:, None])] for W, b in zip(arrays[::2], arrays[1::2], strict=True)]
    return np.ascontiguousarray(encoded.X.T), np.ascontiguousarray(encoded.y.T), layers


def plain_epoch(X: Array, y: Array, layers: list[list[Array]], lr: float) -> float:
    """An epoch as one writes it without a tool, with a new array for every result. Returns the loss before it."""
    n, outputs = X.shape[1], [X]
    for i, (W, b) in enumerate(layers):
        z = W @ outputs[-1] + b
        outputs.append(z if i == len(layers) - 1 else np.maximum(z, 0))
    error = outputs[-1] - y
    loss = 0.5 * np.sum(error**2) / n
    dz = error
    for i in reversed(range(len(layers))):
        W, b = layers[i]
        dW, db = dz @ outputs[i].T / n, dz.sum(axis=1, keepdims=True) / n
        if i:
            dz = (W.T @ dz) * (outputs[i] > 0)
        layers[i] = [W - lr * dW, b - lr * db]
    return float(loss)


def plain_loop(workload: FullBatch, turns: Turns) -> None:
    """Epoch after epoch."""
    X, y, layers = start()
    while True:
        plain_epoch(X, y, layers, 0.01)
        turns()


CONTESTANTS = {"nnfs": nnfs, "plain NumPy loop": plain_loop}
