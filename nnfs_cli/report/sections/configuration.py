"""The config: the file as it was given, and what every other setting became."""

from __future__ import annotations

from nnfs_cli.report.blocks import Block, Code, Folded, Rows, Section
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.settings import Setting, settings
from nnfs_cli.system.wording import counted

MOST = 1_000  # settings that are shown
FEW = 6  # settings that need not be folded
HEADER = ("key", "value", "from")
ORIGINS = {  # of settings that do not stand in the file: what is said of them, and whether they are folded
    "command line": ("Changed on the command line", False),
    "derived": ("Defaults that depend on other settings", False),
    "preset": ("Filled in by the preset", True),
}


def configuration(facts: RunFacts) -> Section | None:
    """Return the config file, the settings that something else than a default decided, and all settings."""
    blocks: list[Block] = []
    if facts.source:
        blocks.append(Code(facts.source.decode("utf-8", "replace").strip("\n"), "the config file"))
    if facts.config is None:
        return Section("config", "Config", blocks) if blocks else None
    found = settings(facts.config, facts.source, facts.command)
    for origin, (sentence, folded) in ORIGINS.items():
        if chosen := [setting for setting in found if setting.origin == origin]:
            table = _table(sentence, chosen)
            few = not folded or len(chosen) <= FEW
            blocks.append(table if few else Folded(f"{sentence}: {counted(len(chosen), 'setting')}", [table]))
    blocks.append(Folded(f"All {counted(len(found), 'setting')}, with defaults", [_table("All settings", found)]))
    return Section("config", "Config", blocks)


def _table(caption: str, rows: list[Setting]) -> Rows:
    """Return a table of settings."""
    if len(rows) > MOST:
        caption += f" (the first {MOST:,} of {len(rows):,})"
    return Rows(caption, HEADER, [tuple(row) for row in rows[:MOST]], labels=3)
