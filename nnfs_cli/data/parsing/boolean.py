"""Booleans as people write them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, WithJsonSchema, model_validator

from nnfs_cli.components.field_types import Text
from nnfs_cli.components.section import invalid
from nnfs_cli.data.parsing.base import Parser, Reading
from nnfs_cli.data.parsing.evidence import Evidence
from nnfs_cli.system.wording import listing, shown

PAIRS = (  # spellings of true and of false, by language; the short forms of one line go together
    ("true t yes y on 1", "false f no n off 0"),
    ("wahr ja j an ein richtig", "falsch nein n aus"),
    ("vrai v oui o", "faux f non n"),
    ("verdadero v sí si s", "falso f no n"),
    ("vero v sì si s", "falso f no n"),
    ("verdadeiro v sim s", "falso f não nao n"),
    ("waar ja j", "onwaar nee n"),
    ("sant ja j", "falskt nej n"),
    ("sand ja", "falsk nej nei"),
    ("prawda tak t", "fałsz nie n"),
    ("да д истина", "нет н ложь"),
    ("doğru evet e", "yanl\u0131ş hay\u0131r h"),
    ("ano", "ne"),
    ("igen", "nem"),
    ("はい", "いいえ"),
    ("是 对", "否 不是 错"),
    ("x ✓ ✔ ☑ +", "✗ ✘ ☐ ✕ -"),
)
MARKS = ("x", "✓", "✔", "☑", "*")  # that stand alone in a column whose other cells are empty
_ONE = {spelling.casefold() for ones, _ in PAIRS for spelling in ones.split()} | {*MARKS}
_ZERO = {spelling.casefold() for _, zeros in PAIRS for spelling in zeros.split()}


def _as_texts(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Spellings = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_texts),
    WithJsonSchema({"type": ["string", "array"], "minLength": 1, "items": {"type": "string", "minLength": 1}}),
]


def plain_spelling(text: str) -> str:
    """Return a text without what does not matter: capital letters, spaces around it, and a point at its end."""
    return text.strip().rstrip(".").casefold()


class Boolean(Parser, name="boolean"):
    """Read yes and no, in many spellings and languages, as 1 and 0.

    true and false, yes and no, ja and nein, oui and non, sí and no, y and n are booleans; so is a column with x in some
    cells and nothing in the others, whose empty cells are 0.
    """

    kind = "number"
    examples = ("boolean", "boolean: {one: [aktiv], zero: [inaktiv, gelöscht]}")

    one: Spellings = ()
    """Texts that are 1, in capital or small letters. By default, the usual spellings of yes and true."""
    zero: Spellings = ()
    """Texts that are 0. By default, the usual spellings of no and false."""
    empty: Literal["zero", "missing"] | None = None
    """Meaning of an empty cell: `zero`, or `missing`. By default zero if all other cells hold a mark, such as x."""

    @model_validator(mode="after")
    def _meanings_differ(self) -> Self:
        if both := {*map(plain_spelling, self.one)} & {*map(plain_spelling, self.zero)}:
            raise invalid(f"{listing(sorted(map(shown, both)))} cannot mean both 1 and 0")
        return self

    @property
    def is_settled(self) -> bool:
        """Whether the meaning of an empty cell is known."""
        return self.empty is not None

    @property
    def empty_value(self) -> float:
        """The value of an empty cell."""
        return 0.0 if self.empty == "zero" else np.nan

    @property
    def words(self) -> tuple[str, str]:
        """The first spellings of 0 and 1."""
        return self.write(0), self.write(1)

    def settle(self, evidence: Evidence) -> Self:
        """Return the parser with the meaning of an empty cell."""
        only_marks = evidence.n_cells > 0 and all(plain_spelling(shape) in MARKS for shape in evidence.shapes)
        return self.model_copy(update={"empty": self.empty or ("zero" if only_marks else "missing")})

    def reading(self, shape: str) -> Reading | None:
        """Return how to read the texts of a shape, or None if they are no booleans."""
        if "0" in shape:
            return lambda digits, texts: (np.array([self._value(text) for text in texts]),)
        value = self._value(shape)
        return None if np.isnan(value) else lambda digits, texts: (np.full(len(texts), value),)

    def _value(self, text: str) -> float:
        """Return 1, 0, or NaN for another text."""
        plain = plain_spelling(text)
        if plain in ({*map(plain_spelling, self.one)} or _ONE):
            return 1.0
        return 0.0 if plain in ({*map(plain_spelling, self.zero)} or _ZERO) else np.nan

    def expected(self, example: str = "") -> str:
        """Return what messages expect in a cell."""
        return f"booleans, such as {self.write(1)} or {self.write(0)}"

    def write(self, value: Any) -> str:
        """Return the first spelling of 1 or 0."""
        if value != value:
            return ""
        return (self.one or ("true",))[0] if value else (self.zero or ("false",))[0]

    def rewrite(self, value: Any, given: Any) -> str:
        """Return the spelling that goes with the given one, such as ja for nein and Y for N."""
        if self.one or self.zero or value != value or not isinstance(given, str):
            return self.write(value)
        plain = plain_spelling(given)
        for pair in PAIRS:
            ones, zeros = (spellings.split() for spellings in pair)
            for here, there in zip(*((zeros, ones) if value else (ones, zeros)), strict=False):
                if plain == here:
                    return there.upper() if given.isupper() else there.title() if given.istitle() else there
        return self.write(value)
