"""What a diagnosis is, and what an examination finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from nnfs_cli.doctor.before.range_test import RangeTest

Severity = Literal["warning", "note"]


@dataclass(frozen=True)
class Diagnosis:
    """Something that is wrong with a training: what was measured, why it matters, and what to change.

    `code` is a stable name for programs, and the heading of its section on the page "doctor" of the guide. A "warning"
    says that the training fails or loses much; a "note" says what may be intended. `edits` are the keys of the config
    that the remedy changes, as in `{"layers.0.linear.bias": True}`; None removes a key.

    >>> Diagnosis("lr_too_high", "warning", "the loss rises to 5.2", "no step goes down", "lr: 0.1", {"lr": 0.1}).guide
    'doctor#lr_too_high'
    """

    code: str
    severity: Severity
    measured: str  # a sentence with numbers, without a full stop
    why: str  # a sentence without a full stop
    remedy: str  # a line of YAML, or a sentence without a full stop
    edits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def guide(self) -> str:
        """The page of the guide and the section on it that explains the diagnosis."""
        return f"doctor#{self.code}"

    def plain(self) -> dict[str, Any]:
        """Return the diagnosis as a dict for JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "measured": self.measured,
            "why": self.why,
            "remedy": self.remedy,
            "edits": dict(self.edits),
            "guide": self.guide,
        }


@dataclass(frozen=True)
class Examination:
    """What the doctor found: diagnoses, warnings first, and sentences about what could not be examined.

    `range_test` is that of the learning rate, if one was made before training.
    """

    diagnoses: tuple[Diagnosis, ...]
    unexamined: tuple[str, ...] = ()
    range_test: RangeTest | None = None

    @classmethod
    def of(
        cls, diagnoses: Iterable[Diagnosis], unexamined: Iterable[str] = (), range_test: RangeTest | None = None
    ) -> Examination:
        """Return an examination with the warnings first, otherwise in the given order."""
        ordered = sorted(diagnoses, key=lambda one: one.severity != "warning")
        return cls(tuple(ordered), tuple(unexamined), range_test)

    @property
    def edits(self) -> dict[str, Any]:
        """The changes that all diagnoses together make to the config; of two for one key, the first one counts."""
        edits: dict[str, Any] = {}
        for diagnosis in self.diagnoses:
            edits = {**diagnosis.edits, **edits}
        return edits

    def plain(self) -> dict[str, Any]:
        """Return the examination as a dict for JSON."""
        return {
            "diagnoses": [one.plain() for one in self.diagnoses],
            "unexamined": list(self.unexamined),
            "range_test": self.range_test and self.range_test.plain(),
        }
