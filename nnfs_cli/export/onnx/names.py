"""The names of the inputs and outputs of an ONNX graph, and the text that stands for an empty cell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from nnfs_cli.export.names import unused
from nnfs_cli.pipeline.pipeline import Pipeline


@dataclass(frozen=True)
class Names:
    """The names of the inputs by column, of the outputs by name, and of the output that says which rows are usable.

    They are the names of the columns and outputs, unless ONNX cannot hold one, or two are the same. `empty_text` stands
    for an empty cell of a column of texts: an input cannot hold None, and the text "" is not empty.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    usable: str
    empty_text: str

    @property
    def all(self) -> list[str]:
        """The names of all inputs and outputs."""
        return [*self.inputs.values(), *self.outputs.values(), self.usable]


def names_of(pipeline: Pipeline) -> Names:
    """Return the names of a pipeline's inputs and outputs."""
    outputs = _distinct(pipeline.outputs, ())
    inputs = _distinct(pipeline.columns, outputs.values())
    usable = numbered("usable", {*inputs.values(), *outputs.values()})
    keys = {key for value in pipeline.operations for key in value.settings.get("keys", ())}
    return Names(inputs, outputs, usable, numbered("<empty>", keys))


def unicode(text: str) -> str:
    """Return a text with ? for what UTF-8 cannot hold."""
    return text.encode(errors="replace").decode()


def numbered(name: str, taken: Collection[str]) -> str:
    """Return a name that a value of a graph can have: the given one, followed by a number from 2 on if it is taken.

    It is a text in UTF-8 that is not empty, and without the character 0, which ends texts in C.
    """
    valid = unicode(name).replace("\0", "?") or "unnamed"
    return unused(valid, taken)


def _distinct(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return a name for each name, which no other and none of `taken` has."""
    found: dict[str, str] = {}
    used = set(taken)
    for name in names:
        found[name] = numbered(name, used)
        used.add(found[name])
    return found
