"""What is trained: four nets from tiny to wide, each on rows of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from nnfs_cli.arrays import Array

VALIDATION = 0.2  # of the rows there are


@dataclass(frozen=True)
class Workload:
    """A net, its data and its optimizer. After each epoch, loss and accuracy of the validation rows are measured."""

    name: str
    rows: int  # to train on
    inputs: int
    hidden: tuple[int, ...]
    outputs: int  # 1 for two classes
    batch: int
    optimizer: Literal["sgd", "adam"]
    lr: float
    epochs: int = 10**6  # a race ends before
    threads: int = 1
    engine: str = "numpy"  # of nnfs

    @property
    def widths(self) -> list[int]:
        """Of the inputs and of every layer's outputs."""
        return [self.inputs, *self.hidden, self.outputs]

    @property
    def binary(self) -> bool:
        """Whether there are two classes."""
        return self.outputs == 1

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return -(-self.rows // self.batch)

    @property
    def description(self) -> str:
        """In a line."""
        net = "-".join(map(str, self.widths))
        return f"{self.rows:,} x {self.inputs}, {net}, batch {self.batch:,}, {self.optimizer}"

    def shortened(self, epochs: int) -> Workload:
        """The same for so many epochs."""
        return replace(self, epochs=epochs)

    def on(self, threads: int) -> Workload:
        """The same with so many threads."""
        return replace(self, threads=threads)

    def data(self) -> tuple[Array, Array]:
        """X (rows, inputs) in float32 and the classes y (rows,), with the validation rows: two blurred halves."""
        rng = np.random.default_rng(0)
        n = round(self.rows / (1 - VALIDATION))
        X = rng.standard_normal((n, self.inputs), np.float32)
        scores = X @ rng.standard_normal((self.inputs, max(2, self.outputs)), np.float32)
        scores += rng.standard_normal(scores.shape, np.float32) * np.sqrt(self.inputs)
        return X, scores.argmax(axis=1)

    def split(self) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """The same, training rows and validation rows."""
        X, y = self.data()
        return (X[: self.rows], y[: self.rows]), (X[self.rows :], y[self.rows :])

    def config(self, folder: Path) -> Path:
        """Write the data and the config that says all this to the tool."""
        X, y = self.data()
        np.savez(folder / "data.npz", X=X, y=y)
        layers: list[Any] = [layer for width in self.hidden for layer in ({"linear": width}, "relu")]
        layers += [{"linear": self.outputs}, "sigmoid" if self.binary else "softmax"]
        config = {
            "dataset": {"npz": "data.npz"},
            "split": {"validation": VALIDATION},
            "preprocessing": {"numbers": "none"},
            "layers": layers,
            "loss": "binary_cross_entropy" if self.binary else "cross_entropy",
            "optimizer": self.optimizer,
            "lr": self.lr,
            "batch_size": self.batch,
            "epochs": self.epochs,
            "threads": self.threads,
            "engine": self.engine,
        }
        file = folder / f"{self.name}.yaml"
        file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return file


WORKLOADS = (
    Workload("tiny", 455, 30, (20,), 1, 64, "sgd", 0.1),
    Workload("small", 20_000, 50, (128, 128), 1, 128, "adam", 0.001),
    Workload("image-like", 10_000, 784, (512, 512), 10, 128, "adam", 0.001),
    Workload("wide", 20_480, 256, (1024, 1024), 10, 1024, "adam", 0.001),
)
