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

STATE, SPREAD, BLEND, BACKGROUND = "state.npz", "spread.npz", "blend.npz", "background.npz"
PROBES, SNAPSHOTS = "probes.npz", "snapshots.npz"
MOST_EPOCHS = 60  # epochs of which a run keeps statistics and weights
OUTPUTS = ("mean", "std", "min", "max", "zeros", "dead", "saturated")
OF_LAYERS = (*(f"output.{name}" for name in OUTPUTS), "gradient.norm")  # statistics of every layer


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

    def kept_log(self) -> int:
        """Return how many bytes of the epoch log stay if training is resumed; 0 if there is no state.

        Raises `RunError` if the state is damaged.
        """
        return self._files.read_count(STATE, "log.bytes") if self.has_state() else 0

    def write_spread(self, arrays: Mapping[str, Array]) -> None:
        """Write the arrays that a calibration has learned; without any, delete those of an earlier session."""
        if arrays:
            self._files.write_arrays(SPREAD, arrays)
        else:
            self._files.remove(SPREAD)

    def read_spread(self, into: Mapping[str, Array]) -> None:
        """Read the arrays of a calibration. Raises `RunError` if they are missing, damaged or not finite."""
        self._files.read_arrays(SPREAD, into, list(into))

    def write_blend(self, arrays: Mapping[str, Array]) -> None:
        """Write the models that are blended with the net; without any, delete those of an earlier session."""
        if arrays:
            self._files.write_arrays(BLEND, arrays)
        else:
            self._files.remove(BLEND)

    def blend(self) -> dict[str, Array] | None:
        """Return the arrays of the models that are blended with the net; None if the run has none.

        `Blend.of_arrays` checks their names, shapes and types. Raises `RunError` if the file is damaged.
        """
        return self._files.find_arrays(BLEND) if self._files.has(BLEND) else None

    def blend_sha256(self) -> str | None:
        """Return the SHA-256 of the file of blended models; None if there is no such file."""
        return self._files.digest(BLEND)

    def write_background(self, X: Array | None) -> None:
        """Write the inputs of some training rows (rows, features); without any, delete those of an earlier session."""
        if X is not None and len(X):
            self._files.write_arrays(BACKGROUND, {"X": X})
        else:
            self._files.remove(BACKGROUND)

    def background(self, n_features: int) -> Array | None:
        """Return the inputs (rows, features) of some training rows; None if the run has none.

        Raises `RunError` if the file is damaged, or is that of another net.
        """
        if not self._files.has(BACKGROUND):
            return None
        from nnfs_cli.arrays import all_finite  # imported here: commands without arrays do not need NumPy

        arrays = self._files.find_arrays(BACKGROUND)
        X = arrays.get("X")
        fits = X is not None and len(arrays) == 1 and X.dtype.kind == "f" and X.shape[1:] == (n_features,)
        if X is None or not (fits and len(X) and all_finite(X)):
            raise self._damaged(BACKGROUND, f"it should hold rows of {n_features} finite inputs")
        return X

    def write_probes(self, arrays: Mapping[str, Array]) -> None:
        """Write what the probes of a training have shown: `epoch` (k,), `step` (k,), and figures (k,) by name."""
        self._files.write_arrays(PROBES, arrays)

    def probes(self) -> dict[str, Array] | None:
        """Return statistics of the layers and parameters at up to 60 epochs; None if the run has kept none.

        `epoch` and `step` are int64 (k,), and rise. All others are float64 (k,), and may be NaN or infinite. They are
        called ``<path>.<quantity>.<statistic>``, such as ``layers.0.output.mean``, and ``<parameter>.<statistic>``,
        such as ``0.weight.norm``; `nnfs guide runs` describes them. Raises `RunError` if the file is damaged.
        """
        if not self._files.has(PROBES):
            return None
        arrays = self._files.find_arrays(PROBES)
        k = self._check_epochs(PROBES, arrays, ("epoch", "step"))
        for name, array in arrays.items():
            if name not in ("epoch", "step") and (array.shape != (k,) or array.dtype.str != "<f8"):
                raise self._damaged(PROBES, f"{name[:80]!r} should be {k} numbers, one for each epoch")
            layer, of_layer, _ = name.rpartition(".output.")
            if of_layer and (lacking := [each for each in OF_LAYERS if f"{layer}.{each}" not in arrays]):
                raise self._damaged(PROBES, f"it lacks {f'{layer[:80]}.{lacking[0]}'!r}")
        return arrays

    def probes_sha256(self) -> tuple[str | None, str | None]:
        """Return the SHA-256 of the files of statistics and of snapshots; None where there is no such file."""
        return self._files.digest(PROBES), self._files.digest(SNAPSHOTS)

    def write_snapshots(self, arrays: Mapping[str, Array]) -> None:
        """Write the weights of some epochs: `epoch` (k,), and the parameters by name, each (k, *shape)."""
        self._files.write_arrays(SNAPSHOTS, arrays)

    def snapshots(self) -> dict[str, Array] | None:
        """Return the weights of a small net at up to 60 epochs; None if the run has kept none.

        `epoch` is int64 (k,), and rises. The parameters, such as ``0.weight``, are (k, *shape) or (k, members, *shape),
        float32 or float64, and finite. Raises `RunError` if the file is damaged. Their names and shapes may be those of
        another net; `Model.load` checks them.
        """
        if not self._files.has(SNAPSHOTS):
            return None
        from nnfs_cli.arrays import all_finite  # imported here: commands without arrays do not need NumPy

        arrays = self._files.find_arrays(SNAPSHOTS)
        k = self._check_epochs(SNAPSHOTS, arrays, ("epoch",))
        for name, array in arrays.items():
            if name != "epoch" and (array.shape[:1] != (k,) or array.dtype.kind != "f" or not all_finite(array)):
                raise self._damaged(SNAPSHOTS, f"{name[:80]!r} should hold finite weights of {k} epochs")
        return arrays

    def _check_epochs(self, file: str, arrays: Mapping[str, Array], names: Sequence[str]) -> int:
        """Return the number of epochs. Raises `RunError` unless these arrays are counts that rise."""
        for name in names:
            counts = arrays.get(name)
            if counts is None or counts.dtype.str != "<i8" or counts.ndim != 1 or not 0 < len(counts) <= MOST_EPOCHS:
                raise self._damaged(file, f"'{name}' should be 1 to {MOST_EPOCHS} whole numbers")
            if counts[0] < 0 or (counts[1:] < counts[:-1]).any() or len(counts) != len(arrays["epoch"]):
                raise self._damaged(file, f"'{name}' should rise from epoch to epoch")
        if (arrays["epoch"][1:] == arrays["epoch"][:-1]).any():
            raise self._damaged(file, "it holds an epoch twice")
        return len(arrays["epoch"])

    def _damaged(self, file: str, what: str) -> RunError:
        return RunError(f"{self._files.path / file} is damaged: {what}")
