"""The installation as a Dagster resource: settings and providers, resolved when a run asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg

from enrichment_assets.domain.provider import Provider
from enrichment_assets.settings import Settings
from enrichment_assets.wire.addresses import build_providers

DESCRIPTION = """Where this installation is: home, databases, receiver, simulator. All of it comes from the environment
of the processes (docs/deployment.md). A run's configuration cannot set any of it."""


class PlatformResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where this installation is. Every field is optional and overrides the environment (tests, second homes).

    The fields are for code that builds `Definitions`. Run configuration has none of them: whoever can launch a run
    could otherwise send a client's data and the providers' keys to an address of theirs.
    """

    home: str | None = None
    hq_database_url: str | None = None
    workspace_database_url: str | None = None
    dagster_database_url: str | None = None
    receiver_url: str | None = None
    sandbox_url: str | None = None

    def get_resource_definition(self) -> dg.ResourceDefinition:  # type: ignore[override]
        """What Dagster sees: this object as it was built, with no configuration at all.

        An empty schema refuses every field at launch. `configured({})` would not: it accepts any configuration and
        drops the values given here.
        """
        return dg.ResourceDefinition(resource_fn=lambda _: self, config_schema={}, description=DESCRIPTION)

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
