"""The sections of a model card, with the headings of Mitchell et al., "Model Cards for Model Reporting" (2019).

Each is a function of the facts of a run that yields paragraphs of Markdown. What only a person can know is left to be
filled in, and marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.inputs import CategoryInput
from nnfs_cli.display.text import ROWS_OF, split_sizes
from nnfs_cli.metrics import Metric
from nnfs_cli.report.blocks import Block, Code, Folded, Section, Text
from nnfs_cli.report.card.columns import inputs_of, target_of
from nnfs_cli.report.card.markdown import facts as listed
from nnfs_cli.report.card.markdown import paragraphs, prose, quoted
from nnfs_cli.report.card.metadata import source_name
from nnfs_cli.report.explained import CURVES
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.sections.confusion import confusion
from nnfs_cli.report.sections.coverage import coverage
from nnfs_cli.report.sections.explanation import explanation
from nnfs_cli.report.sections.figures import figures
from nnfs_cli.report.sections.probabilities import probabilities
from nnfs_cli.report.sections.repeat import repeat
from nnfs_cli.report.sections.slices import slices
from nnfs_cli.report.summary import summary_facts
from nnfs_cli.system.wording import capitalized, counted, listing, named

FILL = "To fill in"
FEW = 1_000  # training rows, below which another draw of them would give a noticeably different model
KEY = 20  # versions of packages


def details(facts: RunFacts) -> Iterator[str]:
    """Yield what the model is, how it was trained and when."""
    when = [str(moment)[:10] for key in ("begun", "since") if (moment := facts.status.get(key))]
    version = facts.environment.get("packages", {}).get("nnfs-cli")
    made = [("made with", f"nnfs-cli {version}, a library that trains nets for tables")] if version else []
    yield listed([*made, *([("trained", " to ".join(dict.fromkeys(when)))] if when else []), *summary_facts(facts)])
    yield quoted(FILL, "who made it, whom to ask about it, and its licence.")


def intended_use(facts: RunFacts) -> Iterator[str]:
    """Yield the questions about its use, and how it is used."""
    yield quoted(FILL, "what it is for, who uses it, and which decision depends on it.")
    yield quoted(FILL, "what it must not be used for.")
    yield prose("A table with the input columns, in any order, is enough to predict:")
    yield from paragraphs(
        [Code(f"nnfs predict --run {facts.run.path.absolute().parent.name}/{facts.name} --input FILE", "")]
    )


def factors(facts: RunFacts) -> Iterator[str]:
    """Yield the groups of rows for which it is worse."""
    if (section := slices(facts)) is not None:
        yield from paragraphs(section.blocks)
    yield quoted(FILL, "groups of people or things for which it may be worse, and whether they were in the data.")


def metrics(facts: RunFacts) -> Iterator[str]:
    """Yield what each figure measures, and what decides."""
    config = facts.config
    if config is None:
        return
    chosen: Sequence[Metric] = config.metrics or ()
    yield listed(
        [
            (config.loss.name, f"{config.loss.headline()} It was minimized."),
            *((one.name, one.headline()) for one in chosen),
        ]
    )
    yield prose("Intervals are 95 % confidence intervals: they allow for the choice of the rows that were held out.")


def evaluation_data(facts: RunFacts) -> Iterator[str]:
    """Yield which rows were held out, and how."""
    config, found = facts.config, facts.predictions
    figures = {split: each.get("rows") for split, each in facts.figures.items() if split != "train"}
    sizes = {split: int(rows) for split, rows in figures.items() if rows}
    if config is None or not (sizes or (found and found.held_out)):
        yield prose("No rows were held out, so nothing is known about new rows.")
        return
    for split, n in sizes.items():
        yield prose(f"{ROWS_OF[split].capitalize()}: {n:,}. {_how(split, config)}")
    yield prose(
        f"The setting is `split: {dump_value(config.split.model_dump(mode='json', exclude_defaults=True) or 'none')}`."
    )


def _how(split: str, config: Config) -> str:
    """Return a sentence on how the rows of a split were held out."""
    if split == "validation" and config.holdout is not None:
        return "They are the training rows, each predicted by models that were trained without it (out of fold)."
    if split in config.split.files:
        return "They are a file of their own."
    ways = {
        "column": "A column of the table names them: {}.",
        "group": "Whole groups were held out, by the column {}.",
        "time": "They are later than the training rows, by the column {}.",
        "hash": "The ids in the column {} decide which they are.",
    }
    found = [ways[way].format(named(column)) for way, column in config.split.column_by_key.items()]
    used = "" if split == "test" else " The best epoch was chosen by them."
    return f"{found[0] if found else 'They were drawn at random.'}{used}"


def training_data(facts: RunFacts) -> Iterator[str]:
    """Yield what it was trained on: the source, its digest, the targets and the input columns."""
    record = facts.data
    if record is None:
        return
    digests = dict.fromkeys(str(digest) for digest in record.get("sha256", {}).values())
    rows = [("source", source_name(facts)), ("rows", split_sizes(record.get("rows", {})))]
    yield listed([*rows, *(("SHA-256", digest) for digest in digests)])
    yield quoted(FILL, "where the data comes from, how and when it was collected, and whether it may be used for this.")
    for sentence in target_of(record):
        yield prose(sentence)
    yield from paragraphs([inputs_of(record)])


def analyses(facts: RunFacts) -> Iterator[str]:
    """Yield the figures with their intervals, beside simple models; those of classes, calibration and importance."""
    sections = [figures(facts), confusion(facts), probabilities(facts), coverage(facts), explanation(facts)]
    for section in filter(None, sections):
        yield f"### {section.title}"
        yield from paragraphs([block for block in section.blocks if _tells(section, block)])
    if facts.explanation is None:
        yield prose("Which columns matter is not known yet: run `nnfs explain`, and then write a new card.")


def _tells(section: Section, block: Block) -> bool:
    """Return whether a block of a section tells something without the charts of the section."""
    match section.id:
        case "probabilities":
            return isinstance(block, Text)
        case "explanation":
            return isinstance(block, Folded) or (isinstance(block, Text) and block.text != CURVES)
    return True


def ethics(facts: RunFacts) -> Iterator[str]:
    """Yield the questions that only people can answer."""
    yield quoted(FILL, "who may be harmed by a wrong prediction, and how they can object.")


def caveats(facts: RunFacts) -> Iterator[str]:
    """Yield what the model cannot do, as far as the run knows."""
    yield "\n".join("- " + prose(one).replace("\n", "\n  ") for one in _caveats(facts))
    yield quoted(FILL, "what else is known to go wrong, and what to do then.")


def _caveats(facts: RunFacts) -> Iterator[str]:
    for verdict in facts.verdicts:
        yield f"{capitalized(str(verdict))}."
    record, config = facts.data, facts.config
    n = int((record or {}).get("rows", {}).get("train", 0))
    if 0 < n < FEW:
        yield f"It has learned from {counted(n, 'row')} only; a model of other such rows would be noticeably different."
    yield (
        "It predicts any row, also one unlike all training rows, and the prediction does not show this. `nnfs predict` "
        "warns of numbers far outside the ranges above and of new categories."
    )
    if (found := facts.predictions) is not None:
        strict = [
            one.column for one in found.predictor.encoder.inputs if isinstance(one, CategoryInput) and _refuses(one)
        ]
        if strict:
            more = [f"{len(strict) - 5} more"] if len(strict) > 5 else []
            yield f"A row with a new category in {listing([*map(named, strict[:5]), *more])} is refused."
    yield "The world changes: `nnfs predict --drift` tells how far new rows have moved from the training rows."
    if config is not None and config.split.time is None:
        yield "The rows were not held out by time, so the figures do not show how the model ages."
    yield "What it has learned are associations: they do not say what would happen if somebody changed a column."


def _refuses(block: CategoryInput) -> bool:
    """Return whether a column of categories has no place for a new one."""
    from nnfs_cli.data.texts import Texts

    return bool(block.step.unknown(Texts.of(["\0 a category of no row"]), block.fit).any())


def repeated(facts: RunFacts) -> Iterator[str]:
    """Yield the commands that train it again, and the versions."""
    if (section := repeat(facts)) is not None:
        yield from paragraphs(section.blocks)
    packages = facts.environment.get("packages", {})
    versions = [f"Python {facts.environment['python']}"] if facts.environment.get("python") else []
    versions += [f"{name} {version}" for name, version in [*packages.items()][:KEY]]
    if versions:
        yield prose(f"It was trained with {listing(versions)}.")


PARTS: tuple[tuple[str, Callable[[RunFacts], Iterator[str]]], ...] = (
    ("Model details", details),
    ("Intended use", intended_use),
    ("Factors", factors),
    ("Metrics", metrics),
    ("Evaluation data", evaluation_data),
    ("Training data", training_data),
    ("Quantitative analyses", analyses),
    ("Ethical considerations", ethics),
    ("Caveats and recommendations", caveats),
    ("How to repeat it", repeated),
)
