"""Storing results where configuration says: set-based, typed, upserted, per client.

At least once: results are upserted into the destination first and marked stored after, so that a crash in between
only repeats an upsert. A workflow's code knows no table name; its row in the registry does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from enrichment_assets.domain.coercion import UNFIT, coerce
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.mapping import Expression
from enrichment_assets.domain.workflow import Destination
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results import destinations
from enrichment_assets.store.states import transitions

CHUNK = 1_000
"""Results that are written and noted as stored together."""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What one workflow stored: rows written, and per column how many values did not fit its type (stored as null).

    `problem`: why its destination could not be written; its results stay unstored, and a later run stores them.
    """

    workflow: str
    table: str
    rows: int
    unfit: Mapping[str, int]
    problem: str | None = None


# crash point: results-are-stored
def store_results(hq: Hq, batch_key: str) -> dict[str, StoreReport]:
    """Store every result of the batch that has a destination and is not stored yet. Workflow slug -> report.

    A destination that cannot be written (its table is missing, has other types, or may not be touched) keeps no other
    from being written: its report says why.

    Raises:
        InfrastructureError: A database cannot be reached.
    """
    batch = load_batch(hq, batch_key)
    reports = {}
    for step in batch.blueprint.steps:
        destination = step.workflow.destination
        if destination is None:
            continue
        try:
            refuse_reserved_name(step.workflow)
            reports[step.slug] = _store(hq, batch, step.slug, destination)
        except ConfigurationError as error:
            reports[step.slug] = StoreReport(step.slug, destination.table, 0, {}, str(error))
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except psycopg.Error as error:
            problem = f"the table {destination.table!r} cannot be written: {described(error)}"
            reports[step.slug] = StoreReport(step.slug, destination.table, 0, {}, problem)
    return reports


def _store(hq: Hq, batch: Batch, slug: str, destination: Destination) -> StoreReport:
    target = hq.workspace if destination.database == "workspace" else hq
    mapping = _Mapping(batch, slug, destination)
    written = 0
    with hq.transaction() as connection:
        waiting = destinations.unstored_items(connection, batch.batch_id, slug)
    for start in range(0, len(waiting), CHUNK):
        with hq.transaction() as connection:
            chunk = destinations.unstored_results(connection, slug, waiting[start : start + CHUNK])
        with target.transaction() as connection:
            if start == 0:
                destinations.ensure_table(connection, destination, slug)
            written += destinations.upsert(connection, destination, [mapping.row(result) for result in chunk])
        with hq.transaction() as connection:
            transitions.mark_stored(connection, slug, [(r["item_id"], r["fetched_at"]) for r in chunk])
    return StoreReport(slug, destination.table, written, dict(mapping.unfit))


class _Mapping:
    """`destination_field_mappings` compiled: a result row in, a destination row out."""

    def __init__(self, batch: Batch, slug: str, destination: Destination) -> None:
        self._batch = batch
        self._slug = slug
        self._columns = [
            (name, Expression(column.source, f"workflow {slug}, destination.columns.{name}"), column.type)
            for name, column in destination.columns.items()
        ]
        self.unfit: Counter[str] = Counter()

    def row(self, result: Mapping[str, Any]) -> tuple[Any, ...]:
        seen = {"item": result["item"], "fields": result["fields"], "payload": result["payload"]}
        return (
            self._batch.client_slug,
            self._batch.batch_key,
            result["item_id"],
            self._slug,
            result["fetched_at"],
            *(self._value(name, expression, kind, seen) for name, expression, kind in self._columns),
        )

    def _value(self, name: str, expression: Expression, kind: str, seen: Mapping[str, Any]) -> Any:
        try:
            value = coerce(expression(seen), kind)
        except ContractError:
            value = UNFIT
        if value is UNFIT:
            self.unfit[name] += 1
            return None
        return value
