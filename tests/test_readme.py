"""The README says what the tool does: its commands run, and what it shows is what comes out."""

from __future__ import annotations

import re

from tests.readme import README, ROOT, rendered

NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def test_readme_is_what_the_tool_does_today() -> None:
    """Word for word; figures may differ by what another processor rounds."""
    written, true = README.read_text(encoding="utf-8"), rendered()
    assert NUMBER.sub("#", written) == NUMBER.sub("#", true), "run  python -m tests.readme"
    for ours, theirs in zip(NUMBER.findall(written), NUMBER.findall(true), strict=True):
        assert abs(float(ours) - float(theirs)) <= 1e-4 + 0.02 * abs(float(theirs))


def test_ci_runs_the_two_set_up_lines() -> None:
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("python3 -m venv ")]
    assert len(lines) == 2
    assert lines[0].endswith("nnfs train configs/breast_cancer.yaml")
    assert lines[1].endswith("pytest")
    assert "grep -E '^python3 -m venv ' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_link_and_picture_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_promise_rests_on_tests_that_are_there() -> None:
    table = README.read_text(encoding="utf-8").partition("| promise | shown by |\n|---|---|\n")[2].partition("\n\n")[0]
    promises = [re.findall(r"`(tests/[^`]+)`", line) for line in table.splitlines()]
    assert len(promises) > 10
    for named in promises:
        assert named
        for name in named:
            assert re.search(r"^def test_", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE), name
