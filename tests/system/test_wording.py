"""Helpers that phrase the parts of a message."""

import pytest

from nnfs_cli.system.wording import counted, named, percent, plural, shown


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [
        (0, 0, "0 %"),
        (1e-9, 0, "<1 %"),
        (0.005, 0, "<1 %"),
        (0.0051, 0, "1 %"),
        (0.634, 0, "63 %"),
        (1, 0, "100 %"),
        (0.0004, 1, "<0.1 %"),
        (0.964, 1, "96.4 %"),
    ],
)
def test_percent(share: float, decimals: int, text: str) -> None:
    assert percent(share, decimals) == text


@pytest.mark.parametrize(
    ("noun", "many"),
    [("row", "rows"), ("loss", "losses"), ("category", "categories"), ("day", "days"), ("averaging", "averaging")],
)
def test_plural(noun: str, many: str) -> None:
    assert plural(noun) == many
    assert counted(1, noun) == f"1 {noun}"
    assert counted(1024, noun) == f"1,024 {many}"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("x", "'x'"),
        ("x0'", '"x0\'"'),
        ('5"', "'5\"'"),
        ("5'6\"", "'5'6\"'"),
        ("a\nb", "'a\\nb'"),
        ("x" * 50, f"'{'x' * 40}...'"),
    ],
)
def test_a_text_is_quoted_on_one_line(text: str, quoted: str) -> None:
    assert shown(text) == quoted
    assert named(text[:40]) == quoted.replace("...", "")
