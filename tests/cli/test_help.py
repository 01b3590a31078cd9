"""`--help`: plain text at any width, with examples that work and a topic of the guide; usage errors in one line."""

from __future__ import annotations

import functools
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nnfs_cli import guide
from nnfs_cli.cli import app
from nnfs_cli.cli.commands import GROUPS, NAMES, PANELS, function_of
from nnfs_cli.cli.help import MANUALS, QUICK_START
from tests.conftest import CONFIGS, Nnfs

PARTS = [f"{group} {name}" for group, names in GROUPS.items() for name in names]
COMMANDS = [*NAMES, *PARTS]


@functools.cache
def help_of(*command: str, columns: int = 80) -> str:
    """The help of a command, or of the program, on so many columns."""
    done = CliRunner().invoke(app, [*command, "--help"], prog_name="nnfs", env={"COLUMNS": str(columns)})
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_folds_between_words_and_never_within_them(command: str) -> None:
    pages = {columns: help_of(*command.split(), columns=columns) for columns in (50, 60, 80, 100)}
    for columns, page in pages.items():
        assert max(map(len, page.splitlines())) < columns
        assert page.replace(" \\\n", "\n").split() == pages[100].split()
    assert "\\" not in pages[80]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_plain_text_without_types_or_boxes(command: str) -> None:
    page = help_of(*command.split())
    assert not {*"│╭╰\x1b"} & {*page}
    for word in ("<bool>", "<path>", "<str>", "<int>", "{"):
        assert word not in page


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_examples_and_a_topic_of_the_guide(command: str) -> None:
    words = command.split()
    *_, first, last = help_of(*words).rstrip("\n").split("\n\n")
    manual = MANUALS[words[-1]]
    assert first.splitlines() == ["Examples:", *(f"  {example}" for example in manual.examples)]
    assert len(manual.examples) >= 2
    assert all(shlex.split(example)[: len(words) + 1] == ["nnfs", *words] for example in manual.examples)
    assert last == f"Guide: nnfs guide {manual.guide}"
    assert manual.guide in guide.topics()


@pytest.fixture
def _no_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server stop as soon as it listens, on a port that is free."""
    import uvicorn

    from nnfs_cli.serve.server import Address

    async def nobody_comes(server: uvicorn.Server) -> None:
        pass

    listen = Address.listen
    monkeypatch.setattr(Address, "listen", lambda address: listen(Address(address.host, 0)))
    monkeypatch.setattr(uvicorn.Server, "main_loop", nobody_comes)


@pytest.mark.usefixtures("_no_visitors")
def test_every_example_works_in_the_order_of_the_commands(inside: Nnfs, tmp_path: Path) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    for command in COMMANDS:
        function_of(*reversed(command.split()))
        for example in MANUALS[command.split()[-1]].examples:
            done = inside(*shlex.split(example.partition(" | ")[0])[1:])
            assert done.returncode == 0, f"{example}\n{done.stderr}"


def test_the_program_has_a_quick_start_and_groups_its_commands() -> None:
    page = help_of()
    headings = [line[:-1] for line in page.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Quick start", *PANELS, "Options"]
    assert len(QUICK_START) == 3
    start, *blocks = page.partition("Quick start:\n")[2].split("\n\n")
    assert [line.strip().split("  ")[0] for line in start.splitlines()] == [line for line, _ in QUICK_START]
    for block, (panel, commands) in zip(blocks, PANELS.items(), strict=False):
        heading, *lines = block.splitlines()
        assert heading == f"{panel}:"
        assert [line.split()[0] for line in lines if line[2] != " "] == [*commands]


def test_required_options_stand_in_the_usage() -> None:
    assert help_of("predict").startswith("Usage: nnfs predict [OPTIONS] --input FILE\n")
    assert help_of("train").startswith("Usage: nnfs train [OPTIONS] CONFIG\n")
    assert help_of("cv").startswith("Usage: nnfs cv [OPTIONS] CONFIG...\n")
    assert help_of("guide").startswith("Usage: nnfs guide [OPTIONS] [TOPIC]\n")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("trian x.yaml", "there is no command 'trian'; did you mean 'train'?", "nnfs --help"),
        ("wibble", "there is no command 'wibble'", "nnfs --help"),
        ("fit a.yaml", "there is no command 'fit'; did you mean 'train'?", "nnfs --help"),
        ("help train", "there is no command 'help'; did you mean '--help'?", "nnfs --help"),
        ("rm runs/a", "there is no command 'rm'; did you mean 'runs rm'?", "nnfs --help"),
        ("train", "missing argument 'CONFIG'", "nnfs train --help"),
        ("train a.yaml b.yaml", "got unexpected extra argument (b.yaml)", "nnfs train --help"),
        ("predict", "missing option '--input'", "nnfs predict --help"),
        ("train a.yaml --wibble", "there is no option '--wibble'", "nnfs train --help"),
        ("train a.yaml --quite", "there is no option '--quite'; did you mean '--quiet'?", "nnfs train --help"),
        (
            "train a.yaml --optimizer adam",
            "there is no option '--optimizer'; it is a key of the config: use --set optimizer=adam",
            "nnfs train --help",
        ),
        (
            "check a.yaml --log-every=5",
            "there is no option '--log-every'; it is a key of the config: use --set log_every=5",
            "nnfs check --help",
        ),
        (
            "train a.yaml --learning-rate 5",
            "there is no option '--learning-rate'; use --lr 5",
            "nnfs train --help",
        ),
        (
            "cv a.yaml --patience",
            "there is no option '--patience'; use --set early_stopping.patience=VALUE",
            "nnfs cv --help",
        ),
        (
            "train a.yaml --momentum=0.9",
            "there is no option '--momentum'; set it in the optimizer, such as optimizer: {sgd: {momentum: 0.9}}",
            "nnfs train --help",
        ),
        ("train a.yaml --runs x --runs y", "--runs is given twice; it takes one value", "nnfs train --help"),
        ("cv a.yaml --seed 1 --seed=2 --seed 3", "--seed is given 3 times; it takes one value", "nnfs cv --help"),
        ("runs --by f1 --by loss", "--by is given twice; it takes one value", "nnfs runs --help"),
        (
            "cv a.yaml --split.test",
            "there is no option '--split.test'; it is a key of the config: use --set split.test=VALUE",
            "nnfs cv --help",
        ),
        ("evaluate runs/a --lr 5", "there is no option '--lr'", "nnfs evaluate --help"),
        (
            "evaluate --run runs/a",
            "there is no option '--run'; leave it out: nnfs evaluate runs/a",
            "nnfs evaluate --help",
        ),
        ("cv a.yaml --folds 1", "--folds takes a whole number, at least 2, found 1", "nnfs cv --help"),
        ("cv a.yaml --folds two", "--folds takes a whole number, at least 2, found 'two'", "nnfs cv --help"),
        ("resume runs/a --epochs 1.5", "--epochs takes a whole number, at least 1, found 1.5", "nnfs resume --help"),
        ("verify runs/a --tolerance=-1", "--tolerance takes a number, at least 0, found -1", "nnfs verify --help"),
        ("guide --search", "option '--search' requires an argument", "nnfs guide --help"),
    ],
)
def test_an_error_of_usage_is_one_line_and_names_the_help(words: str, message: str, hint: str, inside: Nnfs) -> None:
    done = inside(*words.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\nTry `{hint}`.\n")
