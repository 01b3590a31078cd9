"""What the checks after training look at: what a run has recorded, and what its probes have measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.places import layers_within
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.workflows.verdicts import Verdict, recorded_verdict
from nnfs_cli.workflows.verdicts.curves import curve_verdicts

POOR = {
    "worse_than_constant", "no_better_than_constant", "worse_than_linear", "never_predicted", "majority",
}  # fmt: skip


@dataclass(frozen=True)
class TrainedRun:
    """The records of a run.

    `log` has a row for each logged epoch. `probes` are the arrays of `probes.npz`, and `snapshots` those of
    `snapshots.npz`; both are empty if the run has none. `verdicts` are those that training recorded, or
    what the curves say of a run that has not finished.
    """

    config: Config
    state: str
    log: Sequence[Mapping[str, float]]
    probes: Mapping[str, Array]
    snapshots: Mapping[str, Array]
    verdicts: Sequence[Verdict]
    confusion: Mapping[str, Mapping[str, int]] | None  # of the held-out rows, by true class, then by predicted class

    @classmethod
    def of(cls, run: RunDirectory, config: Config) -> TrainedRun:
        """Read a run with this config. Raises `RunError` if it is damaged."""
        state, log = run.status().get("state", "unknown"), run.epochs()
        verdicts: Sequence[Verdict] = recorded_verdict(run)
        if not verdicts and state != "finished":
            verdicts = [one for one in curve_verdicts(log, config, stopped=False) if one.code != "too_short"]
        confusion = run.records.confusion("validation") or run.records.confusion("test")
        probes, snapshots = run.arrays.probes() or {}, run.arrays.snapshots() or {}
        return cls(config, state, log, probes, snapshots, verdicts, confusion)

    @property
    def verdict_codes(self) -> set[str]:
        """The codes of the verdicts."""
        return {verdict.code for verdict in self.verdicts}

    @property
    def useless(self) -> bool:
        """Whether the net is known to be no better than a constant prediction."""
        return not self.verdict_codes.isdisjoint(("worse_than_constant", "no_better_than_constant"))

    @property
    def poor(self) -> bool:
        """Whether a verdict says that the net is poor, or none says that it is good."""
        return not self.verdict_codes or not self.verdict_codes.isdisjoint(POOR)

    @cached_property
    def train_loss(self) -> Array:
        """The training loss of each logged epoch, (epochs,)."""
        return np.array([row.get("train_loss", math.nan) for row in self.log])

    @property
    def stepper(self) -> Stepper | None:
        """The optimizer, unless it is a minimizer, which chooses its own steps."""
        return self.config.optimizer if isinstance(self.config.optimizer, Stepper) else None

    @property
    def lr(self) -> float:
        """The learning rate of the config; NaN for a minimizer, which has none."""
        return self.config.lr or math.nan

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """Yield each layer of the net with its place in the config, at any depth, in order."""
        yield from layers_within("layers", self.config.layers)

    def probed(self, path: str, quantity: str) -> Array | None:
        """Return a statistic of a layer or a parameter at each probed epoch, (k,); None without it."""
        return self.probes.get(f"{path}.{quantity}")

    def weights(self) -> dict[str, str]:
        """Return the places of the linear layers that probes have measured, by the names of their weights, in order."""
        places = [path for path, layer in self.layers() if isinstance(layer, Linear)]
        named = {".".join([*filter(str.isdigit, path.split(".")), "weight"]): path for path in places}
        return {name: path for name, path in named.items() if f"{name}.norm" in self.probes}

    def movement(self, name: str) -> float | None:
        """Return how far a parameter moved in the training if all its steps had gone in one direction.

        It is the sum over all steps of the change of a step divided by the norm, as probed: about an upper limit. None
        if it is not known.
        """
        update, step = self.probed(name, "update"), self.probes.get("step")
        if update is None or step is None or len(step) < 2 or not np.isfinite(update).any():
            return None
        here = np.nan_to_num(update)
        larger = np.maximum(here[1:], here[:-1])
        return float(np.dot(larger, np.diff(step)))
