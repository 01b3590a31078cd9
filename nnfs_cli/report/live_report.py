"""The report of a run that is being trained: what can be shown without another pass through the net, and a script.

No row is predicted for it. That would take time from the training, and change how many threads its products have.
"""

from __future__ import annotations

from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.report.blocks import Notice
from nnfs_cli.report.page import page
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import made
from nnfs_cli.report.sections.configuration import configuration
from nnfs_cli.report.sections.data import data
from nnfs_cli.report.sections.environment import environment
from nnfs_cli.report.sections.layers import layers
from nnfs_cli.report.sections.learning import learning
from nnfs_cli.report.summary import summary
from nnfs_cli.runs.directory import RunDirectory

SECTIONS = (learning, layers, data, configuration, environment)


def live_report(run: RunDirectory, experiment: Experiment) -> str:
    """Return the page of a run so far. Its script fetches the page again from time to time and shows what is new."""
    facts = RunFacts(run, experiment)
    running = Notice("plain", "running", "The training is running, and this page follows it.")
    top = [running, *(block for block in summary(facts) if not isinstance(block, Notice))]
    sections = [section for make in SECTIONS if (section := made(make, facts)) is not None]
    scripts = dict.fromkeys(["watch.js", *(script for section in sections for script in section.scripts())])
    return page(facts.name, "report.html", [*scripts], connects=True, summary=top, sections=sections)
