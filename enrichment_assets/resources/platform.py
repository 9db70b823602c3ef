"""The installation as a Dagster resource: settings and providers, resolved when a run asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg
from pydantic import Field

from enrichment_assets.domain.provider import Provider
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.resources.closed import closed
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import place
from enrichment_assets.store.hq import Hq

DESCRIPTION = """Where this installation is: home, databases, receiver, simulator. All of it comes from the environment
of the processes (docs/deployment.md). A run's configuration cannot set any of it."""


class PlatformResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where this installation is. Every field is optional and overrides the environment (tests, second homes).

    The fields are for code that builds `Definitions`. Run configuration has none of them: whoever can launch a run
    could otherwise send a client's data and the providers' keys to an address of theirs.
    """

    home: str | None = Field(
        default=None,
        description="The installation's folder: uploads, inbox, warehouse, embedded database (ENRICH_HOME).",
    )
    hq_database_url: str | None = Field(
        default=None, description="The operational database, without its password (HQ_DATABASE_URL)."
    )
    workspace_database_url: str | None = Field(
        default=None, description="Where results are published to, without its password (WORKSPACE_DATABASE_URL)."
    )
    dagster_database_url: str | None = Field(
        default=None, description="Dagster's own tables, without its password (DAGSTER_DATABASE_URL)."
    )
    receiver_url: str | None = Field(default=None, description="Where providers call us back (ENRICH_RECEIVER_URL).")
    sandbox_url: str | None = Field(
        default=None, description="The simulator that is called instead of all providers (ENRICH_SANDBOX_URL)."
    )

    def get_resource_definition(self) -> dg.ResourceDefinition:  # type: ignore[override]
        """What Dagster sees: the fields as they are in force when the code location is loaded, none to be set."""
        settings = self.settings()
        return closed(
            self,
            DESCRIPTION,
            {
                "home": str(settings.home),
                "hq_database_url": _database(settings.hq_database_url),
                "workspace_database_url": _database(settings.workspace_database_url),
                "dagster_database_url": _database(settings.dagster_database_url),
                "receiver_url": settings.receiver_url,
                "sandbox_url": settings.sandbox_url or "none: providers are called themselves",
            },
        )

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

    def open_hq(self) -> Hq:
        """The handle for the databases of this installation; who asks closes it: `with platform.open_hq() as hq:`."""
        return open_hq(self.settings())

    def providers(self) -> dict[str, Provider]:
        """The providers by name; all at the sandbox when `sandbox_url` is set."""
        return build_providers(self.settings().sandbox_url)


def _database(url: str | None) -> str:
    """Which database a URL names, for people: never user, password or options."""
    return "on the server of this installation" if url is None else place(url)
