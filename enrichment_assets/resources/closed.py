"""A resource that shows its fields in the UI and takes none of them from run configuration.

Whoever can launch a run could otherwise send a client's data and the providers' keys to an address of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg


def closed(
    resource: dg.ConfigurableResource[Any], description: str, in_force: Mapping[str, Any]
) -> dg.ResourceDefinition:
    """What Dagster sees of a resource: this object, and its fields with what is in force as their defaults.

    A run's configuration is held against the outer, empty schema, which refuses every field. `configured({})` would
    not: it accepts any configuration and drops the values that the object was built with.

    Args:
        resource: As it was built.
        description: What the UI says of it as a whole.
        in_force: Field -> what is shown for it; every field of the resource, None where there is nothing.
    """

    def itself(_: dg.InitResourceContext) -> object:
        return resource

    itself.__module__, itself.__name__ = type(resource).__module__, type(resource).__name__  # the type in the UI
    fields = {
        name: _shown(in_force[name], field.description or "") for name, field in type(resource).model_fields.items()
    }
    shown = dg.ResourceDefinition(resource_fn=itself, config_schema=fields)
    return shown.configured(lambda _: {}, config_schema={}, description=description)


def _shown(value: Any, description: str) -> dg.Field:
    if value is None:
        return dg.Field(str, is_required=False, description=description)
    return dg.Field(type(value), default_value=value, description=description)
