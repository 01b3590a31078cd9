"""A component: one class that is at once a YAML schema, its defaults and ranges, its documentation and its code.

A family (layer, loss, optimizer, ...) is a base class; a member registers itself by its name:

    class Layer(Component, family="layer"): ...
    class Linear(Layer, name="linear", main="units"):
        units: PositiveInt
        bias: Switch = True

Wherever a field is annotated with the family, a config may then say, in one grammar for every family,

    relu                                  # a name
    linear: 20                            # a name and its main setting
    linear: {units: 20, bias: false}      # a name and its settings
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, ValidationInfo
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from nnfs_cli.components.section import OUR_WORDS_AT_KEY, Section, invalid
from nnfs_cli.system.wording import did_you_mean, listing, shown


class Component(Section):
    """Base of all families. See the module's text for how a family and a member are declared."""

    family: ClassVar[str] = ""
    name: ClassVar[str] = ""
    families: ClassVar[dict[str, type[Component]]] = {}  # by name; of all families that have been imported
    registered: ClassVar[dict[str, type[Component]]] = {}  # of this family, by name
    needs: ClassVar[tuple[str, ...]] = ()  # what a member must define: attributes and methods
    examples: ClassVar[tuple[str, ...]] = ()  # as they stand in a config; documentation and test cases at once

    def __init_subclass__(cls, *, family: str = "", name: str = "", main: str | None = None, **config: Any) -> None:
        super().__init_subclass__(**config)
        cls.name, cls.main = name, main
        if family:
            cls.family, cls.registered = family, {}
            cls.families[family] = cls
        elif name in cls.registered:
            raise TypeError(f"there are two components named '{name}' in the family '{cls.family}'")
        elif name:
            for base in cls.__mro__:
                for attribute in base.__dict__.get("needs", ()):
                    if getattr(cls, attribute, None) is getattr(base, attribute, None):
                        raise TypeError(f"the {cls.family} '{name}' does not say its {attribute}")
            cls.registered[name] = cls

    @classmethod
    def title(cls) -> str:
        """The component's name, as messages give it."""
        return cls.name or cls.family

    @classmethod
    def example(cls) -> str:
        """How it is written, for a message."""
        return f", as in {cls.examples[0]}" if cls.examples else ""

    @classmethod
    def resolve(cls, value: object, info: ValidationInfo | None = None) -> Self:
        """Turn what a config says into the member of this family that it names."""
        if isinstance(value, cls):
            return value
        match value:
            case str():
                name, settings = value, None
            case dict() if len(value) == 1:
                ((name, settings),) = value.items()
            case dict():
                keys = [str(key)[:40] for key in list(value)[:5]]
                inside = f"; settings go inside, as in {keys[0]}: {{...}}" if keys else ""
                raise invalid(f"expected one {cls.family}, found the keys {listing(keys) or 'none at all'}{inside}")
            case _:
                raise invalid(f"expected the name of a {cls.family}, found {shown(value)}")
        member = cls.registered.get(str(name))
        if member is None:
            unknown = invalid(f"there is no {cls.family} {shown(name)}{cls.hint(str(name))}", at_key=True)
            if isinstance(value, str):
                raise invalid(str(unknown))
            raise ValidationError.from_exception_data(
                cls.family, [{"type": unknown, "loc": (str(name),), "input": name}]
            )
        if settings is None and (member.main is None or isinstance(value, str)):
            settings = {}
        elif member.main is None and not isinstance(settings, dict):
            raise invalid(f"{name} takes no bare value, found {shown(settings)}")
        try:
            return member.model_validate(settings, context=info and info.context)  # type: ignore[return-value]
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                member.name, [_below(str(name), found) for found in error.errors(include_url=False)]
            ) from None

    @classmethod
    def hint(cls, name: str) -> str:
        """What to say after an unknown name: the nearest one, or all there are."""
        return did_you_mean(name, cls.registered) or f"; there are {listing(sorted(cls.registered))}"

    def plain(self, context: dict[str, Any] | None = None) -> str | dict[str, Any]:
        """The component in the grammar of a config, with every default spelled out."""
        settings = self.model_dump(mode="json", context=context)
        return {self.name: settings} if settings else self.name

    def brief(self) -> str | dict[str, Any]:
        """The component in the fewest words of that grammar: without defaults, and the main setting bare."""
        settings = self.model_dump(mode="json", exclude_defaults=True)
        if self.main and list(settings) == [self.main] and not isinstance(settings[self.main], dict):
            return {self.name: settings[self.main]}
        return {self.name: settings} if settings else self.name

    def label(self) -> str:
        """The component in a few words: its name and its main setting."""
        value = getattr(self, self.main) if self.main else ""
        if isinstance(value, tuple):
            value = " ".join(map(str, value)) if not any(isinstance(entry, Component) for entry in value) else ""
        elif isinstance(value, Component):
            value = value.label()
        return f"{self.name} {value}".rstrip()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A field annotated with a family takes any member of it; one annotated with a member takes that member."""
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
        """A family stands there by its name, since it may hold itself; `schema.py` says what the name means."""
        return {"family": cls.family} if "registered" in cls.__dict__ else handler(schema)


def _below(name: str, found: ErrorDetails) -> InitErrorDetails:
    sentence: PydanticCustomError = invalid(found["msg"], at_key=found["type"] == OUR_WORDS_AT_KEY)
    return InitErrorDetails(type=sentence, loc=(name, *found["loc"]), input=found["input"])


def load_family(package: str, path: list[str]) -> None:
    """Import every module of a package, so that its components register: a new one is a new file and nothing else."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")  # noqa: TID251 - a file of the package itself
