"""The simulated providers, mounted at `/<name>`. A class with a name that lies here is registered; no list."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from enrichment_assets.sandbox.providers.base import SimulatedProvider


def _kinds() -> list[type[SimulatedProvider]]:
    modules = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, SimulatedProvider)
        and value.__module__ == module.__name__
        and "name" in vars(value)
    ]


def _one_a_name(kinds: list[type[SimulatedProvider]]) -> tuple[type[SimulatedProvider], ...]:
    """The same; raises `TypeError` where two have one name: the one would stand where the other is asked for."""
    names = [kind.name for kind in kinds]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TypeError(f"two simulated providers are called {twice[0]}")
    return tuple(kinds)


KINDS = _one_a_name(_kinds())
"""Every simulated provider."""


def all_providers() -> dict[str, SimulatedProvider]:
    """Fresh instances of every provider by name (some remember what they owe)."""
    return {kind.name: kind() for kind in KINDS}
