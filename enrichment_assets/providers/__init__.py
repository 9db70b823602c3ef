"""The providers: what is particular to each outside service, one file each, in plain values. No network, no Dagster.

Each file has one subclass of `domain.provider.Provider`. A file that lies here is registered; there is no list to edit.
What providers have in common is elsewhere: `domain.http_answers` reads statuses, `wire` finds keys and sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from enrichment_assets.domain.provider import Provider


def kind_in(module: ModuleType) -> type[Provider]:
    """The provider that a file of this room defines.

    Raises:
        TypeError: It defines none, or several.
    """
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Provider) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} has to define one provider, and defines {len(found)}")
    return found[0]


def _found() -> dict[str, Provider]:
    kinds = [kind_in(import_module(f"{__name__}.{file.name}")) for file in iter_modules(__path__)]
    return {kind.name: kind(kind.home) for kind in kinds}


PROVIDERS: Mapping[str, Provider] = _found()
"""Every provider at its own address, by the name that workflows call it. `local` is none: it sends nothing."""


def build_providers(sandbox_url: str | None = None) -> dict[str, Provider]:
    """Provider name -> provider at its own address; with `sandbox_url`, each at `<sandbox_url>/<name>`."""
    if sandbox_url is None:
        return dict(PROVIDERS)
    base = sandbox_url.rstrip("/")
    return {name: replace(provider, base_url=f"{base}/{name}") for name, provider in PROVIDERS.items()}
