"""The simulated providers, one file each, mounted at `/<name>`."""

from __future__ import annotations

from enrichment_assets.sandbox.providers.apollo import Apollo
from enrichment_assets.sandbox.providers.base import SimulatedProvider
from enrichment_assets.sandbox.providers.chat import OpenAICompatible, Perplexity
from enrichment_assets.sandbox.providers.clay import Clay
from enrichment_assets.sandbox.providers.gateway import Gateway
from enrichment_assets.sandbox.providers.generic import GenericHttp
from enrichment_assets.sandbox.providers.hunter import Hunter
from enrichment_assets.sandbox.providers.n8n import N8n
from enrichment_assets.sandbox.providers.pdl import PeopleDataLabs
from enrichment_assets.sandbox.providers.serper import Serper
from enrichment_assets.sandbox.providers.zenrows import ZenRows

KINDS: tuple[type[SimulatedProvider], ...] = (
    Apollo,
    Hunter,
    ZenRows,
    Clay,
    N8n,
    GenericHttp,
    PeopleDataLabs,
    Serper,
    OpenAICompatible,
    Perplexity,
    Gateway,
)


def all_providers() -> dict[str, SimulatedProvider]:
    """Fresh instances of every provider by name (some remember what they owe)."""
    return {kind.name: kind() for kind in KINDS}
