"""Where what was found lands: a table, its key, and what each of its columns is read from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from enrichment_assets.domain.parts import Identifier, Part


class DestinationColumn(Part):
    """One column of a destination table: a JMESPath over `{item, fields, payload}` and a type to cast to."""

    source: str = Field(alias="from")
    type: Literal["text", "integer", "bigint", "numeric", "boolean", "date", "timestamptz", "jsonb"] = "text"

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _shorthand(value: object) -> object:
    """`email: fields.email` is short for `email: {from: fields.email, type: text}`."""
    return {k: {"from": v} if isinstance(v, str) else v for k, v in value.items()} if isinstance(value, dict) else value


MappedColumns = Annotated[dict[Identifier, DestinationColumn], BeforeValidator(_shorthand)]
"""Columns of a table by name, each with what it is read from."""


class Destination(Part):
    """Where results land besides `enrichment_results`: upserted, typed, always keyed by the client.

    Every destination table has `client_slug`, `batch_key`, `item_id`, `workflow_slug`, `fetched_at` besides the
    mapped columns. `key` are the mapped or built-in columns that identify a row within a client.
    """

    database: Literal["workspace", "hq"] = "workspace"
    table: Identifier
    create: bool = False
    key: list[Identifier] = Field(default_factory=lambda: ["batch_key", "item_id"], min_length=1)
    columns: MappedColumns = Field(min_length=1)
