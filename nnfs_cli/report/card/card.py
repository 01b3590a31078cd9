"""The model card of a run, and the file that it is written to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnfs_cli.config.yaml import dump
from nnfs_cli.errors import UserError
from nnfs_cli.report.card.markdown import escaped, prose, without_folders
from nnfs_cli.report.card.metadata import metadata
from nnfs_cli.report.card.parts import FILL, PARTS
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.files import require_folder_of, write_atomically
from nnfs_cli.system.wording import counted, listing, named


def model_card(facts: RunFacts) -> str:
    """Return the model card of a run in Markdown, with metadata on top that Hugging Face's Hub reads.

    It holds no row of the data and no path of this machine. What is missing or damaged is told in it.
    """
    with np.errstate(all="ignore"):
        parts = [f"# Model card: {escaped(facts.name)}", *_about(facts)]
        for title, part in PARTS:
            with facts.noted():
                paragraphs = [text for text in part(facts) if text]
                parts += [f"## {title}", *paragraphs] if paragraphs else []
        head = dump(metadata(facts))
        missing = [prose(without_folders(f"Not known: {fault}")) for fault in facts.faults]
    return "\n\n".join([f"---\n{head}---", *parts, *(["## What is missing", *missing] if missing else [])]) + "\n"


def write_card(card: str, path: Path) -> Path:
    """Write a card to a new file, and return its path.

    Raises `UserError` if there is a file: it may hold what somebody has filled in.
    """
    if path.is_dir() or path == Path():
        raise UserError(f"{named(str(path))} is a folder; give the name of a file, such as card.md")
    require_folder_of(path)
    if path.exists():
        raise UserError(f"{named(str(path))} exists, and may hold what was filled in; choose another file")
    write_atomically(path, lambda file: file.write(card.encode()))
    return path


def _about(facts: RunFacts) -> list[str]:
    """Return what the model does, in a sentence or two, and how to go on with the card."""
    record = facts.data or {}
    targets = [named(str(one["name"])) for one in record.get("targets", ())]
    kinds = {one["kind"] for one in record.get("targets", ())}
    what = f" ({'a class' if kinds == {'class'} else 'a number'})" if len(targets) == 1 else ""
    if not targets:
        return []
    inputs = counted(len(record.get("inputs", ())), "column")
    purpose = f"This model predicts {listing(targets)}{what} from {inputs} of a table."
    note = f'Lines that begin with "{FILL}" ask for what no program knows. All else was written by `nnfs card`.'
    return [prose(f"{purpose} {note}")]
