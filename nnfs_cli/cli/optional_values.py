"""Options whose value may be left out: their metavar is in brackets, as in `--fix [KIND,...]` or `--explain [K=3]`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

ALL = "all"  # what an option without a value means
VALUE = re.compile(r"[a-z_]+(,[a-z_]+)*,?|[0-9]+")


def default_value(metavar: str) -> str:
    """Return the value that an option of this metavar has if none is given.

    >>> default_value("[KIND,...]"), default_value("[K=3]")
    ('all', '3')
    """
    return metavar.strip("[]").partition("=")[2] or ALL


def with_values(args: Sequence[str], options: Mapping[str, str]) -> Iterator[str]:
    """Yield the arguments, with a value for each of these options that has none.

    A value is words with commas, or a number; anything else, such as the path of a config, is the next argument.

    >>> [*with_values(["--fix", "t.yaml", "--fix", "drop,split"], {"--fix": "all"})]
    ['--fix=all', 't.yaml', '--fix', 'drop,split']
    """
    for i, word in enumerate(args):
        if word in options and "--" not in args[:i] and not VALUE.fullmatch("".join(args[i + 1 : i + 2])):
            word = f"{word}={options[word]}"
        yield word
