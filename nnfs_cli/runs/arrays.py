"""The arrays of a run: its weights, and the state from which training continues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnfs_cli.errors import RunError
from nnfs_cli.runs.checked_files import CheckedFiles
from nnfs_cli.runs.status_file import WEIGHTS, StatusFile
from nnfs_cli.system.files import sync_folder
from nnfs_cli.system.wording import listing, shown

if TYPE_CHECKING:
    from nnfs_cli.arrays import Array

STATE, SPREAD = "state.npz", "spread.npz"


class RunArrays:
    """The npz files of a run directory. `which` names weights: `best`, `last` or `epoch-<n>`."""

    def __init__(self, files: CheckedFiles, status_file: StatusFile) -> None:
        self._files, self._status_file = files, status_file

    def write_weights(self, which: str, arrays: Mapping[str, Array]) -> None:
        """Write parameters by name; `numpy.load(..., allow_pickle=False)` reads them anywhere."""
        self._files.write_arrays(f"weights/{which}.npz", arrays)

    def has_weights(self, which: str) -> bool:
        """Return whether these weights exist."""
        return self._files.locate(f"weights/{which}.npz").exists()

    def kept_weights(self) -> list[str]:
        """Return the names of all weights that exist, epochs in their order."""
        names = (file.stem for file in self._files.locate_folder("weights").glob("*.npz"))
        return sorted(filter(WEIGHTS.fullmatch, names), key=lambda name: (len(name), name))

    def forget_weights(self, after: int) -> None:
        """Delete the weights of all epochs after this one: training will come to them again, or never."""
        for which in self.kept_weights():
            if which.startswith("epoch-") and int(which.removeprefix("epoch-")) > after:
                self._files.locate(f"weights/{which}.npz").unlink()
        sync_folder(self._files.locate_folder("weights"))

    def weights_sha256(self, which: str) -> str | None:
        """Return the SHA-256 of the file of these weights; None if there is no such file."""
        return self._files.digest(f"weights/{which}.npz")

    def read_weights(self, which: str, into: Mapping[str, Array]) -> None:
        """Read weights into the arrays of a net.

        Raises `RunError` if the weights are missing or damaged, or do not fit the arrays.
        """
        if not WEIGHTS.fullmatch(which):
            raise RunError(f"weights are called best, last or epoch-<n>, such as epoch-10; found {shown(which)}")
        name = f"weights/{which}.npz"
        if not self._files.has(name):
            state = self._status_file.read().get("state", "unknown")
            others = self.kept_weights()
            if len(others) > 8:
                others[4:-3] = ["..."]
            kept = f"it has {listing(others)}" if others else f"the state of its training is '{state}'"
            remedy = "; use these with --weights last" if others == ["last"] else ""
            raise RunError(f"{self._files.path} has no {which} weights; {kept}{remedy}")
        self._files.read_arrays(name, into, list(into))

    def write_state(self, arrays: Mapping[str, Array]) -> None:
        """Write everything that training needs to continue from here."""
        self._files.write_arrays(STATE, arrays)

    def has_state(self) -> bool:
        """Return whether there is a state to continue from."""
        return self._files.locate(STATE).exists()

    def read_state(self, into: Mapping[str, Array], weights: Sequence[str] = ()) -> None:
        """Read the state into arrays of these names, shapes and types; `weights` name those that must be finite."""
        self._files.read_arrays(STATE, into, weights)

    def write_spread(self, arrays: Mapping[str, Array]) -> None:
        """Write the arrays that a calibration has learned; without any, delete those of an earlier session."""
        if arrays:
            self._files.write_arrays(SPREAD, arrays)
        else:
            self._files.remove(SPREAD)

    def read_spread(self, into: Mapping[str, Array]) -> None:
        """Read the arrays of a calibration. Raises `RunError` if they are missing, damaged or not finite."""
        self._files.read_arrays(SPREAD, into, list(into))
