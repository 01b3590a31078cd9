"""Render the README and the guide: run their commands, and fill in outputs, code and generated tables.

`python -m tests.readme [PAGE ...]` rewrites the pages (all of them unless named, as in `speed README`). The tests fail
when that would change anything but the last digits of a figure. Each page is rendered in a workspace of its own: an
empty folder with a copy of `configs/`, which is what a reader has who starts on that page. In a page,

- every command of a ```console block is run, and its output replaces the lines below it; where these
  end with `...`, only as many lines are shown; a quiet training that another page has shown is copied from there;
- a block that begins with a comment such as `# houses.yaml` or `/* main.c */` is written to that file;
- every other ```python block is run;
- the ```pycon blocks are one interactive session, whose outputs are filled in, as those of commands;
- `<!-- before: COMMAND -->` runs a command whose output is not shown;
- `<!-- config PATH -->` and `<!-- code PATH FUNCTION -->` above a block fill it with a config or a method;
- a table between `<!-- NAME -->` and `<!-- /NAME -->` is made by the command or the function in `TABLES`.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nnfs_cli.inspection.suggestion import KINDS
from nnfs_cli.runs.directory import RunDirectory
from tests.benchmarks import accuracy, accuracy_report, report
from tests.benchmarks.report import PARTS
from tests.command import run_here
from tests.disk import Tree, plant, tree_of

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GUIDE = ROOT / "nnfs_cli" / "guide"
PAGES = (README, *sorted(GUIDE.glob("*.md")))
BLOCKS = ("split", "preprocessing", "penalty", "clip", "early_stopping", "checkpoint")
FIXES = [(f"`{kind}`", what) for kind, what in KINDS.items()]


def accuracy_table(name: str, *options: str) -> str:
    """Return what `python -m tests.benchmarks.accuracy --show` prints of the figures in a file."""
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen):
        accuracy.main(["--show", str(ROOT / ".readme" / name), *options])
    return screen.getvalue()


TABLES: dict[str, str | Callable[[], str]] = {
    "keys": "nnfs components config --markdown",
    "components": "nnfs components --markdown",
    **{block: f"nnfs components {block} --markdown" for block in BLOCKS},
    "fixes": lambda: "".join(f"| {kind} | {what} |\n" for kind, what in [("kind", "change"), ("---", "---"), *FIXES]),
    "accuracy": functools.partial(accuracy_table, "accuracy.json"),
    "accuracy summary": functools.partial(accuracy_table, "accuracy.json", "--summary"),
    "accuracy RealMLP": functools.partial(accuracy_table, "accuracy-realmlp.json", "--summary"),
    "accuracy TabM": functools.partial(accuracy_table, "accuracy-tabm.json", "--summary"),
    "tried": functools.partial(accuracy_report.tried, ROOT / ".readme" / "tried.json"),
    **{f"speed {part}": functools.partial(report.markdown, part) for part in PARTS},
    "speed summary": report.summary,
}
BLOCK = re.compile(
    r"<!-- before: (?P<before>[^\n]+) -->|"
    r"(?:<!-- (?P<filled>(?:config|code) [^\n]+?) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)```",
    re.DOTALL,
)
# A command that needs no shell, and leaves nothing in the process that runs it, as code of a user would.
SIMPLE = re.compile(r"nnfs (?!.*--code)[^|<>&;$*?`]+")
QUIET_TRAINING = re.compile(r"nnfs train (?!.*--json).*--quiet.*")
VARIABLES = {"COLUMNS": "80", "NUMBA_DISABLE_JIT": "1"}  # figures are those of NumPy, with Numba and without
COMMAND = re.compile(r"^\$ (.+)\n((?:[^$].*\n|\n)*)", re.MULTILINE)


# What a training has printed, and its run, by the command and what it found.
TRAINED: dict[tuple[object, ...], tuple[str, Tree]] = {}


@dataclass
class Workspace:
    """A folder in which the commands of one page run."""

    folder: Path
    python: subprocess.Popen[str] | None = None  # the interactive session, once there is one

    def run(self, command: str, fails: bool = False) -> str:
        """Run a command and return what it prints to stdout and stderr.

        Raises `AssertionError` unless it ends with exit code 0, or with 2 or 3 where it `fails`.
        """
        quiet_training = QUIET_TRAINING.fullmatch(command) and SIMPLE.fullmatch(command)
        return self._train(command) if quiet_training else self._run(command, fails)

    def _run(self, command: str, fails: bool = False) -> str:
        output, code = self._here(command) if SIMPLE.fullmatch(command) else self._elsewhere(["bash", "-c", command])
        if code not in ((2, 3) if fails else (0,)):
            raise AssertionError(f"{command}\nended with {code}:\n{output}")
        return output

    def _train(self, command: str) -> str:
        """Train quietly, or copy the run of a page that did so with the same files beside `configs`."""
        files = tuple((path.name, path.read_bytes()) for path in sorted(self.folder.iterdir()) if path.is_file())
        earlier = {*self.folder.glob(f"runs/{Path(shlex.split(command)[2]).stem}-*")}
        key = command, files, len(earlier)
        if key not in TRAINED:
            output = self._run(command)
            TRAINED[key] = output, tree_of(self.folder / output.splitlines()[-1])
            return output
        output, files_of_run = TRAINED[key]
        path = self.folder / output.splitlines()[-1]
        path.parent.mkdir(exist_ok=True)
        plant(files_of_run, path)
        run = RunDirectory.open(path)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        run.status_file._write({**run.status(), "begun": now})  # so that it is the newest
        return output

    def run_script(self, script: str) -> None:
        """Run a Python script. Raises `AssertionError` when it fails."""
        output, code = self._elsewhere([sys.executable, "-c", script])
        if code:
            raise AssertionError(f"{script}\nended with {code}:\n{output}")

    def _here(self, command: str) -> tuple[str, int]:
        """Run `nnfs ...` in this process, which saves the time to import everything."""
        screen = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        code = run_here(shlex.split(command)[1:], self.folder, {**os.environ, **VARIABLES}, screen)
        return screen.buffer.getvalue().decode(), code

    def _elsewhere(self, words: list[str]) -> tuple[str, int]:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.stdout, done.returncode

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the programs of a page."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **VARIABLES}

    def continue_session(self, text: str) -> str:
        """Run more of the interactive session, and return it with its outputs. Raises `AssertionError` if it fails."""
        if self.python is None:
            words, pipe = [sys.executable, "-m", "tests.session"], subprocess.PIPE
            self.python = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
            )
        assert self.python.stdin
        assert self.python.stdout
        self.python.stdin.write(json.dumps(text) + "\n")
        self.python.stdin.flush()
        if line := self.python.stdout.readline():
            return str(json.loads(line))
        raise AssertionError(f"{text}\nfailed:\n{self.python.communicate()[1]}")

    def close(self) -> None:
        """End the interactive session."""
        if self.python is not None:
            self.python.communicate()

    def block(self, match: re.Match[str]) -> str:
        """Return a block of a page as it should be."""
        if match["before"]:
            self.run(match["before"])
            return match[0]
        language, body = match["language"], match["body"]
        comment = f"<!-- {match['filled']} -->\n" if match["filled"] else ""
        what, _, argument = (match["filled"] or "").partition(" ")
        if what == "config":
            body = re.sub(r"(?m)^#.*\n", "", (ROOT / argument).read_text(encoding="utf-8")).lstrip("\n")
        elif what == "code":
            body = source_of(*argument.split())
        elif name := re.match(r"(?:#|//|/\*) (\S+\.(?:yaml|py|c|mjs))(?: \*/)?\n", body):
            (self.folder / name[1]).write_text(body, encoding="utf-8")
        elif language == "console":
            commands = COMMAND.findall(body)
            body = "".join(
                f"$ {command}\n{cut(self.run(command, fails='error:' in shown), shown)}" for command, shown in commands
            )
        elif language == "python":
            self.run_script(body)
        elif language == "pycon":
            body = self.continue_session(body)
        return f"{comment}```{language}\n{body}```"


def rendered(page: Path) -> str:
    """Return the text of a page as it should be."""
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory())
        workspace = stack.enter_context(contextlib.closing(Workspace(Path(name))))
        shutil.copytree(ROOT / "configs", workspace.folder / "configs")
        text = BLOCK.sub(workspace.block, page.read_text(encoding="utf-8"))
        for name, made in TABLES.items():
            before, begin, rest = text.partition(f"<!-- {name} -->\n")
            if begin:
                _, end, after = rest.partition(f"<!-- /{name} -->")
                table = workspace.run(made) if isinstance(made, str) else made()
                if name in BLOCKS:  # the table is the last paragraph
                    table = table.rpartition("\n\n")[2]
                text = before + begin + table + end + after
        return text


def cut(output: str, shown: str) -> str:
    """Return the output of a command, or as many of its lines as are shown where they end with `...`."""
    lines = shown.splitlines()
    if not lines or lines[-1] != "...":
        return output
    return "".join(f"{line}\n" for line in [*output.splitlines()[: len(lines) - 1], "..."])


def source_of(path: str, function: str) -> str:
    """Return the source of a method without its indentation."""
    text = (ROOT / path).read_text(encoding="utf-8")
    node = next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == function)
    return textwrap.dedent("\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])) + "\n"


def rewrite(page: Path) -> str:
    """Render a page in place, and return what happened: nothing, a change, or what is wrong with a command."""
    before, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT)
    try:
        after = rendered(page)
    except AssertionError as error:
        return f"{name}: {error}"
    if after == before:
        return ""
    page.write_text(after, encoding="utf-8")
    return f"{name}: rewritten"


def main() -> None:
    """Rewrite the named pages, or all."""
    known = {page.stem: page for page in PAGES}
    pages = [known[name] for name in sys.argv[1:]] or PAGES
    with ProcessPoolExecutor(2) as pool:
        for what in filter(None, pool.map(rewrite, pages)):
            print(what)


if __name__ == "__main__":
    main()
