"""What the checks before training look at: the config, its data and its net, and measurements that several share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.inspection.findings import Finding, InspectedRows, find


@dataclass(frozen=True)
class Subject:
    """A config with its data and its net, before training. Measurements are made when a check first asks for them."""

    config: Config
    loaded: LoadedData
    experiment: Experiment

    @cached_property
    def findings(self) -> list[Finding]:
        """What is odd in the data."""
        return find(self.config, self.loaded, self.experiment, InspectedRows.of(self.loaded))
