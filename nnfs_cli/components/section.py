"""A block of settings: every part of a config file is one.

A `Section` is a frozen pydantic model whose errors are plain sentences.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from nnfs_cli.components.reflection import Reflected, own_names
from nnfs_cli.errors import MAX_FAULTS, ConfigError
from nnfs_cli.system.wording import closest, counted, did_you_mean, listing, named, shown

SENTENCE = "nnfs"  # pydantic's error type for a message that is already a sentence about a value
SENTENCE_ABOUT_KEY = "nnfs_key"  # likewise for a sentence about a key


def invalid(message: str, *, at_key: bool = False) -> PydanticCustomError:
    """Return an error for a validator to raise. `at_key` blames the key instead of its value."""
    return PydanticCustomError(SENTENCE_ABOUT_KEY if at_key else SENTENCE, message)


class Section(BaseModel, metaclass=Reflected):
    """A frozen block of settings.

    If the class names a `main` setting, a bare value is short for a block with only that setting, and Python takes it
    by position. It is declared with `Field(..., kw_only=False)`, which says the same to type checkers.
    """

    # A command uses few of the components, so pydantic builds the checks of a block when the first value is checked.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    main: ClassVar[str | None] = None
    elsewhere: ClassVar[Mapping[str, str]] = {}  # what to say about settings that users look for here

    def __init__(self, /, *values: Any, **settings: Any) -> None:
        """Take the main setting by position or by name, and all others by name.

        Raises `ConfigError` for a wrong setting, and `TypeError` for too many values by position.
        """
        settings = {**self._by_position(values, settings), **settings}
        try:
            super().__init__(**{key: _plain(value) for key, value in settings.items()})
        except ValidationError as error:
            raise ConfigError(self._in_lines(error)) from None

    if not TYPE_CHECKING:  # with these methods in sight, type checkers would allow any assignment

        def __setattr__(self, name: str, value: Any) -> None:
            """Raise `ConfigError` for a setting, which cannot change."""
            try:
                super().__setattr__(name, value)
            except ValidationError:
                message = f"{self.title()}.{name} cannot change; make a new {type(self).__name__} instead"
                raise ConfigError(message) from None

        def __delattr__(self, name: str) -> None:
            """Raise `ConfigError` for a setting, which cannot be removed."""
            try:
                super().__delattr__(name)
            except ValidationError:
                message = f"{self.title()}.{name} cannot be removed; make a new {type(self).__name__} instead"
                raise ConfigError(message) from None

    # Without this mark pydantic would also call __init__ for the blocks inside a config, and lose the places of faults.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        for name in cls.__class_vars__ & cls.__annotations__.keys():
            del cls.__annotations__[name]  # else pydantic evaluates it again for every subclass, in half of its time
        if cls.__module__.partition(".")[0] != "nnfs_cli":
            cls.model_rebuild(raise_errors=False)  # a fault in the user's own class shows where it is defined

    @classmethod
    def _by_position(cls, values: tuple[Any, ...], settings: dict[str, Any]) -> dict[str, Any]:
        """Return the main setting if it is given by position. Raises `TypeError` if it cannot be."""
        if not values:
            return {}
        if cls.main is None or len(values) > 1:
            most = f"only '{cls.main}'" if cls.main else "nothing"
            others = listing([key for key in cls.model_fields if key != cls.main])
            hint = f"; give {others} by name" if others else ""
            hint += "".join(f"; {text}" for text in {*cls.elsewhere.values()} if not cls.main)
            raise TypeError(f"{cls.__name__} takes {most} by position, found {counted(len(values), 'value')}{hint}")
        if cls.main in settings:
            raise TypeError(f"{cls.__name__} has '{cls.main}' by position and by name; leave one of them out")
        return {cls.main: values[0]}

    @classmethod
    def _in_lines(cls, error: ValidationError) -> str:
        """Return the faults of a block that was made in Python, one in a line."""
        lines = []
        for found in error.errors(include_url=False)[:MAX_FAULTS]:
            path = found["loc"][:-1] if found["type"] == SENTENCE_ABOUT_KEY else found["loc"]
            where = ".".join(map(str, (cls.title(), *path)))
            lines.append(found["msg"] if where == cls.title() else f"{where}: {found['msg']}")
        return "\n".join(lines)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield the settings that are not at their defaults: the main one by position, then the others by name."""
        changed = {
            key: getattr(self, key)
            for key, field in type(self).model_fields.items()
            if field.is_required() or getattr(self, key) != field.get_default(call_default_factory=True)
        }
        if self.main in changed:
            yield None, changed.pop(self.main)
        yield from changed.items()

    def __dir__(self) -> list[str]:
        """Return the names without those of pydantic."""
        return own_names(type(self), super().__dir__())

    def __str__(self) -> str:
        """Return the Python expression that makes this block."""
        return repr(self)

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
                    if not (e["type"] == "missing" and e["loc"][-1] in meant)  # not missing, but misspelt
                ],
            ) from None

    @classmethod
    def title(cls) -> str:
        """Return the name of this block in messages."""
        return cls.__name__.lower()

    @classmethod
    def example(cls) -> str:
        """Return an example for messages, such as ", as in linear: 20", or the empty string."""
        return ""

    @classmethod
    def about(cls) -> str:
        """Return the class's docstring, or that of its first base that has one, without the settings."""
        return inspect.cleandoc(next(filter(None, (vars(base).get("__doc__") for base in cls.__mro__)), ""))

    @classmethod
    def headline(cls) -> str:
        """Return the first paragraph of the class's docstring in one line."""
        return " ".join(cls.about().split("\n\n")[0].split())

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """Return the description of each setting that has one: the string below its declaration."""
        bases = [base for base in reversed(cls.__mro__) if issubclass(base, Section)]
        return {key: text for base in bases for key, text in _texts_below(base).items()}

    @classmethod
    def _hint_for(cls, key: str) -> str:
        """Return the end of a message about an unknown setting."""
        known = list(cls.model_fields)
        if key in cls.elsewhere:
            return f"; {cls.elsewhere[key]}"
        some = (
            f"; its setting{'s are' if len(known) > 1 else ' is'} {listing(known)}" if known else "; it has no settings"
        )
        return did_you_mean(key, known) or some

    @classmethod
    def _sentence(cls, error: ErrorDetails) -> PydanticCustomError:
        kind, key = error["type"], str(error["loc"][-1]) if error["loc"] else ""
        if kind in (SENTENCE, SENTENCE_ABOUT_KEY):
            return invalid(error["msg"], at_key=kind == SENTENCE_ABOUT_KEY)
        if kind == "extra_forbidden":
            hint = cls._hint_for(key)
            return invalid(f"{cls.title()} has no setting {named(key)}{hint}", at_key=True)
        if kind == "missing":
            return invalid(f"{cls.title()} needs the setting '{key}'{cls.example()}", at_key=True)
        return invalid(_SENTENCES.get(kind, _unknown)(error))


def _plain(value: Any) -> Any:
    """Return a scalar of NumPy, such as the largest class plus 1, as a number of Python; the checks know only those."""
    return value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value


@functools.cache
def _texts_below(section: type[Section]) -> dict[str, str]:
    """Return the description of each setting of one class.

    Python drops these strings, so they are parsed from the source; only on demand, because imports must stay fast.
    """
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


def _bound(relation: str, key: str) -> Callable[[ErrorDetails], str]:
    def sentence(error: ErrorDetails) -> str:
        limit = error["ctx"][key]
        return f"must be {relation} {limit:{',' if isinstance(limit, int) else '.15g'}}, found {shown(error['input'])}"

    return sentence


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
