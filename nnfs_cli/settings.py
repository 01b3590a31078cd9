"""A block of settings: what every part of a config file is made of.

A `Section` is a frozen pydantic model whose complaints are sentences. The kinds of values below are strict where YAML
is loose: a number is never text or a truth value, and a switch is true, false, yes, no, on or off.
"""

from __future__ import annotations

import ast
import errno
import fnmatch
import functools
import glob
import inspect
import itertools
import math
import os
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PlainSerializer,
    SerializationInfo,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError

from nnfs_cli.errors import MOST, closest, did_you_mean, listing, named, shown

OUR_WORDS = "nnfs"  # the type of an error whose message is already a sentence
OUR_WORDS_AT_KEY = "nnfs_key"  # the same, about the key rather than its value

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SWITCH_IN_ANY_CASE = "|".join("".join(f"[{c}{c.upper()}]" for c in word) for word in _SWITCH)


def wrong(message: str, *, at_key: bool = False) -> PydanticCustomError:
    """An error for validators to raise, with a sentence of our own."""
    return PydanticCustomError(OUR_WORDS_AT_KEY if at_key else OUR_WORDS, message)


def _switch(value: object) -> object:
    return _SWITCH.get(value.lower(), value) if isinstance(value, str) else value


class _NotEmpty(AfterValidator):
    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "minItems": 1}


_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def _bytes(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    amount = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([KMGT]B)", value) if isinstance(value, str) else None
    if amount is None or not float(amount[1]):
        raise wrong(f"expected an amount of memory, such as 500 MB or 2 GB, found {shown(value)}")
    return math.ceil(float(amount[1]) * _UNITS[amount[2]])


def _not_empty(entries: tuple[object, ...]) -> tuple[object, ...]:
    if not entries:
        raise wrong("needs at least one entry, found an empty list")
    return entries


def absolute(value: object, info: ValidationInfo) -> Path:
    """The path of a file to read; relative ones are relative to the folder that the config stands in."""
    if not isinstance(value, str | Path) or not str(value):
        raise wrong(f"expected a path, found {shown(value)}")
    context = info.context or {}
    try:
        path = Path(os.path.abspath(Path(context.get("folder", Path()), Path(value).expanduser())))
        missing = context.get("files_must_exist", False) and not any(map(Path.is_file, matching(path)))
        problem = _why_not_there(path) if missing else None
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            raise  # it is not the name that is wrong
        raise wrong(f"{shown(str(value))} cannot be the path of a file: {getattr(error, 'strerror', error)}") from None
    if problem:
        raise wrong(problem)
    return path


def matching(path: Path) -> list[Path]:
    """The file itself, or those that a pattern such as `part-*.csv` stands for, sorted.

    As in a shell, a `*` matches no dot at the beginning of a name; a `**` follows no link, which may lead in circles.
    """
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    folder = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    pattern = path.relative_to(folder)
    try:
        files = [file for file in folder.glob(str(pattern)) if file.is_file()]
    except ValueError:  # as in a**
        return [path]
    dotted = [part for part in pattern.parts if part.startswith(".")]
    hidden = {
        file
        for file in files
        for name in file.relative_to(folder).parts
        if name.startswith(".") and not any(fnmatch.fnmatch(name, part) for part in dotted)
    }
    return sorted(set(files) - hidden) or [path]


def _why_not_there(path: Path) -> str:
    if path.exists():
        return f"{path} is not a file"
    if glob.has_magic(str(path)):
        return f"no file is called as in {path}"
    near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
    return f"there is no file {path}{near}"


def relative(path: Path, info: SerializationInfo) -> str:
    """Take `absolute` back, for the folder that the config is going to stand in."""
    try:
        return Path(os.path.relpath(path, (info.context or {}).get("folder", "."))).as_posix()
    except ValueError:  # another drive of Windows: there is no relative path
        return path.as_posix()


PositiveInt = Annotated[int, Field(strict=True, gt=0)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
PositiveFloat = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)]
Rate = Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)]
Level = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)]
FiniteFloat = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Switch = Annotated[
    bool,
    Field(strict=True),
    BeforeValidator(_switch),
    WithJsonSchema(
        {
            "named": "switch",
            "type": ["boolean", "string"],
            "pattern": f"^({_SWITCH_IN_ANY_CASE})$",
            "patternErrorMessage": "expected true or false",  # editors say this instead of showing the pattern
        }
    ),
]
Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "format": "amount of memory",
            "exclusiveMinimum": 0,
            "pattern": "^(?=.*[1-9])[0-9]{1,9}(\\.[0-9]{1,9})? ?[KMGT]B$",
            "patternErrorMessage": "expected an amount of memory, such as 500 MB or 2 GB",
        }
    ),
]
Text = Annotated[str, StringConstraints(strict=True, min_length=1)]
NotEmpty = _NotEmpty(_not_empty)  # for a tuple, where pydantic's own check would also count invalid entries out
FilePath = Annotated[
    Path,
    BeforeValidator(absolute),
    PlainSerializer(relative, return_type=str),
    WithJsonSchema({"type": "string", "format": "path", "minLength": 1}),
]


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
            found = error.errors(include_url=False)[: MOST + 1]
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
            return wrong(error["msg"], at_key=kind == OUR_WORDS_AT_KEY)
        if kind == "extra_forbidden":
            known = list(cls.model_fields)
            hint = did_you_mean(key, known) or (f"; it knows {listing(known)}" if known else "; it has no settings")
            return wrong(f"{cls.title()} has no setting {named(key)}{hint}", at_key=True)
        if kind == "missing":
            return wrong(f"{cls.title()} needs the setting '{key}'{cls.example()}", at_key=True)
        return wrong(_SENTENCES.get(kind, _unknown)(error))


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
