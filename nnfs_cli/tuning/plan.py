"""The plan of a search, as `search.json` records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, get_args

from nnfs_cli.errors import RunError, UserError
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.system.wording import did_you_mean, listing

Sampler = Literal["tpe", "random", "qmc", "cmaes", "nsgaii"]
Pruner = Literal["none", "median", "halving", "hyperband"]
SAMPLERS, PRUNERS = get_args(Sampler), get_args(Pruner)
FORMAT = 1  # of the folder of a search


@dataclass(frozen=True)
class Plan:
    """The plan of a search: how many trials, how they are proposed and scored, and on which data.

    `figures` are the names of the figures that trials are scored by, and whether less or more of each is better.
    `folder` is the folder that paths of the config are relative to, seen from the folder of the search. `sha256` are
    the digests of the data by split.
    """

    name: str
    figures: Mapping[str, Mode]
    trials: int = 100
    minutes: float | None = None
    sampler: str = "tpe"
    pruner: str = "none"
    seed: int = 0
    folder: str = "."
    sha256: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Raise `UserError` if something cannot be done."""
        for kind, name, known in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            if name not in known:
                hint = did_you_mean(name, known) or f"; there are {listing(known)}"
                raise UserError(f"there is no {kind} '{name}'{hint}")
        if self.trials < 1 or (self.minutes is not None and not 0 < self.minutes < float("inf")):
            raise UserError("a search needs at least one trial, and minutes above 0")
        if self.pruner != "none" and len(self.figures) > 1:
            raise UserError("a pruner judges by one figure; give one metric, or leave the pruner out")
        if self.sampler == "cmaes" and len(self.figures) > 1:
            raise UserError("the sampler cmaes searches by one figure; give one metric, or take tpe or nsgaii")

    def changed(self, trials: int | None, minutes: float | None) -> Self:
        """Return the plan with another number of trials in all, or another time for each session."""
        changes: dict[str, Any] = {"trials": trials, "minutes": minutes}
        return replace(self, **{key: value for key, value in changes.items() if value is not None})

    def plain(self) -> dict[str, Any]:
        """Return the plan as JSON holds it."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def read(cls, plain: Mapping[str, Any], where: str) -> Self:
        """Return the plan that JSON holds. Raises `RunError` if it is damaged."""
        types: dict[str, Any] = {
            "format": int, "name": str, "figures": dict, "trials": int, "minutes": float | int | None, "sampler": str,
            "pruner": str, "seed": int, "folder": str, "sha256": dict | None,
        }  # fmt: skip
        sound = plain.keys() == types.keys() and all(
            isinstance(plain[key], kind) and not isinstance(plain[key], bool) for key, kind in types.items()
        )
        sound = sound and plain["figures"] and all(mode in get_args(Mode) for mode in plain["figures"].values())
        if not sound or not 0 <= plain["seed"] < 1 << 32:
            raise RunError(f"{where} is damaged: its search.json is not what nnfs wrote")
        if plain["format"] > FORMAT:
            raise RunError(f"{where} was written by a later release of nnfs, which can continue it")
        try:
            return cls(**{key: value for key, value in plain.items() if key != "format"})
        except UserError as error:
            raise RunError(f"{where} is damaged: {error}") from None
