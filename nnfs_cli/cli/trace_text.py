"""Print a trace in the terminal: each step with its formula, its arrays and its numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from nnfs_cli.cli.terminal import print_fact, styled, suggest, width_of
from nnfs_cli.display.matrix import matrix
from nnfs_cli.display.text import fold, table
from nnfs_cli.nn.entry_formulas import four_digits
from nnfs_cli.system.wording import counted, in_a_line

if TYPE_CHECKING:
    from nnfs_cli.trace.values import GradientCheck, Step, Trace, TracedArray

HEADINGS = {
    "data": "Data",
    "forward": "Forward",
    "loss": "Loss",
    "backward": "Backward",
    "update": "Update",
}
SHOWN_BEFORE = {  # arrays that an earlier step shows, perhaps under another name
    "forward": ("x",),
    "loss": ("x", "y_hat"),
    "backward": ("dy",),
    "update": ("w", "dL/dw"),
}
GLUE = "\ue000"  # stands for a space where a line must not break; no text contains it, since it is not printable
LONG = 12  # steps of layers; a longer net is summed up
TITLE = 11  # characters of the name of a layer in the summary


def print_trace(trace: Trace, in_full: bool, quiet: bool = False) -> None:
    """Print a trace. Unless `in_full`, the layers of a long net are summed up."""
    _print_facts(trace)
    long = not in_full and sum(step.phase == "forward" for step in trace.steps) > LONG
    for phase, several in groupby(trace.steps, lambda step: step.phase):
        print("\n" + styled("heading", HEADINGS[phase], sys.stdout))
        steps_of_phase = list(several)
        whole = [step for step in steps_of_phase if not long or phase == "data" or step.path.startswith("loss")]
        for i, step in enumerate(whole):
            if i:
                print()
            _print_step(step, trace)
        if summed_up := steps_of_phase[len(whole) :]:
            if whole:
                print()
            _print_summary(summed_up)
    if long:
        suggest("--layer layers.0 shows one layer with its numbers", quiet)


def _print_facts(trace: Trace) -> None:
    member = "" if trace.member is None else f", member {trace.member}"
    print_fact("trace", f"{trace.name}: one step on {counted(len(trace.rows), 'row')} with {trace.weights}{member}")
    print_fact("net", f"{trace.net}, {trace.dtype}")
    rows = [f"{row} ({target})" for row, target in zip(trace.rows, trace.targets, strict=True)]
    print_fact("rows", f"training rows, counted from 0: {', '.join(rows)}")
    print_fact("loss", four_digits(trace.loss) + ("" if trace.lr is None else f", at lr {four_digits(trace.lr)}"))
    if trace.agreement:
        print_fact("gradients", trace.agreement)


def _width() -> int:
    return width_of(sys.stdout) or 80


def _print_step(step: Step, trace: Trace) -> None:
    """Print a step: its title, its formula, its arrays, the formula with numbers, the checks."""
    indent = "  " * step.depth
    if step.phase == "data":
        for array in step.arrays:
            _print_array(array, trace, "  ", columns=trace.inputs if array.name == "x" else None)
        return
    title = step.title if step.title != step.path else ""
    print(indent + styled("label", step.path, sys.stdout) + (f"  {in_a_line(title)}" if title else ""))
    inside = f"{indent}  "
    if step.formula and (step.phase != "update" or step.path == "optimizer"):
        _print_folded(step.formula, inside)
    for array in step.arrays:
        if array.name not in SHOWN_BEFORE.get(step.phase, ()):
            _print_array(array, trace, inside)
    shown: set[str] = set()
    for applied in step.applied:
        if applied.name not in shown:
            _print_folded(str(applied), inside)
        shown.add(applied.name)
    _print_checks(step, inside)
    for note in step.notes:
        _print_folded(note, inside, "dim")


def _print_array(array: TracedArray, trace: Trace, indent: str, columns: Sequence[str] | None = None) -> None:
    """Print the name, the shape and the range of an array, and its numbers, as far as they fit."""
    low, high = map(four_digits, array.range)
    shape = " x ".join(map(str, array.shape)) or "a number"
    head = f"{indent}{array.name:<8}  "
    print(styled("heading", head, sys.stdout) + f"{array.what}, {shape}, from {low} to {high}")
    values, rows = array.values, None
    if values.ndim > 2:
        print(f"{indent}  {styled('dim', f'of row 0 of {len(values)}', sys.stdout)}")
        values = values[0].reshape(-1, values.shape[-1])
    if values.ndim < 2:
        values, rows = values.reshape(1, -1), [""]
    short = None if columns is None else [in_a_line(name)[:12] for name in columns]
    for i, line in enumerate(matrix(values, _width() - len(indent) - 2, four_digits, rows, short)):
        cells = [
            styled("dim", line[0], sys.stdout),
            *(_signed(cell) if i else styled("dim", cell, sys.stdout) for cell in line[1:]),
        ]
        print(f"{indent}  " + "  ".join(cells).rstrip())


def _signed(cell: str) -> str:
    return styled("negative", cell, sys.stdout) if cell.lstrip().startswith("-") else cell


def _print_folded(text: str, indent: str, style: str = "") -> None:
    glued = in_a_line(text).replace(" · ", f"{GLUE}·{GLUE}")
    for line in fold(indent + glued, _width(), indent + "    "):
        line = line.replace(GLUE, " ")
        print(styled(style, line, sys.stdout) if style else line)


def _print_checks(step: Step, indent: str) -> None:
    """Print the gradients beside their numerical checks: one entry of each array, a wrong one if there is one."""
    checks: dict[str, GradientCheck] = {}
    for check in step.checks:
        if check.name not in checks or (check.wrong and not checks[check.name].wrong):
            checks[check.name] = check
    if not checks:
        return
    width = max(len(check.entry) for check in checks.values())
    for check in checks.values():
        remark = ", at a kink" if check.kink else ": wrong" if check.wrong else ""
        text = f"{check.entry:<{width}}  {check.gradient:>13.6g}  by differences {check.numerical:.6g}{remark}"
        text = styled("error", text, sys.stdout) if check.wrong else text
        print(indent + styled("dim", "check  ", sys.stdout) + text)


def _print_summary(steps: Sequence[Step]) -> None:
    """Print a line for each step of a long net: its result, and the largest error of the gradients."""
    rows = []
    for step in filter(lambda step: step.arrays, steps):
        array = step.arrays[-1]
        errors = [check.error for check in step.checks if not check.kink]
        title = in_a_line(step.title)[:TITLE] if step.title != step.path else ""
        shape = " x ".join(map(str, array.shape))
        wrong = " wrong" if any(check.wrong for check in step.checks) else ""
        numbers = [*map(four_digits, array.range), f"{max(errors):.0e}{wrong}" if errors else ""]
        rows.append([step.path, title, array.name, shape, *numbers])
    header = ["", "", "", "shape", "from", "to", "error" if any(row[-1] for row in rows) else ""]
    heading, *lines = (line.rstrip() for line in table(header, rows, range(4)).splitlines())
    print("\n".join([styled("dim", heading, sys.stdout), *lines]))
