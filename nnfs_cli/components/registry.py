"""The registry of a family: its components by name, each imported when it is first asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Generic, TypeVar

Kind = TypeVar("Kind")


class Registry(MutableMapping[str, Kind], Generic[Kind]):
    """Components by name, in the order of their names.

    A component in a file of its own, which has its name, is imported when somebody asks for this name. Whoever goes
    through the registry imports all of them. So a command pays for no layer but those of its net.
    """

    def __init__(self) -> None:
        self._registered: dict[str, Kind] = {}
        self._modules: dict[str, str] = {}  # the module of each component that has a file of its own

    def expect(self, package: str, path: Iterable[str]) -> None:
        """Let the modules of a package be imported on demand; each defines the component of its name, if any."""
        self._modules |= {module.name: f"{package}.{module.name}" for module in pkgutil.iter_modules(path)}

    def imported(self) -> list[Kind]:
        """Return the components that have been imported so far; those of users always are."""
        return [*self._registered.values()]

    def __getitem__(self, name: str) -> Kind:
        """Return a component. Raises `KeyError` if there is none of this name."""
        if name not in self._registered and name in self._modules:
            importlib.import_module(self._modules[name])  # noqa: TID251 - only modules of the package
        return self._registered[name]

    def __setitem__(self, name: str, kind: Kind) -> None:
        """Register a component."""
        self._registered[name] = kind

    def __delitem__(self, name: str) -> None:
        """Forget a component."""
        del self._registered[name]

    def __iter__(self) -> Iterator[str]:
        """Import all components, and iterate over their names."""
        for module in self._modules.values():
            importlib.import_module(module)  # noqa: TID251 - only modules of the package
        return iter(sorted(self._registered))

    def __len__(self) -> int:
        """Import all components, and return how many there are."""
        return sum(1 for _ in self)
