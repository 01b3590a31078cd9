"""One of some options, which may be whole blocks with distributions inside."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.components.section import invalid
from nnfs_cli.search.base import Distribution, Draws, Scalar
from nnfs_cli.system.wording import shown

Path = tuple[str | int, ...]
MOST_ENDS = 100  # of one option


class _Distinct(AfterValidator):
    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "uniqueItems": True}


def _distinct(options: tuple[Any, ...]) -> tuple[Any, ...]:
    for i, option in enumerate(options):
        if any(_alike(option, other) for other in options[:i]):
            raise invalid(f"the option {shown(option)} is given twice")
    return tuple(_replaced(option, {}) for option in options)  # tuples for lists


class Choice(Distribution, name="choice", main="options"):
    """One of some options. An option may be a whole block with distributions inside, which are drawn only with it."""

    examples = ("choice: [32, 64, 128]", "choice: [adamw, {sgd: {momentum: {uniform: [0, 0.9]}}}]")

    options: Annotated[tuple[Any, ...], NotEmpty, _Distinct(_distinct)] = Field(kw_only=False)
    """The options, each as it would stand in the config."""

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self._inner  # noqa: B018 - every distribution inside is checked now
        return self

    @cached_property
    def _inner(self) -> list[dict[Path, Distribution]]:
        """The distributions inside each option, by their place in it."""
        return [dict(_distributions_in(option)) for option in self.options]

    @cached_property
    def labels(self) -> list[Scalar]:
        """The options as Optuna and tables know them: themselves, or texts where they are blocks or look alike."""
        drawn = [
            _replaced(one, dict.fromkeys(inner, "...")) for one, inner in zip(self.options, self._inner, strict=True)
        ]
        labels = [one if isinstance(one, str | int | float | bool | None) else _text(one) for one in drawn]
        if len({*map(str, labels)}) == len(labels):
            return labels
        return [f"{i + 1}: {_text(one)}" for i, one in enumerate(drawn)]

    def draw(self, draws: Draws, name: str) -> Any:
        """Draw an option, and then the distributions inside it."""
        i = draws.option(name, self.labels)
        drawn = {path: inner.draw(draws, self._name(name, i, path)) for path, inner in self._inner[i].items()}
        return _replaced(self.options[i], drawn)

    def ends(self) -> list[Any]:
        """Return every option, with all combinations of the ends of what is inside it, up to 100."""
        found = []
        for option, inner in zip(self.options, self._inner, strict=True):
            several = itertools.product(*(one.ends() for one in inner.values()))
            for values in itertools.islice(several, MOST_ENDS):
                found.append(_replaced(option, dict(zip(inner, values, strict=True))))
        return found

    def names(self, name: str) -> list[str]:
        """Return the name of the setting, and those of the settings inside the options."""
        inside = [
            other
            for i, inner in enumerate(self._inner)
            for path, one in inner.items()
            for other in one.names(self._name(name, i, path))
        ]
        return [name, *inside]

    def draws_of(self, name: str, value: object) -> Mapping[str, Scalar] | None:
        """Return the label of the option that a value is, with what is drawn inside it."""
        for i, (option, inner) in enumerate(zip(self.options, self._inner, strict=True)):
            found = [
                one.draws_of(self._name(name, i, path), _at(value, path) if _has(value, path) else None)
                for path, one in inner.items()
            ]
            held = {path: _at(value, path) for path in inner if _has(value, path)}
            if None not in found and len(held) == len(inner) and _alike(_replaced(option, held), value):
                return {name: self.labels[i], **{key: entry for one in found if one for key, entry in one.items()}}
        return None

    def _name(self, name: str, i: int, path: Path) -> str:
        """Return the name of a setting inside an option; one that several options have is counted by option."""
        several = sum(path in inner for inner in self._inner) > 1
        return ".".join(map(str, (name, *([i + 1] if several else []), *path)))


def _distributions_in(value: object, path: Path = ()) -> Iterator[tuple[Path, Distribution]]:
    """Yield the distributions inside a plain value with their places."""
    if isinstance(value, Distribution):
        yield path, value
    elif isinstance(value, dict) and len(value) == 1 and (name := next(iter(value))) in Distribution.registered:
        inside = value[name]
        block = isinstance(inside, dict) and bool({"between", "options"} & inside.keys())
        if block or isinstance(
            inside, tuple | list
        ):  # else it is an initializer of the same name, such as uniform: 0.1
            yield path, Distribution.resolve(value)
            return
    if isinstance(value, dict | tuple | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            yield from _distributions_in(entry, (*path, key))


def _replaced(value: Any, drawn: Mapping[Path, Any], path: Path = ()) -> Any:
    """Return a plain value with other values at some places."""
    if path in drawn:
        return drawn[path]
    if isinstance(value, dict):
        return {key: _replaced(entry, drawn, (*path, key)) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_replaced(entry, drawn, (*path, i)) for i, entry in enumerate(value))
    return value


def _text(value: Any) -> str:
    """Return a plain value as people write it in a config."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_text(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_text, value))}]"
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _has(value: Any, path: Path) -> bool:
    try:
        _at(value, path)
    except (LookupError, TypeError):
        return False
    return True


def _alike(one: object, other: object) -> bool:
    """Return whether two plain values are the same: 1 is not True, and a list is a tuple."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other
