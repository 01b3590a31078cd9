"""The settings that a command line changes, by `--set KEY=VALUE` or by an option that is short for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SHORTCUTS = {
    "--epochs": "epochs",
    "--lr": "lr",
    "--batch-size": "batch_size",
    "--seed": "seed",
    "--on-error": "on_error",
}


def assignments(words: Iterable[str]) -> Iterator[str]:
    """Yield the assignments in the words of a command line, as ``key=value``.

    >>> [*assignments(["train", "iris.yaml", "--set", "loss=mse", "--epochs=9"])]
    ['loss=mse', 'epochs=9']
    """
    words = iter(words)
    for word in words:
        option, equals, value = word.partition("=")
        if option not in ("--set", "--track", *SHORTCUTS):
            continue
        given = value if equals else next(words, "")
        if option == "--track":
            tracker, _, place = given.partition("=")
            yield f"track.{tracker}={place}"
        else:
            yield given if option == "--set" else f"{SHORTCUTS[option]}={given}"
