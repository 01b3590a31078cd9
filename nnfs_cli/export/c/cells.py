"""Statements for operations on the texts in cells, and on those of predictions."""

from __future__ import annotations

import numpy as np

from nnfs_cli.export.c.places import Place
from nnfs_cli.export.c.program import Program
from nnfs_cli.export.c.text import encoded, string
from nnfs_cli.pipeline.value import Value


def is_gap(program: Program, value: Value) -> Place:
    """Write whether a cell is empty."""
    return program.single(value, f"{program.place(value.inputs[0]).name} == NULL")


def look_up(program: Program, value: Value) -> Place:
    """Write the search of a text among keys."""
    s, text = value.settings, program.place(value.inputs[0]).name
    if not s["keys"]:
        return program.single(value, f"({text} == NULL) ? {s['gap']} : {s['default']}")
    order = sorted(range(len(s["keys"])), key=lambda k: encoded(s["keys"][k]))
    keys = program.declare_texts([s["keys"][k] for k in order])
    places = program.declare(np.array(order), "int64", name="places", c_type="int32_t")
    function = program.functions.use("look_up")
    call = f"{function}({text}, {keys}, {places.name}, {len(order)}, {s['gap']}, {s['default']})"
    return program.single(value, call)


def hash_bucket(program: Program, value: Value) -> Place:
    """Write the hash of a text."""
    function, text = program.functions.use("hash_bucket"), program.place(value.inputs[0]).name
    return program.single(value, f"{function}({text}, {value.settings['buckets']})")


def has_entries(program: Program, value: Value) -> Place:
    """Write the search of keys in a list."""
    s, text = value.settings, program.place(value.inputs[0]).name
    y, function = program.buffer(value), program.functions.use("has_entries")
    keys = program.declare_texts(s["keys"]) if s["keys"] else "NULL"
    call = f"{function}({y.name}, {text}, {string(s['delimiter'])}, {keys}, {len(s['keys'])});"
    program.lines.append(call)
    return y


def joined_labels(program: Program, value: Value) -> Place:
    """Write the text of the labels that are true."""
    inside, labels = program.array(value.inputs[0]), value.settings["labels"]
    name, size, function = program.name("t"), joined_size(value), program.functions.use("join")
    table = program.declare_texts(labels)
    program.lines.append(f'char {name}[{size}] = "";')
    program.lines.append(f"{function}({name}, {table}, {inside.address()}, {len(labels)});")
    program.n_text_bytes += size
    return Place(name, "text", single=True)


def joined_size(value: Value) -> int:
    """Return the bytes of the longest text of joined labels, with the byte 0 at its end."""
    return sum(len(encoded(label)) + 1 for label in value.settings["labels"]) or 1
