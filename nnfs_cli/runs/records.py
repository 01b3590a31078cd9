"""The records of a run: small YAML, JSON and CSV files, each with one writer and one reader here.

The reader returns what the writer was given, and raises `RunError` if the file is damaged.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nnfs_cli.errors import RunError
from nnfs_cli.runs.checked_files import REMEDIES, CheckedFiles, json_bytes
from nnfs_cli.runs.status_file import StatusFile
from nnfs_cli.system.csv_text import csv_text, parse_csv
from nnfs_cli.system.files import make_folder

if TYPE_CHECKING:
    from nnfs_cli.arrays import Array
    from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration

MOST_EXPORTS = 100  # that are listed
FORMAT = 2  # the format of run directories; a release reads all formats up to its own
REPORT, EXPLANATION, EXPORTS = "report.html", "explanation.json", "export.json"


class ConfusionTable(NamedTuple):
    """How many rows of each true class (axis 0) were predicted as each class (axis 1)."""

    labels: tuple[str, ...]
    counts: Array


class Records:
    """The records in a run directory."""

    def __init__(self, files: CheckedFiles, status_file: StatusFile) -> None:
        self._files, self._status_file = files, status_file
        self.path = files.path

    def write_config(self, source: bytes, spec_yaml: str) -> None:
        """Write the config as the user gave it, if it was a file, and with every default spelled out."""
        if source:
            self._files.write("config.yaml", source)
        self._files.write("spec.yaml", spec_yaml.encode())

    def settings(self, *keys: str) -> dict[str, Any]:
        """Return some top-level keys of `spec.yaml` as plain values. It is quick, because the rest is not parsed.

        Raises `RunError` if the file is missing or damaged.
        """
        from nnfs_cli.config.yaml import YamlError

        found: dict[str, Any] = {}
        for block in re.split(rb"(?m)^(?=[^\s#-])", self._files.read("spec.yaml")):
            if block.partition(b":")[0].decode(errors="replace") in keys:
                try:
                    found |= _parsed(block)
                except YamlError as error:
                    raise RunError(f"{self.path} is damaged: its spec.yaml is not a config: {error}") from None
        return found

    def config_source(self) -> bytes:
        """Return the config as the user gave it; empty if it was no file."""
        return self._files.read("config.yaml") if self._files.has("config.yaml") else b""

    def write_code(self, name: str, source: bytes) -> None:
        """Write a copy of a user's Python file. The copy is never run."""
        make_folder(self._files.locate_folder("code"))
        self._files.write(f"code/{name}", source)

    def write_data(self, data: Mapping[str, Any]) -> None:
        """Write the description of the data, its splits and the fitted preprocessing."""
        self._files.write_json("data.json", {"format": FORMAT, **data})

    def data(self) -> dict[str, Any]:
        """Return the record of the data. Raises `RunError` if a later release wrote it in a format unknown here."""
        data = self._files.read_json("data.json")
        if data.get("format") not in range(1, FORMAT + 1):
            raise RunError(f"{self.path} has the format {data.get('format')!r}; this release reads 1 to {FORMAT}")
        if not isinstance(data.setdefault("code", {}), dict):
            raise RunError(f"{self.path} is damaged: its data.json does not list the files of code")
        if not _are_texts(data.setdefault("components", []), ("family", "name", "module", "class")):
            raise RunError(f"{self.path} is damaged: its data.json does not list the user's components")
        try:
            weights = data.setdefault("weights", {})
            weights["classes"] = {label: float(weight) for label, weight in weights.get("classes", {}).items()}
        except (AttributeError, TypeError, ValueError, OverflowError):
            raise RunError(f"{self.path} is damaged: its data.json holds no valid class weights") from None
        lacking = [key for key in ("sha256", "inputs", "fitted") if key not in data]
        if lacking:
            raise RunError(f"{self.path} is damaged: its data.json lacks '{lacking[0]}'")
        return data

    def trained_on(self) -> dict[str, str]:
        """Return the SHA-256 of the data of each split, as it was when the run was last trained."""
        lineage = self._status_file.lineage()
        digests = lineage[-1].get("sha256") if lineage else self.data()["sha256"]
        return digests if isinstance(digests, dict) else {}

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """Write the versions and the machine that the run was started with."""
        self._files.write_json("environment.json", environment)

    def environment(self) -> dict[str, Any]:
        """Return the versions and the machine that the run was started with."""
        return self._files.read_json("environment.json")

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write the final figures by split, the `best_epoch`, why training `stopped` early, and the parts of a `blend`.

        A part has the name of its `model`, its `weight` and its `loss` out of fold.
        """
        self._files.write_json("metrics.json", metrics)

    def has_metrics(self) -> bool:
        """Return whether there are final figures: the run has finished, at least once."""
        return self._files.has("metrics.json")

    def metrics(self) -> dict[str, Any]:
        """Return the final figures, see `write_metrics`."""
        metrics = self._files.read_json("metrics.json")
        for name, value in metrics.items():
            match name:
                case "stopped":
                    sound = isinstance(value, str) and len(value) < 1_000 and value.isprintable()
                case "best_epoch":
                    sound = value is None or (type(value) is int and 0 <= value < 1 << 63)
                case "blend":
                    sound = isinstance(value, list) and all(map(_is_part, value))
                case _:  # a split
                    sound = isinstance(value, dict) and all(map(_is_figure, value.values()))
            if not sound:
                raise RunError(f"{self.path} is damaged: its metrics.json holds no figure for {name!r:.40}")
        return metrics

    def write_verdict(self, verdicts: Sequence[Mapping[str, str]]) -> None:
        """Write the verdicts on the net: each with a `code`, a `severity`, a `sentence` and a `remedy`."""
        self._files.write_json("verdict.json", {"verdict": verdicts})

    def verdict(self) -> list[dict[str, str]]:
        """Return the verdicts on the net, see `write_verdict`; none if there is no record."""
        if not self._files.has("verdict.json"):
            return []
        verdicts = self._files.read_json("verdict.json").get("verdict")
        if not isinstance(verdicts, list) or not _are_texts(verdicts, ("code", "severity", "sentence", "remedy")):
            raise RunError(f"{self.path} is damaged: its verdict.json holds no verdicts")
        return verdicts

    def write_calibration(self, calibration: NumberCalibration | ClassCalibration | None) -> None:
        """Write the calibration of the net; with None, delete the one from an earlier session."""
        if calibration is None:
            self._files.remove("calibration.json")
        else:
            self._files.write_json("calibration.json", calibration.to_json())

    def has_calibration(self) -> bool:
        """Return whether the net is calibrated."""
        return self._files.has("calibration.json")

    def calibration(self) -> NumberCalibration | ClassCalibration:
        """Return the calibration of the net. Raises `RunError` if there is none."""
        from nnfs_cli.prediction.calibration import calibration_from_json

        if not self.has_calibration():
            without = "it was trained without rows to calibrate on (a validation split, or holdout: fold)"
            raise RunError(f"{self.path} has no calibration: {without}, or by an earlier release")
        try:
            return calibration_from_json(self._files.read_json("calibration.json"))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            raise RunError(f"{self.path} is damaged: its calibration.json holds no calibration") from None

    def write_confusion(self, confusion: Mapping[str, ConfusionTable], weights: str = "best") -> None:
        """Write the confusion tables of an evaluation by split."""
        contents: dict[str, bytes | None] = {}
        for split, (labels, counts) in confusion.items():
            rows = [["truth", *labels], *([label, *row] for label, row in zip(labels, counts.tolist(), strict=True))]
            contents[_confusion_file(split, weights)] = csv_text(rows).encode()
        self._status_file.replace(contents)

    def write_report(self, html: str) -> Path:
        """Write the page that shows the run, and return its path."""
        self._status_file.replace({REPORT: html.encode()})
        return self._files.locate(REPORT)

    def write_explanation(self, explanation: Mapping[str, Any]) -> None:
        """Write the explanation of the net, see `explain`."""
        self._status_file.replace({EXPLANATION: json_bytes(explanation)})

    def explanation(self) -> dict[str, Any] | None:
        """Return the explanation of the net as plain values; None if there is none."""
        return self._files.read_json(EXPLANATION) if self._files.has(EXPLANATION) else None

    def add_export(self, entry: Mapping[str, Any]) -> None:
        """Add what was exported to the list of exports, in place of an earlier one of the same format and file."""
        same = ("format", "file")
        others = [one for one in self.exports() if any(one.get(key) != entry[key] for key in same)]
        self._status_file.replace({EXPORTS: json_bytes({"exports": [*others, dict(entry)][-MOST_EXPORTS:]})})

    def exports(self) -> list[dict[str, Any]]:
        """Return what was exported, the last export at the end; see `export`."""
        found = self._files.read_json(EXPORTS).get("exports") if self._files.has(EXPORTS) else []
        if not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
            raise RunError(f"{self.path} is damaged: its export.json does not list exports; {REMEDIES[EXPORTS]}")
        return found

    def remove_views(self) -> None:
        """Delete the page, the explanation and the list of exports, if there are any, since training goes on."""
        present = [name for name in (REPORT, EXPLANATION, EXPORTS) if self._files.locate(name).exists()]
        if present:
            self._status_file.replace(dict.fromkeys(present))

    def write_decision(self, decision: Mapping[str, Any] | None) -> None:
        """Write the decision between two classes; with None, delete the earlier one.

        It holds the `threshold`, the `class` that it decides for, and `by`, which chose it: a metric, costs or hand.
        For several targets of two classes, `targets` holds these for each of them.
        """
        self._status_file.replace({"decision.json": None if decision is None else json_bytes(decision)})

    def decision(self) -> dict[str, Any] | None:
        """Return the decision between two classes, see `write_decision`; None if there is none."""
        if not self._files.has("decision.json"):
            return None
        decision = self._files.read_json("decision.json")
        rules = decision.get("targets", {"": decision})
        for rule in rules.values() if isinstance(rules, dict) else [{}]:
            threshold = rule.get("threshold") if isinstance(rule, dict) else None
            if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 2:
                remedy = REMEDIES["decision.json"]
                raise RunError(f"{self.path} is damaged: its decision.json holds no threshold; {remedy}")
            rule["class"] = f"{rule.get('class', 'the second class')!s:.200}"
        return decision

    def confusion(self, split: str, weights: str = "best") -> dict[str, dict[str, int]] | None:
        """Return the counts by true class, then by predicted class, of a split; None if there are none."""
        name = _confusion_file(split, weights)
        if not self._files.has(name):
            return None
        try:
            (_, *labels), *rows = parse_csv(self._files.read(name))
            return {truth: dict(zip(labels, map(int, counts), strict=True)) for truth, *counts in rows}
        except (ValueError, csv.Error):
            raise RunError(f"{self.path} is damaged: its {name} is no table of counts") from None


@functools.lru_cache(maxsize=4_096)  # a thousand runs have few different ones
def _parsed(block: bytes) -> dict[str, Any]:
    from nnfs_cli.config import yaml

    found, _ = yaml.read(block)
    return found if isinstance(found, dict) else {}


def _is_figure(value: object) -> bool:
    """Return whether a value is a number, or None for a figure that is not defined."""
    return value is None or isinstance(value, float) or (type(value) is int and abs(value) < 1 << 63)


def _is_part(value: object) -> bool:
    """Return whether a value is a part of a blend."""
    if not isinstance(value, dict) or value.keys() != {"model", "weight", "loss"}:
        return False
    name = value["model"]
    known = isinstance(name, str) and len(name) < 1_000 and name.isprintable()
    return known and isinstance(value["weight"], float) and _is_figure(value["loss"])


def _are_texts(rows: object, keys: tuple[str, ...]) -> bool:
    """Return whether this is a list of dicts with a text for each of the keys."""
    return isinstance(rows, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(key), str) for key in keys) for row in rows
    )


def _confusion_file(split: str, weights: str) -> str:
    return f"evaluation/{split if weights == 'best' else f'{split}-{weights}'}/confusion.csv"
