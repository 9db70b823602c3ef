"""The simulated providers, one file each, mounted at `/<name>`."""

from __future__ import annotations

from enrichment_assets.sandbox.providers.apollo import Apollo
from enrichment_assets.sandbox.providers.base import SimulatedProvider
from enrichment_assets.sandbox.providers.clay import Clay
from enrichment_assets.sandbox.providers.generic import GenericHttp
from enrichment_assets.sandbox.providers.hunter import Hunter
from enrichment_assets.sandbox.providers.n8n import N8n
from enrichment_assets.sandbox.providers.zenrows import ZenRows


def all_providers() -> dict[str, SimulatedProvider]:
    """Fresh instances of every provider by name (some remember what they owe)."""
    kinds = (Apollo, Hunter, ZenRows, Clay, N8n, GenericHttp)
    return {kind.name: kind() for kind in kinds}
