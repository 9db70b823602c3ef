"""The installation as a Dagster resource: settings and providers, resolved when a run asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dagster import ConfigurableResource

from enrichment_assets.domain.provider import Provider
from enrichment_assets.resources.providers import build_providers
from enrichment_assets.settings import Settings


class PlatformResource(ConfigurableResource):  # type: ignore[type-arg]
    """Where this installation is. Every field is optional and overrides the environment (tests, second homes)."""

    home: str | None = None
    hq_database_url: str | None = None
    workspace_database_url: str | None = None
    dagster_database_url: str | None = None
    receiver_url: str | None = None
    sandbox_url: str | None = None

    def settings(self) -> Settings:
        """The settings of the environment, with this resource's fields over them."""
        given = {
            "hq_database_url": self.hq_database_url,
            "workspace_database_url": self.workspace_database_url,
            "dagster_database_url": self.dagster_database_url,
            "receiver_url": self.receiver_url,
            "sandbox_url": self.sandbox_url,
        }
        settings = replace(Settings.from_environment(), **{k: v for k, v in given.items() if v})  # type: ignore[arg-type]
        return replace(settings, home=Path(self.home).absolute()) if self.home else settings

    def providers(self) -> dict[str, Provider]:
        """The providers by name; all at the sandbox when `sandbox_url` is set."""
        return build_providers(self.settings().sandbox_url)
