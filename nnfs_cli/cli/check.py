"""`nnfs check`: a config and its data together, before any training."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.options import Code, Json, Overrides, read
from nnfs_cli.cli.terminal import in_a_line, print_json, splits_in_words, table
from nnfs_cli.system.wording import counted, percent

if TYPE_CHECKING:
    from nnfs_cli.experiment.experiment import Experiment
    from nnfs_cli.inspection.cost_estimate import CostEstimate, LayerSummary
    from nnfs_cli.inspection.findings import Finding

LABEL = 12  # characters
ALIKE = 8  # findings of a kind that are shown
UNITED = r"(?<![\w'])[<0-9][0-9.,e+-]* (?=[%a-zA-Z])"
KEPT = "\ue000"  # a space that is no place to fold; of no text, since it is not printable
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def check(
    config: Annotated[Path, typer.Argument(help="The YAML file that says what to learn and how.")],
    set_: Overrides = None,
    json: Json = False,
    code: Code = None,
) -> None:
    """Look at CONFIG and its data together, and at the net, before any training.

    What is found are warnings, unless training could not work.
    """
    spec = read(config, set_, code)
    from nnfs_cli import workflows
    from nnfs_cli.experiment.read_data import load_data
    from nnfs_cli.inspection import cost_estimate, findings

    loaded = load_data(spec)
    experiment = workflows.prepare(spec, loaded)
    data = findings.InspectedRows.of(loaded)
    found = findings.find(spec, loaded, experiment, data)
    lines = cost_estimate.summarize_layers(experiment)
    estimate, memory = cost_estimate.estimate_cost(experiment)
    if json:
        print_json(
            {
                "data": {"name": experiment.description["name"], "rows": experiment.description["rows"]},
                "looked_at": data.sampled,
                "findings": [finding.plain() for finding in found],
                "layers": [asdict(line) for line in lines],
                "parameters": experiment.predictor.model.n_parameters,
                "memory": memory,
                "seconds": round(estimate.seconds, 3),
            }
        )
        return
    _say_data(experiment)
    print()
    _say_findings(found, data.sampled)
    _say_together(found, spec.dataset.dropped_columns())
    print()
    _say_net(experiment, lines)
    print()
    _say_cost(estimate, memory)


def _say_data(experiment: Experiment) -> None:
    """The rows, the inputs and the target."""
    data = experiment.description
    splits = splits_in_words(data["rows"])
    _fact("data", f"{data['name']}: {counted(sum(data['rows'].values()), 'row')}, {splits}")
    kinds = [column["kind"] for column in data["inputs"]]
    nouns = {"number": "of numbers", "category": "of words", "date": "of dates"}
    by_kind = [f"{counted(kinds.count(kind), 'column')} {noun}" for kind, noun in nouns.items() if kind in kinds]
    _fact("inputs", ", ".join(by_kind))
    for target in data["targets"]:
        _fact("target", f"{target['name']}, {_spread(target)}")


def _spread(target: dict[str, object]) -> str:
    counts = target.get("counts")
    if not isinstance(counts, dict):
        return f"numbers from {target['min']:,.6g} to {target['max']:,.6g}"
    totals = {label: sum(split[label] for split in counts.values()) for label in counts["train"]}
    whole = sum(totals.values())
    shares = [f"{label} {percent(n / whole)}" for label, n in totals.items()]
    more = [f"and {len(shares) - 10:,} more"] if len(shares) > 10 else []
    return f"{counted(len(totals), 'class')}: {', '.join([*shares[:10], *more])}"


def _say_findings(found: Sequence[Finding], seen: int | None) -> None:
    """Each with its column and a line of YAML."""
    looked = f" in the {seen:,} rows that were looked at" if seen else ""
    if not found:
        _fact("findings", f"none{looked}")
        return
    helped = any(finding.suggestion for finding in found)
    hint = "; a line of YAML that would help is indented below" if helped else ""
    _fact("findings", f"{len(found):,}{looked}{hint}")
    shown: Counter[str] = Counter()
    for finding in found:
        shown[finding.what] += 1
        if shown[finding.what] > ALIKE:
            continue
        _bullet(f"{finding.column}: {finding.message}" if finding.column else finding.message)
        if finding.suggestion:
            print(f"      {in_a_line(finding.suggestion)}")
    if more := sum(max(n - ALIKE, 0) for n in shown.values()):
        _bullet(f"and {more:,} more of these kinds; --json lists them all")


def _say_together(found: Sequence[Finding], dropped: Sequence[str]) -> None:
    """One line for all columns that should go, beside those that are gone."""
    from nnfs_cli.config.yaml import dump_value

    names = [finding.column for finding in found if (finding.suggestion or "").startswith("drop:")]
    if len(names) > 1 or (names and dropped):
        _fact("together", f"drop: {dump_value([*dropped, *dict.fromkeys(names)])}")


def _say_net(experiment: Experiment, lines: Sequence[LayerSummary]) -> None:
    """A line for each layer."""
    rows = [[line.layer, " x ".join(map(str, line.shape)), _count(line.parameters)] for line in lines]
    whole = f"all {experiment.config.members} members" if experiment.config.members > 1 else "all"
    rows.append([whole, "", f"{experiment.predictor.model.n_parameters:,}"])
    room = _width() - sum(max(len(row[i]) for row in rows) + 2 for i in (1, 2)) - 14
    rows = [[_short(row[0], max(room, 12)), *row[1:]] for row in rows]
    print("\n".join(line.rstrip() for line in table(["layer", "shape of a row", "parameters"], rows).splitlines()))


def _count(n: int) -> str:
    return f"{n:,}" if n else ""


def _say_cost(estimate: CostEstimate, memory: dict[str, int]) -> None:
    uses = ", ".join(f"{_bytes(n)} {_OF[use]}" for use, n in memory.items())
    beside = "beside the program and the table as it is read"
    _fact("memory", f"about {_bytes(sum(memory.values()))} {beside}: {uses}")
    steps = f"{counted(estimate.epochs, 'epoch')} of {counted(estimate.steps, 'step')}"
    how = f"{steps}, {_number(estimate.step_ms)} ms a step"
    _fact("time", f"about {_seconds(estimate.seconds)} for the steps alone, if nothing stops it: {how}")


_OF = {"data": "of data", "net": "for the net and its training", "batch": "for a batch"}


def _bytes(n: float) -> str:
    size, unit = next(((size, unit) for size, unit in UNITS if n >= size), (1e3, "kB"))
    return f"{_number(n / size)} {unit}"


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"


def _seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _width() -> int:
    """That of the terminal, or what fits everywhere."""
    return max(shutil.get_terminal_size().columns, 40) if sys.stdout.isatty() else 80


def _fact(label: str, text: str) -> None:
    print(_folded(f"{label:<{LABEL}}{in_a_line(text)}", " " * LABEL))


def _bullet(text: str) -> None:
    print(_folded(f"  - {in_a_line(text)}", "    "))


def _folded(line: str, indent: str) -> str:
    """A line folded between words, but not between a number and what it counts."""
    label, text = line[: len(indent)], line[len(indent) :]
    whole = re.sub(UNITED, lambda match: match.group().replace(" ", KEPT), text)
    filled = textwrap.fill(
        label + whole, _width(), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace(KEPT, " ")
