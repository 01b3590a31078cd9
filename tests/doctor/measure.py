"""Precision and recall of the doctor on trainings that were drawn at random."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.doctor.case import see, warned
from tests.doctor.drawn import drawn


def main() -> None:
    """Examine all drawn trainings before and after, and print what was found, missed and wrongly said.

    Recall counts faulty trainings in which the fault was named, by a warning or a note. Precision counts warnings: each
    code once in each training.
    """
    named = Counter[str]()
    faulty = healthy = silent = 0
    right, wrong = Counter[str](), Counter[str]()
    for one in drawn():
        with tempfile.TemporaryDirectory() as folder:
            seen = see(one.case, Path(folder) / "case")
        before, after = ({found.code for found in some} & one.case.must for some in (seen.before, seen.after))
        said = warned(seen.before) | warned(seen.after)
        true = {code for code in said if one.is_true(code)}
        right.update(true)
        wrong.update(said - true)
        if one.healthy:
            healthy += 1
            silent += not said - true
        else:
            faulty += 1
            named.update(before=bool(before), after=bool(after), either=bool(before | after))
        marks = "" if one.healthy or before or after else "MISSED"
        texts = (" ".join(sorted(codes)) or "-" for codes in (true, said - true))
        print("{:24} {:7} right: {}  wrong: {}".format(one.case.name, marks, *texts))
        sys.stdout.flush()
    print()
    for code in sorted(right | wrong):
        print(f"{code:28} right {right[code]:3}   wrong {wrong[code]:3}")
    n_right, n_wrong = right.total(), wrong.total()
    found = ", ".join(f"{named[when]} {when}" for when in ("before", "after"))
    print(f"\nrecall     {named['either']} of {faulty} faulty trainings ({found})")
    print(f"precision  {n_right} of {n_right + n_wrong} warnings")
    print(f"healthy    {silent} of {healthy} without a wrong warning")
