"""Optuna's samplers and pruners by name, with seeds that depend on the trial alone."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_cli.system.extras import needed
from nnfs_cli.system.random import entropy

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler


def sampler(name: str, seed: int, trial: int, setting: str = "") -> BaseSampler:
    """Return a sampler for one trial, or for one setting of it.

    A search that is killed goes on in another process, so no sampler may remember anything: each starts from (seed,
    trial, setting), and all else it knows stands in the journal.
    """
    with needed("tune", "nnfs tune"):
        from optuna import samplers

    numbers = [*entropy(seed, "tune", trial), zlib.crc32(setting.encode())]
    own = int(np.random.SeedSequence(numbers).generate_state(1)[0])
    options: dict[str, Any] = {"seed": own}
    if name == "tpe":
        return samplers.TPESampler(constant_liar=True, **options)
    if name == "qmc":  # one sequence for all trials
        return samplers.QMCSampler(
            seed=seed,
            scramble=True,
            independent_sampler=samplers.RandomSampler(**options),  # for options, which have no order
            warn_independent_sampling=False,
            warn_asynchronous_seeding=False,
        )
    if name == "cmaes":
        with needed("tune", "the sampler cmaes"):
            import cmaes  # noqa: F401 - Optuna imports it later, and says less if it is missing

            return samplers.CmaEsSampler(warn_independent_sampling=False, **options)
    return samplers.NSGAIISampler(**options) if name == "nsgaii" else samplers.RandomSampler(**options)


def pruner(name: str) -> BasePruner:
    """Return a pruner."""
    with needed("tune", "nnfs tune"):
        from optuna import pruners

    if name == "median":
        return pruners.MedianPruner()
    if name == "halving":
        return pruners.SuccessiveHalvingPruner()
    return pruners.HyperbandPruner() if name == "hyperband" else pruners.NopPruner()
