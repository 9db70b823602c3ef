"""Families into their tables: all rows of one in one transaction, once nothing of it is open (docs/families.md).

At least once: the tables are written first and the family is noted after, so that a crash in between repeats an upsert
of the same rows. Nobody sees a half of a family, whoever dies.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import psycopg

from enrichment_assets.domain.coercion import UNFIT, coerce
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expressions import Expression, truthy
from enrichment_assets.domain.families import Families, FamilyStatus, FamilyTable
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.services.catalog.destination_names import refuse_reserved_table
from enrichment_assets.store.database import Connection
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results import families as store
from enrichment_assets.store.results import family_tables, own_tables
from enrichment_assets.store.results.families import EndedFamily, FamilyRow, Relatives
from enrichment_assets.store.results.own_tables import Origin
from enrichment_assets.store.runs.contexts import LoadedItem

CHUNK = 100
"""Families that are loaded and written together."""

_BEHIND_ALL = 1_000_000
"""A position behind every step: what is read there has all answers."""
_LONGEST_REASON = 500


@dataclass(slots=True)
class FamilyReport:
    """What one look came to: families that were written and that ended as `stopped`.

    Attributes:
        unfit: `table.column` -> values that did not fit its type (stored as null; in a table of the user's own what
            stood there stays).
        problems: Why tables could not be written -> families that wait for that.
    """

    written: int = 0
    failed: int = 0
    stopped: int = 0
    unfit: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)


def write_families(hq: Hq, batch: Batch, *, again: bool = False) -> FamilyReport:
    """Write the tables of every family that has ended since the last look. Nothing, where the pipeline has none.

    `again`: also of those whose tables could not be written before.

    Raises:
        InfrastructureError: A database cannot be reached.
    """
    report, settings = FamilyReport(), batch.blueprint.families
    if settings is None:
        return report
    with hq.transaction() as connection:
        ended = store.ended_families(connection, batch.batch_id, settings.of, again=again)
    mapping = _Mapping(settings)
    for start in range(0, len(ended), CHUNK):
        _write_chunk(hq, batch, mapping, ended[start : start + CHUNK], report)
    return report


@dataclass(frozen=True, slots=True)
class _Told:
    """A family as it is to be noted, its roots, and its rows by table."""

    row: FamilyRow
    roots: Sequence[int]
    rows: Mapping[str, Sequence[family_tables.Row]]


class _Mapping:
    """A pipeline's `families` compiled."""

    def __init__(self, settings: Families) -> None:
        self.settings = settings
        self.failed_if = [(one.reason, Expression(one.when, "families.failed_if")) for one in settings.failed_if]
        self._columns = {
            table.table: [
                (name, Expression(column.source, f"families.tables.{table.table}.columns.{name}"), column.type)
                for name, column in table.columns.items()
            ]
            for table in settings.tables
        }

    def row(self, table: FamilyTable, document: Mapping[str, Any], unfit: Counter[str]) -> tuple[Any, ...]:
        """The mapped columns of one item; what does not fit its type is null, and counted."""
        values = []
        for name, expression, kind in self._columns[table.table]:
            try:
                value = coerce(expression(document), kind)
            except ContractError:
                value = UNFIT
            if value is UNFIT:
                unfit[f"{table.table}.{name}"] += 1
                value = None
            values.append(value)
        return tuple(values)


def _write_chunk(hq: Hq, batch: Batch, mapping: _Mapping, ended: Sequence[EndedFamily], report: FamilyReport) -> None:
    told = list(_told(hq, batch, mapping, ended, report))
    lasting = [one for one in told if one.row.status is not FamilyStatus.STOPPED]
    problems = dict(_written(hq, batch, mapping.settings, lasting, report.unfit))
    noted = [replace(one.row, problem=problems.get(one.row.item_id)) for one in told]
    with hq.transaction() as connection:
        store.note_families(connection, batch.batch_id, batch.client_id, noted)
    report.problems.update(problems.values())
    report.written += len(lasting) - len(problems)
    report.failed += sum(row.status is FamilyStatus.FAILED for row in noted)
    report.stopped += len(told) - len(lasting)


def _written(
    hq: Hq, batch: Batch, settings: Families, told: Sequence[_Told], unfit: Counter[str]
) -> Iterator[tuple[int, str]]:
    """Write families; (first root, why not) of those that could not be. `unfit` gets the values that were left out.

    All in one transaction, and where a row of one is refused, each in its own: it keeps no other from being written.
    """
    if not told:
        return
    with hq.transaction() as connection:
        brought = own_tables.origins(connection, [item for one in told for item in one.roots])
    try:
        with hq.workspace.transaction() as connection:
            left_out = _write(connection, batch, settings, told, brought)
        unfit.update(left_out)
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except (psycopg.Error, ConfigurationError) as error:
        if len(told) > 1:
            for one in told:
                yield from _written(hq, batch, settings, [one], unfit)
            return
        said = str(error) if isinstance(error, ConfigurationError) else f"a table cannot be written: {described(error)}"
        yield told[0].row.item_id, said


def _write(
    connection: Connection, batch: Batch, settings: Families, told: Sequence[_Told], brought: Mapping[int, Origin]
) -> Counter[str]:
    """Write all rows of families; `table.column` -> values that a table of the user's own could not have."""
    pipeline, unfit = batch.blueprint.pipeline, Counter[str]()
    for table in settings.tables:
        refuse_reserved_table(table.table, f"pipeline {pipeline}, families")
        rows = [row for one in told for row in one.rows[table.table]]
        own = own_tables.users_own(connection, table) if table.create else None
        if own is not None:
            unfit += own_tables.write_own_rows(connection, own, table, rows, brought, pipeline)
        else:
            family_tables.ensure_table(connection, table, pipeline)
            family_tables.write_rows(connection, table, rows)
    return unfit


