"""Makes the README tell what the tool does today: runs its commands, and fills in outputs, code and tables.

`python -m tests.readme` rewrites README.md; the test of the same name fails when that would change anything but the
last digits of a figure.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TABLES = {
    "keys": "nnfs components config --markdown",
    "components": "nnfs components --markdown",
    "accuracy": f"PYTHONPATH='{ROOT}' python -m tests.benchmarks.accuracy --show '{ROOT}/.readme/accuracy.json'",
    "benchmarks": f"PYTHONPATH='{ROOT}' python -m tests.benchmarks.report",
}
BLOCK = re.compile(r"(?:<!-- (?P<what>[^\n]+?) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)```", re.DOTALL)


def make_workspace(folder: Path) -> None:
    """What a reader has who follows the README in a copy of the repository."""
    shutil.copytree(ROOT / "configs", folder / "configs")


def render(text: str, folder: Path) -> str:
    """The README with everything that can be computed computed anew, in a folder of its own."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "120",
    }

    def block(match: re.Match[str]) -> str:
        language, body = match["language"], match["body"]
        comment = f"<!-- {match['what']} -->\n" if match["what"] else ""
        what, _, argument = (match["what"] or "").partition(" ")
        if what == "config":
            body = re.sub(r"(?m)^#.*\n", "", (ROOT / argument).read_text()).lstrip("\n")
        elif what == "code":
            body = source_of(*argument.split())
        elif name := re.match(r"# (\S+\.(yaml|py))\n", body):
            (folder / name[1]).write_text(body)
        elif language == "console":
            commands = re.findall(r"(?m)^\$ (.+)\n((?:[^$].*\n)*)", body)
            body = "".join(f"$ {command}\n{run(command, fails='error:' in shown)}" for command, shown in commands)
        elif language == "python":
            run("python", body)
        elif language == "pycon":
            (folder / "session.txt").write_text(body)
            run("python -m doctest session.txt")
        return f"{comment}```{language}\n{body}```"

    def run(command: str, script: str | None = None, fails: bool = False) -> str:
        words = [sys.executable, "-c", script] if script is not None else ["bash", "-c", command]
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != (2 if fails else 0):
            raise AssertionError(f"{command or script}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    text = BLOCK.sub(block, text)
    for name, command in TABLES.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = before + begin + run(command) + end + after
    return text


def source_of(path: str, function: str) -> str:
    """The lines of a method, without its indentation."""
    text = (ROOT / path).read_text()
    node = next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == function)
    return textwrap.dedent("\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])) + "\n"


def rendered() -> str:
    """The README as it should be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_workspace(folder)
        return render(README.read_text(encoding="utf-8"), folder)


if __name__ == "__main__":
    README.write_text(rendered(), encoding="utf-8")
