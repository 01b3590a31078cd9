"""What Python's tools show of a block of settings: its signature, its docstring and its names."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel

_MADE = {  # names that Python and pydantic give to every section
    "__abstractmethods__",
    "__annotations__",
    "__class_vars__",
    "__hash__",
    "__private_attributes__",
    "__signature__",
    "model_config",
    "model_post_init",
}

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass

    from nnfs_cli.components.section import Section

    Reflected = ModelMetaclass  # under this name, type checkers know what it means
else:

    class Reflected(type(BaseModel)):
        """The class of sections, which says what `help`, `dir` and the Tab key show of them."""

        def __dir__(self) -> list[str]:
            """Return the names that this project or Python defines."""
            return own_names(self, super().__dir__())

        @property
        def __doc__(self) -> str | None:
            """The docstring with the description of each setting below it.

            It is put together when somebody reads it, as the descriptions are parsed from the source.
            """
            if not vars(self).get("__doc__"):
                return None
            try:
                described = self.descriptions()
            except (OSError, TypeError, SyntaxError):  # a class without source, as in an interactive session
                described = {}
            settings = [f"{key}: {described[key]}" for key in self.model_fields if key in described]
            lines = [textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="      ") for text in settings]
            return "\n".join([self.about(), "", "Settings:", *lines]) if lines else self.about()

        @property
        def __signature__(self) -> inspect.Signature:
            """The signature: the main setting by position, the others by name."""
            return _signature(self)

        @__signature__.setter
        def __signature__(self, made: object) -> None:
            """Ignore the signature that pydantic makes."""


def own_names(cls: type, names: Iterable[str]) -> list[str]:
    """Return those of the names of a class that pydantic has not defined."""
    return [
        name
        for name in names
        if name not in _MADE
        and not name.startswith("__pydantic")
        and next((base for base in cls.__mro__ if name in vars(base)), None) is not BaseModel
    ]


def _signature(section: type[Section]) -> inspect.Signature:
    required = inspect.Parameter.empty
    by_name = [
        inspect.Parameter(
            key,
            inspect.Parameter.POSITIONAL_OR_KEYWORD if key == section.main else inspect.Parameter.KEYWORD_ONLY,
            default=required if field.is_required() else field.get_default(call_default_factory=True),
        )
        for key, field in section.model_fields.items()
    ]
    return inspect.Signature(sorted(by_name, key=lambda parameter: parameter.kind))