def _told(
    hq: Hq, batch: Batch, mapping: _Mapping, ended: Sequence[EndedFamily], report: FamilyReport
) -> Iterator[_Told]:
    settings = mapping.settings
    with hq.transaction() as connection:
        related = store.relatives(connection, batch.batch_id, settings.of, [one.item_id for one in ended])
    ids = [item for one in related.values() for item in (*one.roots, *one.children)]
    items = {item.item_id: item for item in load(hq, ids, batch.blueprint)}
    with hq.transaction() as connection:
        states = store.states_now(connection, batch.batch_id, related)
    for one in ended:
        if states.get(one.item_id) != one.state:
            continue  # somebody retried or corrected it while it was read: the next look has it whole
        yield _family(batch, mapping, one, related[one.item_id], items, report.unfit)


def _family(
    batch: Batch,
    mapping: _Mapping,
    ended: EndedFamily,
    relatives: Relatives,
    items: Mapping[int, LoadedItem],
    unfit: Counter[str],
) -> _Told:
    cost, currency = _money(batch, relatives.costs)
    seconds = None if relatives.began_at is None else max((ended.ended_at - relatives.began_at).total_seconds(), 0)
    children = [
        item
        for item in relatives.children
        if item not in relatives.suppressed and items[item].original  # erased: {}
    ]
    about = {"cost": cost, "currency": currency, "seconds": seconds, "children": len(children)}
    roots = [_document(batch, items[item], relatives, items) for item in relatives.roots]
    status, reason = _ending(mapping, {**roots[0], "family": about}, relatives)
    family = {**about, "status": status.value, "reason": reason}
    documents = {
        "root": roots,
        "children": [_document(batch, items[item], relatives, items) for item in children],
    }
    rows = {
        table.table: [
            (
                batch.client_slug, batch.batch_key, document["item"]["id"], batch.blueprint.pipeline, ended.ended_at,
                *mapping.row(table, {**document, "family": family}, unfit),
            )
            for document in documents[table.rows]
        ]
        for table in mapping.settings.tables
    }  # fmt: skip
    failed_item, slug, _, _ = relatives.failed or (None, None, None, None)
    whole = None if seconds is None else round(seconds)
    row = FamilyRow(
        ended.item_id, status, reason, slug, failed_item, len(children), cost, whole, ended.ended_at, ended.state
    )
    return _Told(row, relatives.roots, rows)


def _ending(mapping: _Mapping, root: Mapping[str, Any], relatives: Relatives) -> tuple[FamilyStatus, str | None]:
    """How the family ended, and why."""
    if relatives.stopped is not None:
        return FamilyStatus.STOPPED, relatives.stopped
    if relatives.failed is not None:
        _, slug, error_class, reason = relatives.failed
        return FamilyStatus.FAILED, f"{slug}: {reason or error_class or 'failed'}"[:_LONGEST_REASON]
    for reason, expression in mapping.failed_if:
        try:
            if truthy(expression(root)):
                return FamilyStatus.FAILED, reason
        except ContractError:
            return FamilyStatus.FAILED, f"{reason}: the expression does not fit"
    return FamilyStatus.ENRICHED, None


def _document(batch: Batch, item: LoadedItem, relatives: Relatives, items: Mapping[int, LoadedItem]) -> dict[str, Any]:
    """What the expressions of a table see of one item (`domain.families.DOCUMENT`), without the family."""
    root = item
    while root.parent_id is not None:
        root = items[root.parent_id]
    own = _of_item(batch, item, root, relatives)
    return {
        **own,
        "root": own if item is root else _of_item(batch, root, root, relatives),
        "batch": {"key": batch.batch_key, "client": batch.client_slug, "pipeline": batch.blueprint.pipeline},
    }


def _of_item(batch: Batch, item: LoadedItem, root: LoadedItem, relatives: Relatives) -> dict[str, Any]:
    return {
        "item": {
            "id": item.item_id,
            "row_number": item.row_number,
            "parent_id": item.parent_id,
            "company_key": item.company_key,
            "key": _key(batch, item, root, relatives),
            **item.identity,
        },
        "fields": item.fields_at(_BEHIND_ALL),
        "original": item.original or {},
        "steps": {slug: state.outcome or state.status.value.lower() for slug, state in item.states.items()},
    }


def _key(batch: Batch, item: LoadedItem, root: LoadedItem, relatives: Relatives) -> str:
    """32 hexadecimal digits that are an item's in every batch of the client that says the same of it.

    A root is known by its company, where its row names one; a child by what its emitter names it by, at its root.
    """
    known = root.company_key or f"{batch.batch_key}/{relatives.names[root.item_id]}"
    own = "" if item is root else relatives.names[item.item_id]
    return hashlib.sha256(f"{batch.client_slug}\n{known}\n{own}".encode()).hexdigest()[:32]


def _money(batch: Batch, costs: Mapping[str, Decimal]) -> tuple[Decimal | None, str | None]:
    """What the family cost, and in what; neither where its steps are paid in several currencies."""
    paid = {slug for slug, cost in costs.items() if cost}
    currencies = {step.workflow.price.currency for step in batch.blueprint.steps if step.slug in paid}
    if len(currencies) > 1:
        return None, None
    return sum(costs.values(), Decimal(0)), next(iter(currencies), None)
