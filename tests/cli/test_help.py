"""`--help`: plain text at any width, with examples that work and a topic of the guide; usage errors in one line."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nnfs_cli import guide
from nnfs_cli.cli import PANELS, app
from nnfs_cli.cli.help import MANUALS, QUICK_START
from tests.conftest import CONFIGS, Nnfs

COMMANDS = [command.__name__ for commands in PANELS.values() for command in commands]
Help = Callable[..., str]


@pytest.fixture
def help_of(monkeypatch: pytest.MonkeyPatch) -> Help:
    """The help of a command, or of the program, on so many columns."""

    def run(*command: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        done = CliRunner().invoke(app, [*command, "--help"], prog_name="nnfs")
        assert done.exit_code == 0
        return done.stdout

    return run


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_folds_between_words_and_never_within_them(command: str, help_of: Help) -> None:
    pages = {columns: help_of(*command.split(), columns=columns) for columns in (60, 80, 100)}
    examples = {line for columns, page in pages.items() for line in page.splitlines() if line.startswith("  nnfs ")}
    for columns, page in pages.items():
        assert max(len(line) for line in page.splitlines() if line not in examples) < columns
        assert page.split() == pages[100].split()
    assert max(map(len, examples)) < 80


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_plain_text_without_types_or_boxes(command: str, help_of: Help) -> None:
    page = help_of(*command.split())
    assert not {*"│╭╰\x1b"} & {*page}
    for word in ("<bool>", "<path>", "<str>", "<int>", "{"):
        assert word not in page


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_examples_and_a_topic_of_the_guide(command: str, help_of: Help) -> None:
    manual = MANUALS[command]
    *_, first, last = help_of(command).rstrip("\n").split("\n\n")
    assert first.splitlines() == ["Examples:", *(f"  {example}" for example in manual.examples)]
    assert len(manual.examples) >= 2
    assert all(shlex.split(example)[:2] == ["nnfs", command] for example in manual.examples)
    assert last == f"Guide: nnfs guide {manual.guide}"
    assert manual.guide in guide.topics()


def test_every_example_works_in_the_order_of_the_commands(inside: Nnfs, tmp_path: Path) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    for commands in PANELS.values():
        for example in (example for command in commands for example in MANUALS[command.__name__].examples):
            done = inside(*shlex.split(example.partition(" | ")[0])[1:])
            assert done.returncode == 0, f"{example}\n{done.stderr}"


def test_the_program_has_a_quick_start_and_groups_its_commands(help_of: Help) -> None:
    page = help_of()
    headings = [line[:-1] for line in page.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Quick start", *PANELS, "Options"]
    assert len(QUICK_START) == 3
    start, *blocks = page.partition("Quick start:\n")[2].split("\n\n")
    assert [line.strip().split("  ")[0] for line in start.splitlines()] == [line for line, _ in QUICK_START]
    for block, (panel, commands) in zip(blocks, PANELS.items(), strict=False):
        heading, *lines = block.splitlines()
        assert heading == f"{panel}:"
        assert [line.split()[0] for line in lines if line[2] != " "] == [command.__name__ for command in commands]


def test_required_options_stand_in_the_usage(help_of: Help) -> None:
    assert help_of("predict").startswith("Usage: nnfs predict [OPTIONS] --input FILE\n")
    assert help_of("train").startswith("Usage: nnfs train [OPTIONS] CONFIG\n")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("trian x.yaml", "there is no command 'trian'; did you mean 'train'?", "nnfs --help"),
        ("wibble", "there is no command 'wibble'", "nnfs --help"),
        ("train", "missing argument 'CONFIG'", "nnfs train --help"),
        ("predict", "missing option '--input'", "nnfs predict --help"),
        ("train a.yaml --wibble", "no such option: --wibble", "nnfs train --help"),
    ],
)
def test_an_error_of_usage_is_one_line_and_names_the_help(words: str, message: str, hint: str, inside: Nnfs) -> None:
    done = inside(*words.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\nTry `{hint}`.\n")
