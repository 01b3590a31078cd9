"""Options whose value may be left out: their metavar is in brackets, as in `--fix [KIND,...]`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

ALL = "all"  # what an option without a value means
WORDS = re.compile(r"[a-z_]+(,[a-z_]+)*,?")


def with_values(args: Sequence[str], options: Collection[str]) -> Iterator[str]:
    """Yield the arguments with the value ``all`` for each of these options that has none.

    A value is words with commas; anything else, such as the path of a config, is the next argument.

    >>> [*with_values(["--fix", "t.yaml", "--fix", "drop,split"], ["--fix"])]
    ['--fix=all', 't.yaml', '--fix', 'drop,split']
    """
    for i, word in enumerate(args):
        if word in options and "--" not in args[:i] and not WORDS.fullmatch("".join(args[i + 1 : i + 2])):
            word = f"{word}={ALL}"
        yield word
