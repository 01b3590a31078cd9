"""What the guide shows of the server: every command is given to a server, and every answer is the one that comes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from nnfs_cli.cli import app
from nnfs_cli.serve.formats import Format
from tests.conftest import CONFIGS, Nnfs
from tests.readme import GUIDE
from tests.serve.live import Live

PAGE = (GUIDE / "serving.md").read_text(encoding="utf-8")
SHELL = re.compile(r"```sh\n(.*?)```\n(?:```(?:json|csv)\n(.*?)```)?", re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def commands() -> list[tuple[str, str]]:
    """The commands of the page, each with the answer below it."""
    return [(text.replace("\\\n", " ").strip(), answer) for text, answer in SHELL.findall(PAGE)]


def served() -> Iterator[list[str]]:
    """The words of every `nnfs serve` on the page."""
    for block, _ in commands():
        yield from (shlex.split(line) for line in block.splitlines() if line.startswith("nnfs serve"))
    (unit,) = re.findall(r"^ExecStart=/opt/nnfs/bin/(.*)$", PAGE, re.MULTILINE)
    yield shlex.split(unit)
    (container,) = re.findall(r"^CMD \[(.*)\]$", PAGE, re.MULTILINE)
    yield [word.strip('" ') for word in container.split(",")]


def test_the_options_of_every_server_exist() -> None:
    found = [*served()]
    assert len(found) == 4
    for words in found:
        command = get_command(app).get_command(None, "serve")  # type: ignore[attr-defined]
        command.make_context("serve", words[2:], resilient_parsing=False)


def test_the_service_and_the_container_have_no_rights() -> None:
    assert "\nUSER 10001\n" in PAGE
    assert {"DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes"} <= {*PAGE.splitlines()}
    assert "--read-only --cap-drop ALL" in PAGE


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("systemd-analyze") is None, reason="it needs systemd")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    (unit,) = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "nnfs.service"
    path.write_text(unit.replace("/opt/nnfs/bin/nnfs", sys.executable), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "nnfs.service" in line] == []


def test_formats_options_and_names_are_those_of_the_server(inside: Nnfs) -> None:
    assert {form.value for form in Format} == {*re.findall(r"^\| `(\w+/[\w.]+)` \|", PAGE, re.MULTILINE)}
    text = inside("serve", "--help").stdout
    for option in re.findall(r"^\| `(--[\w-]+)", PAGE, re.MULTILINE):
        assert option in text


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guide asks with curl")
def test_the_answers_are_those_that_the_page_shows(inside: Nnfs, tmp_path: Path) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    (first, _), *others = commands()
    assert inside(*shlex.split(first.splitlines()[0])[1:]).returncode == 0
    words = shlex.split(first.splitlines()[1])[2:]
    with Live(*words, folder=tmp_path) as live:
        for command, answer in others:
            if not command.startswith("curl"):
                continue
            asked = command.replace(":8000/", f":{live.port}/").replace("curl ", "curl -s ")
            done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=60)
            shown, found = answer.rstrip("\n"), done.stdout.rstrip("\n")
            if shown.endswith("\n..."):
                shown, found = shown[:-4], "\n".join(found.splitlines()[: shown.count("\n")])
            assert NUMBER.sub("#", found) == NUMBER.sub("#", shown), f"{command}\n{done.stdout}"
            for ours, theirs in zip(NUMBER.findall(shown), NUMBER.findall(found), strict=True):
                assert abs(float(ours) - float(theirs)) <= 1e-4 + 0.02 * abs(float(theirs)), done.stdout
