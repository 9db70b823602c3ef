"""The leads of a batch as `final_leads` has them, read in pieces: a batch may have a million."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse, project_of
from enrichment_assets.warehouse.copies import brought

AT_ONCE = 5_000
"""Leads that are in memory at once."""


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A row of `final_leads`: its item, the columns that were asked for, and whether all its steps have ended."""

    item_id: int
    row_number: int
    is_finished: bool
    values: dict[str, Any]


def lead_rows(
    settings: Settings, client: str, batch_key: str, columns: Collection[str], delivery: str
) -> Iterator[list[LeadRow]]:
    """The leads of an extracted batch by item, some thousands at a time; a column without a value is null.

    Raises:
        ConfigurationError: `final_leads` has none of that name: nobody declares the column any more.
    """
    there = project_of(brought(settings, client_slug=client, batch_key=batch_key)).models["final_leads"].columns
    names = [column.name for column in there]
    if missing := [name for name in columns if name not in names]:
        raise ConfigurationError(
            f"delivery {delivery}: a lead has no column {missing[0]!r}: {instead(missing[0], sorted(names))}",
            code="delivery.no_column",
        )
    question = _question(sorted(columns))
    connection = open_warehouse(settings, client_slug=client, batch_key=batch_key, question=question)
    try:
        found = connection.execute(question)
        while rows := found.fetchmany(AT_ONCE):
            yield [LeadRow(item, number, finished, orjson.loads(text)) for item, number, finished, text in rows]
    finally:
        connection.close()


def _question(columns: Sequence[str]) -> str:
    members = ", ".join(f"'{name}': \"{name}\"" for name in columns)
    return f"select item_id, row_number, is_finished, to_json({{{members}}}) from final_leads order by item_id"
