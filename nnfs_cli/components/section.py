"""A block of settings: what every part of a config file is made of.

A `Section` is a frozen pydantic model whose complaints are sentences.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from nnfs_cli.errors import MAX_FAULTS
from nnfs_cli.system.wording import closest, did_you_mean, listing, named, shown

OUR_WORDS = "nnfs"  # the type of an error whose message is already a sentence
OUR_WORDS_AT_KEY = "nnfs_key"  # the same, about the key rather than its value


def invalid(message: str, *, at_key: bool = False) -> PydanticCustomError:
    """An error for validators to raise, with a sentence of our own."""
    return PydanticCustomError(OUR_WORDS_AT_KEY if at_key else OUR_WORDS, message)


class Section(BaseModel):
    """A frozen block of settings. With a `main` setting, a bare value stands for a block that gives just that one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    main: ClassVar[str | None] = None

    @model_validator(mode="wrap")
    @classmethod
    def _in_sentences(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        bare = cls.main is not None and not isinstance(value, dict | cls)
        if bare:
            value = {cls.main: value}
        try:
            return handler(value)
        except ValidationError as error:
            found = error.errors(include_url=False)[: MAX_FAULTS + 1]
            meant = {closest(str(e["loc"][-1]), cls.model_fields) for e in found if e["type"] == "extra_forbidden"}
            raise ValidationError.from_exception_data(
                cls.title(),
                [
                    InitErrorDetails(type=cls._sentence(e), loc=e["loc"][bare:], input=e["input"])
                    for e in found
                    if not (e["type"] == "missing" and e["loc"][-1] in meant)  # it is there, misspelt
                ],
            ) from None

    @classmethod
    def title(cls) -> str:
        """What a message calls this block."""
        return cls.__name__.lower()

    @classmethod
    def example(cls) -> str:
        """How it is written, for a message; nothing where there is no example."""
        return ""

    @classmethod
    def summary(cls) -> str:
        """The first paragraph of the class's documentation, in one line."""
        return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """What each setting is, where its name does not say it all: the text below its line."""
        bases = [base for base in reversed(cls.__mro__) if issubclass(base, Section)]
        return {key: text for base in bases for key, text in _texts_below(base).items()}

    @classmethod
    def _sentence(cls, error: ErrorDetails) -> PydanticCustomError:
        kind, key = error["type"], str(error["loc"][-1]) if error["loc"] else ""
        if kind in (OUR_WORDS, OUR_WORDS_AT_KEY):
            return invalid(error["msg"], at_key=kind == OUR_WORDS_AT_KEY)
        if kind == "extra_forbidden":
            known = list(cls.model_fields)
            hint = did_you_mean(key, known) or (f"; it knows {listing(known)}" if known else "; it has no settings")
            return invalid(f"{cls.title()} has no setting {named(key)}{hint}", at_key=True)
        if kind == "missing":
            return invalid(f"{cls.title()} needs the setting '{key}'{cls.example()}", at_key=True)
        return invalid(_SENTENCES.get(kind, _unknown)(error))


@functools.cache
def _texts_below(section: type[Section]) -> dict[str, str]:
    """By setting. They lie in the source alone, which is read when they are asked for: importing is to be quick."""
    body = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0].body  # type: ignore[attr-defined]
    texts = {}
    for line, below in itertools.pairwise(body):
        match line, below:
            case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[key] = " ".join(text.split())
    return texts


def _unknown(error: ErrorDetails) -> str:
    return f"{error['msg'].removeprefix('Value error, ')}, found {shown(error['input'])}"


def _expected(what: str) -> Callable[[ErrorDetails], str]:
    return lambda error: f"expected {what}, found {shown(error['input'])}"


def _bound(words: str, key: str) -> Callable[[ErrorDetails], str]:
    return lambda error: f"must be {words} {error['ctx'][key]:.15g}, found {shown(error['input'])}"


def _choice(error: ErrorDetails) -> str:
    expected = error["ctx"]["expected"].replace("'", "")
    hint = did_you_mean(str(error["input"]), expected.replace(" or ", ", ").split(", "))
    return f"expected {expected}, found {shown(error['input'])}{hint}"


_SENTENCES: dict[str, Callable[[ErrorDetails], str]] = {
    "int_type": _expected("a whole number"),
    "int_from_float": _expected("a whole number"),
    "float_type": _expected("a number"),
    "finite_number": _expected("a finite number"),
    "bool_type": _expected("true or false"),
    "string_type": _expected("a text"),
    "string_too_short": _expected("a text of at least one character"),
    "tuple_type": _expected("a list"),
    "dict_type": _expected("a block of settings"),
    "mapping_type": _expected("a block of settings"),
    "model_type": _expected("a block of settings"),
    "model_attributes_type": _expected("a block of settings"),
    "greater_than": _bound("greater than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "literal_error": _choice,
}
