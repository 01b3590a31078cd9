"""The findings of `nnfs doctor` about a training, without those that need the data."""

from __future__ import annotations

from nnfs_cli.doctor.examine_run import examine_run
from nnfs_cli.report.blocks import Block, Facts, Heading, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import capitalized

NOTHING = "epoch log and the probes of this training show nothing wrong."
MORE = "`nnfs doctor` looks at the rows as well, and `nnfs guide doctor` explains each diagnosis."


def diagnoses(facts: RunFacts) -> Section:
    """Return what was measured, why it matters and what to change; verdicts stand at the top of the page already."""
    examination = examine_run(facts.run, data=False, config=facts.config)
    told = {verdict.code for verdict in facts.verdicts}
    blocks: list[Block] = []
    for one in examination.diagnoses:
        if one.code not in told:
            rows = [("measured", one.measured), ("why", one.why), ("remedy", one.remedy)]
            blocks += [Heading(one.code.replace("_", " ")), Facts(rows)]
    if not blocks:
        begin = "Besides what is said at the top of the page, the" if facts.verdicts else "The"
        blocks.append(Text(f"{begin} {NOTHING}"))
    blocks += [Text(f"{capitalized(sentence)}.", soft=True) for sentence in examination.unexamined]
    blocks.append(Text(MORE, soft=True))
    return Section("diagnoses", "Diagnoses", blocks)
