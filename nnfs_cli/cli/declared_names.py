"""Read the names of components and settings from the package's source files.

Shell completion uses this instead of importing the components, which would take half a second and NumPy.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

CLASS = re.compile(r"^class (\w+)\(([^)]*)\):\n((?:[ \t].*\n|\n)*)", re.MULTILINE)
SETTING = re.compile(r"^    ([a-z]\w*): ((?:(?!\n    [\w\"]).)+?)(?: = (\S.*?))?$", re.MULTILINE | re.DOTALL)

FIELD = re.compile(r"Field\((?:default=(.*), )?kw_only=False\)")  # of the main setting


@dataclass(frozen=True)
class Declaration:
    """A class with base classes, as its source declares it."""

    title: str
    bases: tuple[str, ...]
    name: str  # name of the component, or ""
    family: str  # name of the family that this class is the base of, or ""
    body: str

    def settings(self) -> dict[str, tuple[str, str]]:
        """Return the annotation and the default of each setting."""
        code = re.sub(r'""".*?"""', "", self.body, flags=re.DOTALL)
        found = [setting for setting in SETTING.findall(code) if "ClassVar" not in setting[1]]
        return {key: (kind, FIELD.sub(r"\1", default)) for key, kind, default in found}


@functools.cache
def _declarations() -> dict[str, list[Declaration]]:
    """Return all classes that have base classes, by title; a loss and a metric may share a title."""
    found: dict[str, list[Declaration]] = {}
    for path in sorted(Path(__file__).parents[1].glob("**/*.py")):
        for title, head, body in CLASS.findall(path.read_text(encoding="utf-8")):
            keywords = dict(re.findall(r'(\w+)="([^"]*)"', head))
            bases = tuple(base.strip() for base in head.split(",") if "=" not in base)
            declaration = Declaration(title, bases, keywords.get("name", ""), keywords.get("family", ""), body)
            found.setdefault(title, []).append(declaration)
    return found


def families() -> dict[str, list[str]]:
    """Return the names of the components of each family."""
    found: dict[str, list[str]] = {}
    for declarations in _declarations().values():
        for declaration in declarations:
            if declaration.name:
                found.setdefault(_family(declaration), []).append(declaration.name)
    return {family: sorted(names) for family, names in found.items() if family}


def _family(declaration: Declaration) -> str:
    if declaration.family:
        return declaration.family
    for base in declaration.bases:
        for parent in _declarations().get(base, ()):
            if found := _family(parent):
                return found
    return ""


def settings_of(key: str) -> dict[str, tuple[str, str]]:
    """Return the settings of the config, or of the block at a key such as `split`: annotation and default of each."""
    settings = _block("Config")
    for part in key.split(".") if key else ():
        kinds = re.findall(r"[A-Z]\w+", settings.get(part, ("", ""))[0])
        settings = next((found for kind in kinds if (found := _block(kind))), {})
    return settings


def _block(title: str) -> dict[str, tuple[str, str]]:
    """Return the settings of a block that is not a component, or nothing if there is no such block."""
    blocks = [one for one in _declarations().get(title, ()) if "Section" in one.bases]
    return blocks[0].settings() if blocks else {}


def values_of(key: str) -> list[str]:
    """Return possible values of a setting such as `optimizer`: components, choices, true and false, or its default."""
    owner, _, name = key.rpartition(".")
    kind, default = settings_of(owner).get(name, ("", ""))
    if choices := re.findall(r'"(\w+)"', "".join(re.findall(r"Literal\[([^\]]*)\]", kind))):
        return choices
    if kind == "Switch":
        return ["true", "false"]
    for title in re.findall(r"[A-Z]\w+", kind):
        for one in _declarations().get(title, ()):
            if one.family:
                return families().get(one.family, []) if "tuple" not in kind else []
    plain = default.strip('"')
    return [plain] if re.fullmatch(r"[\w.+-]+", plain) and plain not in ("None", "True", "False") else []
