"""Print what the doctor finds of the planted faults and of the healthy trainings: `python -m tests.doctor [words]`.

Only cases whose name holds one of the words are tried. `--drawn` tries the drawn ones instead, and prints precision
and recall. NNFS_TABLES names a folder of real tables, see `healthy`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.doctor.case import Case, Seen, see
from tests.doctor.healthy import healthy
from tests.doctor.measure import measure
from tests.doctor.planted import PLANTED


def main(words: list[str]) -> None:
    """Try the cases and print a line for each, with what is missed and what is wrong."""
    cases = [case for case in (*PLANTED, *healthy()) if not words or any(word in case.name for word in words)]
    missed = wrong = 0
    for case in cases:
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            seen = see(case, Path(folder) / "case")
        lacks, others = missing(case, seen), seen.codes - case.must - {*case.may}
        missed, wrong = missed + bool(lacks), wrong + len(others)
        marks = f"{'MISSED ' + lacks if lacks else ''} {'WRONG ' + ' '.join(sorted(others)) if others else ''}"
        print(f"{case.name:34} {time.perf_counter() - begun:5.1f} s  {marks}")
        for when, found in (("before", seen.before), ("after", seen.after)):
            for one in found:
                print(f"    {when:7}{one.severity:8}{one.code}: {one.measured}")
        sys.stdout.flush()
    print(f"{len(cases)} cases, {missed} missed, {wrong} wrong")


def missing(case: Case, seen: Seen) -> str:
    """Return when the fault of a case should have been found and was not."""
    before, after = ({one.code for one in found} for found in (seen.before, seen.after))
    wanted: Iterable[tuple[str, bool, set[str]]] = (("before", case.before, before), ("after", case.after, after))
    return " ".join(when for when, must, found in wanted if must and not found & case.must)


if __name__ == "__main__":
    print(measure()) if "--drawn" in sys.argv else main(sys.argv[1:])
