"""The commands that repeat a run and go on from it."""

from __future__ import annotations

from nnfs_cli.report.blocks import Code, Section, Text
from nnfs_cli.report.run_facts import RunFacts


def repeat(facts: RunFacts) -> Section | None:
    """Return the commands. Paths are relative to the folder that holds the folder of runs."""
    place = f"{facts.run.path.absolute().parent.name}/{facts.name}"
    lines = []
    if facts.command.startswith("nnfs "):
        lines += ["# train it again, as it was trained", facts.command]
    lines += ["# train it again, with every setting spelled out", f"nnfs train {place}/{facts.run.spec_file.name}"]
    if facts.state == "finished":
        lines += ["# train it again and compare the results, byte by byte", f"nnfs verify {place}"]
        lines += ["# its figures, and its predictions for other rows", f"nnfs evaluate {place}"]
        lines += [f"nnfs predict --run {place} --input FILE"]
    elif facts.state in ("interrupted", "running"):
        lines += ["# go on with the training", f"nnfs resume {place}"]
    note = "With the same data, versions and machine, the same seed gives the same bytes."
    return Section("repeat", "Repeat it", [Code("\n".join(lines), "commands"), Text(note, soft=True)])
