"""Precision and recall of the doctor on trainings that were drawn at random."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.doctor.case import see, warned
from tests.doctor.drawn import Drawn, drawn


@dataclass
class Score:
    """What was found, missed and wrongly said.

    `named` counts faulty trainings in which the fault was named, by a warning or a note: `before`, `after` or `either`.
    `right` and `wrong` count warnings by code, each code once in each training. `silent` counts healthy trainings
    without a wrong warning.
    """

    faulty: int = 0
    healthy: int = 0
    silent: int = 0
    named: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    def add(self, one: Drawn) -> str:
        """Examine a training before and after, and return a line about it."""
        with tempfile.TemporaryDirectory() as folder:
            seen = see(one.case, Path(folder) / "case")
        before, after = ({found.code for found in some} & one.case.must for some in (seen.before, seen.after))
        said = warned(seen.before) | warned(seen.after)
        true = {code for code in said if one.is_true(code)}
        self.right.update(true)
        self.wrong.update(said - true)
        if one.healthy:
            self.healthy += 1
            self.silent += said == true
        else:
            self.faulty += 1
            self.named.update(before=bool(before), after=bool(after), either=bool(before | after))
        mark = "" if one.healthy or before or after else "MISSED"
        texts = (" ".join(sorted(codes)) or "-" for codes in (true, said - true))
        return "{:24} {:7} right: {}  wrong: {}".format(one.case.name, mark, *texts)

    def __str__(self) -> str:
        """Return the counts by code, and in all."""
        codes = sorted(self.right | self.wrong)
        lines = [f"{code:28} right {self.right[code]:3}   wrong {self.wrong[code]:3}" for code in codes]
        n_right, n_wrong = self.right.total(), self.wrong.total()
        found = ", ".join(f"{self.named[when]} {when}" for when in ("before", "after"))
        lines += ["", f"recall     {self.named['either']} of {self.faulty} faulty trainings ({found})"]
        lines += [f"precision  {n_right} of {n_right + n_wrong} warnings"]
        lines += [f"healthy    {self.silent} of {self.healthy} without a wrong warning"]
        return "\n".join(lines)


def measure(tell: Callable[[str], object] = print) -> Score:
    """Examine all drawn trainings, and tell a line about each."""
    score = Score()
    for one in drawn():
        tell(score.add(one))
    return score
