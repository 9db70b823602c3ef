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
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mapping import ContractError, Expression
from enrichment_assets.domain.workflow import Destination
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect, open_databases
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.results import destinations
from enrichment_assets.store.states import transitions


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
def store_results(settings: Settings, batch_key: str) -> dict[str, StoreReport]:
    """Store every result of the batch that has a destination and is not stored yet. Workflow slug -> report.

    A destination that cannot be written (its table is missing, has other types, or may not be touched) keeps no other
    from being written: its report says why.

    Raises:
        InfrastructureError: A database cannot be reached.
    """
    batch = load_batch(settings, batch_key)
    reports = {}
    for step in batch.blueprint.steps:
        destination = step.workflow.destination
        if destination is None:
            continue
        try:
            refuse_reserved_name(step.workflow)
            reports[step.slug] = _store(settings, batch, step.slug, destination)
        except ConfigurationError as error:
            reports[step.slug] = StoreReport(step.slug, destination.table, 0, {}, str(error))
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except psycopg.Error as error:
            problem = f"the table {destination.table!r} cannot be written: {described(error)}"
            reports[step.slug] = StoreReport(step.slug, destination.table, 0, {}, problem)
    return reports


def _store(settings: Settings, batch: Batch, slug: str, destination: Destination) -> StoreReport:
    databases = open_databases(settings)
    target_url = databases.workspace if destination.database == "workspace" else databases.hq
    mapping = _Mapping(batch, slug, destination)
    written = 0
    with connect(databases.hq) as hq, connect(target_url) as target:
        prepared = False
        for chunk in destinations.unstored_results(hq, batch.batch_id, slug):
            if not prepared:
                destinations.ensure_table(target, destination, slug)
                prepared = True
            written += destinations.upsert(target, destination, [mapping.row(result) for result in chunk])
            target.commit()
            transitions.mark_stored(hq, slug, [(r["item_id"], r["fetched_at"]) for r in chunk])
            hq.commit()
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
