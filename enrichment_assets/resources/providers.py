"""The providers as Dagster resources: what is in force for each of them, to be looked at in the UI.

The engine takes its providers from the platform resource. What is shown here comes from the provider's file, the
environment and the registry, and nothing of it can be set by a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from enrichment_assets.domain.patience import Limits
from enrichment_assets.domain.prices import Price
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.resources.closed import closed
from enrichment_assets.wire.secrets import secret_names

OWN_ADDRESS = "each workflow or client gives its own"


class ProviderResource(dg.ConfigurableResource[Any]):
    """One provider: where it is called, with whose keys, how fast and at what price."""

    title: str = Field(description="The provider's name.")
    address: str = Field(description="Where its requests go: the simulator's address where one is in force.")
    key_variables: list[str] = Field(
        description="Environment variables that its workflows take keys from. A client's configuration can name others."
    )
    limits: dict[str, str] = Field(description="Per workflow: how often it is called at most, and how many at once.")
    prices: dict[str, str] = Field(description="Per workflow: what one call is estimated to cost.")
    abilities: list[str] = Field(description="What it can do besides answering at once.")
    billing: str = Field(description="What the provider's bill counts.")
    documentation: str | None = Field(default=None, description="Where its API is described.")

    def get_resource_definition(self) -> dg.ResourceDefinition:  # type: ignore[override]
        """What Dagster sees: the fields, with no configuration at all."""
        description = f"{self.title}: what is in force here. A run's configuration cannot set any of it."
        return closed(self, description, self.model_dump())


def provider_resources(sandbox_url: str | None, workflows: Iterable[WorkflowDefinition]) -> dict[str, ProviderResource]:
    """Provider name -> resource.

    Args:
        sandbox_url: The simulator that is called instead of the providers; None: they are called themselves.
        workflows: Those of the registry.
    """
    known = list(workflows)
    return {
        name: _resource(provider, [workflow for workflow in known if workflow.provider == name])
        for name, provider in build_providers(sandbox_url).items()
    }


def _resource(provider: Provider, workflows: Sequence[WorkflowDefinition]) -> ProviderResource:
    named = {variable for workflow in workflows for variable in secret_names(workflow).values()}
    return ProviderResource(
        title=provider.title,
        address=provider.base_url or OWN_ADDRESS,
        key_variables=sorted(named | set(provider.default_variables().values())),
        limits={workflow.slug: said_limits(workflow.limits) for workflow in workflows},
        prices={workflow.slug: said_price(workflow.price) for workflow in workflows},
        abilities=sorted(provider.abilities),
        billing=provider.billing,
        documentation=provider.documentation or None,
    )


def said_limits(limits: Limits) -> str:
    """`15 a second, 500 a minute, 15 at once`."""
    rates: Mapping[str, float | None] = {
        "a second": limits.per_second,
        "a minute": limits.per_minute,
        "a day": limits.per_day,
    }
    return ", ".join([*(f"{rate:g} {per}" for per, rate in rates.items() if rate), f"{limits.concurrency} at once"])


def said_price(price: Price) -> str:
    """`0.049 USD, a miss 0 USD`."""
    miss = "" if price.not_found is None else f", a miss {price.not_found} {price.currency}"
    return f"{price.said}{miss}"
