"""The IO manager of the code location: there is nothing for it to do.

Assets keep what they make in Postgres and in the warehouse. Without an IO manager of ours Dagster adds its own, whose
folder any run configuration may set.
"""

from __future__ import annotations

from typing import Any

import dagster as dg


class NoValues(dg.IOManager):
    """Refuses to keep or load a value that an asset returned."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Nothing to keep is fine; a value is a mistake of the asset's author."""
        if obj is not None:
            raise TypeError("an asset returned a value: return a MaterializeResult, values belong in a table")

    def load_input(self, context: dg.InputContext) -> Any:
        """There is nothing to load."""
        raise TypeError("an asset asked for the value of another one: read the table it made")


def no_values() -> dg.IOManagerDefinition:
    """The resource `io_manager`, without configuration."""
    return dg.IOManagerDefinition(
        resource_fn=lambda _: NoValues(),
        config_schema={},
        description="Assets of this platform pass no values: their tables are in Postgres and in the warehouse.",
    )
