"""The providers' names, apart from their resources: naming one should not load Dagster."""

from __future__ import annotations

LOCAL = "local"
"""The provider of workflows that are computed here; it sends nothing and has no resource."""

PROVIDER_NAMES = (LOCAL, "apollo", "hunter", "zenrows", "clay", "n8n", "http")
"""Every provider that a workflow may name. Clay, n8n and http have no address in common: it is the user's own."""

OWN_ADDRESS = frozenset({"clay", "n8n", "http"})
"""Providers whose requests may go to any address that the configuration names."""
