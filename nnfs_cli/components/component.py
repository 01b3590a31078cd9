"""A component: one class that is at once a YAML schema, its defaults and ranges, its documentation and its code.

A family (layer, loss, optimizer, ...) is a base class. Each component is a subclass that registers itself by name:

    class Layer(Component, family="layer"): ...
    class Linear(Layer, name="linear", main="units"):
        units: PositiveInt = Field(kw_only=False)
        bias: Switch = True

A subclass without a name stands for its base: it has the same name and main setting. A class that is defined again, in
a cell of a notebook or a module that is reloaded, takes the place of the earlier one. A field annotated with the family
accepts any of its components. All families share one grammar in a config:

    relu                                  # a name
    linear: 20                            # a name and its main setting
    linear: {units: 20, bias: false}      # a name and its settings
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, ValidationInfo
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from nnfs_cli.components.registry import Registry
from nnfs_cli.components.section import SENTENCE_ABOUT_KEY, Section, invalid
from nnfs_cli.errors import ExportError
from nnfs_cli.system.wording import did_you_mean, listing, named, shown, with_article


class Component(Section):
    """The base class of all families. The module's docstring shows how to declare a family and a component."""

    family: ClassVar[str] = ""
    name: ClassVar[str] = ""
    families: ClassVar[dict[str, type[Component]]] = {}  # every imported family, by name
    registered: ClassVar[Registry[type[Component]]] = Registry()  # every component of this family, by name
    needs: ClassVar[tuple[str, ...]] = ()  # attributes and methods that a component must define
    synonyms: ClassVar[Mapping[str, str]] = {}  # names that other tools give to components of this family
    examples: ClassVar[tuple[str, ...]] = ()  # YAML snippets, used as documentation and as test cases
    operations_of: ClassVar[Mapping[str, str]] = {}  # methods that say as operations of a pipeline what others compute

    def __init_subclass__(cls, *, family: str = "", name: str = "", main: str | None = None, **config: Any) -> None:
        super().__init_subclass__(**config)
        if not (family or name):
            return  # it stands for its base, with the same name and main setting
        cls.name, cls.main = name, main
        if family:
            cls.family, cls.registered = family, Registry()
            cls.families[family] = cls
        elif name in cls.registered and not cls._redefines(cls.registered[name]):
            raise TypeError(f"there are two components named '{name}' in the family '{cls.family}'")
        else:
            for base in cls.__mro__:
                for attribute in base.__dict__.get("needs", ()):
                    if getattr(cls, attribute, None) is getattr(base, attribute, None):
                        raise TypeError(f"the {cls.family} '{name}' does not define {attribute}")
            cls.registered[name] = cls

    @classmethod
    def _redefines(cls, other: type[Component]) -> bool:
        """Return whether this is the same class in the same file, run again, as in a cell of a notebook."""
        places = [getattr(sys.modules.get(one.__module__), "__file__", None) for one in (cls, other)]
        same = cls.__module__ == other.__module__ or (None not in places and len({*map(os.path.abspath, places)}) == 1)
        return same and cls.__qualname__ == other.__qualname__

    @classmethod
    def is_own(cls) -> bool:
        """Return whether this class is the user's own: it is defined outside nnfs."""
        return cls.__module__.partition(".")[0] != "nnfs_cli"

    def require_operations(self) -> None:
        """Raise `ExportError` if a class defines how it computes something, but not the operations of it."""
        order = type(self).__mro__
        for operations, method in self.operations_of.items():
            first = next(base for base in order if method in vars(base) or operations in vars(base))
            if operations not in vars(first):
                raise ExportError(
                    f"the {self.family} {self.name} has no method `{operations}`, so it cannot be exported"
                )

    @classmethod
    def title(cls) -> str:
        """Return the name of the component, or of the family, in messages."""
        return cls.name or cls.family

    @classmethod
    def example(cls) -> str:
        """Return the first example for messages, such as ", as in linear: 20", or the empty string."""
        return f", as in {cls.examples[0]}" if cls.examples else ""

    @classmethod
    def resolve(cls, value: object, info: ValidationInfo | None = None) -> Self:
        """Return the component that a value of a config describes.

        `value` is a name, a dictionary from a name to its settings, or a component of this family.
        """
        if isinstance(value, cls):
            return value
        match value:
            case str():
                name, settings = value, None
            case dict() if len(value) == 1:
                ((name, settings),) = value.items()
            case dict():
                keys = [str(key)[:40] for key in list(value)[:5]]
                found = (
                    f"the keys {listing(keys)}; settings go inside, as in {keys[0]}: {{...}}"
                    if keys
                    else "an empty block"
                )
                raise invalid(f"expected one {cls.family}, found {found}")
            case type() if issubclass(value, cls):
                raise invalid(f"{value.__name__} is a class; write {value.__name__}(...)")
            case _:
                raise invalid(f"expected the name of {with_article(cls.family)}, found {shown(value)}")
        component = cls.registered.get(str(name))
        if component is None:
            unknown = invalid(f"there is no {cls.family} {shown(name)}{cls.hint(str(name))}", at_key=True)
            if isinstance(value, str):
                raise invalid(str(unknown))
            raise ValidationError.from_exception_data(
                cls.family, [{"type": unknown, "loc": (str(name),), "input": name}]
            )
        if issubclass(cls, component):
            component = cls  # a subclass without a name
        if settings is None and (component.main is None or isinstance(value, str)):
            settings = {}
        elif component.main is None and not isinstance(settings, dict):
            raise invalid(f"{name} takes no bare value, found {shown(settings)}")
        try:
            return component.model_validate(settings, context=info and info.context)  # type: ignore[return-value]
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                component.name, [_nested_under(str(name), found) for found in error.errors(include_url=False)]
            ) from None

    @classmethod
    def hint(cls, name: str) -> str:
        """Return the end of a message about an unknown name: the closest known name, or all names."""
        meant = cls.synonyms.get(name.lower().replace("-", "_"), "")
        if meant in cls.registered:
            return f"; did you mean {named(meant)}?"
        if name in cls.elsewhere:
            return f"; {cls.elsewhere[name]}"
        return did_you_mean(name, cls.registered) or f"; there are {listing(sorted(cls.registered))}"

    def plain(self, context: dict[str, Any] | None = None) -> str | dict[str, Any]:
        """Return the component as plain values for a config, with every default spelled out."""
        settings = self.model_dump(mode="json", context=context)
        return {self.name: settings} if settings else self.name

    def brief(self) -> str | dict[str, Any]:
        """Return the component as plain values for a config, as short as possible: without defaults."""
        settings = self.model_dump(mode="json", exclude_defaults=True)
        if self.main and list(settings) == [self.main] and not isinstance(settings[self.main], dict):
            return {self.name: settings[self.main]}
        return {self.name: settings} if settings else self.name

    def label(self) -> str:
        """Return a short text that describes the component: its name and its main setting."""
        value = getattr(self, self.main) if self.main else ""
        if isinstance(value, tuple):
            value = " ".join(map(str, value)) if not any(isinstance(entry, Component) for entry in value) else ""
        elif isinstance(value, Component):
            value = value.label()
        return f"{self.name or type(self).__name__} {value}".rstrip()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let a field annotated with a family accept any component of it."""
        if "registered" not in cls.__dict__:
            return handler(source)
        return core_schema.with_info_plain_validator_function(
            cls.resolve,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda component, info: component.brief() if info.exclude_defaults else component.plain(info.context),
                info_arg=True,
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Represent a family by its name, because it may contain itself; `config.json_schema` expands the name."""
        return {"family": cls.family} if "registered" in cls.__dict__ else handler(schema)


def _nested_under(name: str, found: ErrorDetails) -> InitErrorDetails:
    sentence: PydanticCustomError = invalid(found["msg"], at_key=found["type"] == SENTENCE_ABOUT_KEY)
    return InitErrorDetails(type=sentence, loc=(name, *found["loc"]), input=found["input"])


def load_family(package: str, path: list[str]) -> None:
    """Import every module of a package, so that its components register without a list of their names.

    Where each component has a file of its own, `Registry.expect` imports it on demand instead.
    """
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")  # noqa: TID251 - only modules of the package
