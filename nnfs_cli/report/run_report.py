"""The report of a run: one page with everything that there is to see of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnfs_cli.report.blocks import Section
from nnfs_cli.report.page import page
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.sections.blend import blend
from nnfs_cli.report.sections.configuration import configuration
from nnfs_cli.report.sections.confusion import confusion
from nnfs_cli.report.sections.coverage import coverage
from nnfs_cli.report.sections.data import data
from nnfs_cli.report.sections.diagnoses import diagnoses
from nnfs_cli.report.sections.environment import environment
from nnfs_cli.report.sections.explanation import explanation
from nnfs_cli.report.sections.figures import figures
from nnfs_cli.report.sections.layers import layers
from nnfs_cli.report.sections.learning import learning
from nnfs_cli.report.sections.members import members
from nnfs_cli.report.sections.probabilities import probabilities
from nnfs_cli.report.sections.ranking import ranking
from nnfs_cli.report.sections.repeat import repeat
from nnfs_cli.report.sections.residuals import residuals
from nnfs_cli.report.sections.slices import slices
from nnfs_cli.report.sections.surface import surface
from nnfs_cli.report.sections.worst_rows import worst_rows
from nnfs_cli.report.summary import faults, summary

# In the order of the page.
SECTIONS: tuple[Callable[[RunFacts], Section | None], ...] = (
    learning, diagnoses, figures, explanation, blend, confusion, ranking, probabilities, residuals, coverage, members,
    surface, slices, worst_rows, layers, data, configuration, repeat, environment,
)  # fmt: skip


def run_report(facts: RunFacts) -> str:
    """Return the page of a run. What is missing or damaged is told in it, so every run has a report."""
    with np.errstate(all="ignore"):  # a training that diverged has left infinite numbers, which charts leave out
        top = summary(facts)
        sections = [section for make in SECTIONS if (section := made(make, facts)) is not None]
        scripts = dict.fromkeys(script for section in sections for script in section.scripts())
        return page(facts.name, "report.html", [*scripts], summary=[*top, *faults(facts)], sections=sections)


def made(make: Callable[[RunFacts], Section | None], facts: RunFacts) -> Section | None:
    """Return a section; None if the run is so damaged that it cannot be made, which the top of the page then says."""
    with facts.noted():
        return make(facts)
    return None
