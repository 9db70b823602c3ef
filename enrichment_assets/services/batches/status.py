"""Where a batch stands: its row, its counts, and why. Loads nothing of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.money import Money, sums
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.priorities import Priority
from enrichment_assets.installation.running_stack import running_stack
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.services.operations.standing import Standing, standing_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.held_calls import HeldCalls, since_held
from enrichment_assets.store.batches.holds import Hold, read_holds
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results import families
from enrichment_assets.store.states import batch_states
from enrichment_assets.store.states.batch_states import BatchRow, WorkflowCounts


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Where a batch stands.

    `reasons`: why states stand where they stand, with how many do and what to do about it; of one batch only.
    `holds`: what a person, the batch's own guard or a budget paused or cancelled: workflow slug, or `*` for all of it;
    `held_calls`: what became of the calls that were under way then, by the same names, of one batch only.
    Once laid out, `items` = `rows` - `rejected` + `children` (items that workflows emitted). `currencies`: of each
    workflow's price, by its slug; `cost` adds up the numbers whatever their currency, `costs` does not.
    `limit`: it is a pilot of the upload's first so many readable rows; None: it has all.
    `unwritten`: why rows with their children have ended and are not in their tables -> how many; of one batch only.
    """

    batch: str
    client: str
    pipeline: str
    upload_id: int
    filename: str
    rows: int
    rejected: int
    items: int
    children: int
    done: int
    cost: Decimal
    priority: Priority
    finished: bool
    extracted: bool
    workflows: tuple[WorkflowCounts, ...]
    reasons: tuple[Standing, ...] = ()
    holds: Mapping[str, Hold] = field(default_factory=dict)
    held_calls: Mapping[str, tuple[HeldCalls, ...]] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    unwritten: Mapping[str, int] = field(default_factory=dict)

    def cost_of(self, row: WorkflowCounts) -> Money:
        """What one of its workflows has cost."""
        return Money(row.cost, self.currencies.get(row.slug, ""))

    @property
    def costs(self) -> list[Money]:
        """What the batch has cost, one sum per currency."""
        return [total for total in sums(map(self.cost_of, self.workflows)) if total.amount]


def currencies(hq: Hq, batch_key: str) -> dict[str, str]:
    """Each workflow's currency, by slug; raises `NotFoundError`."""
    return currencies_of(batch_row(hq, batch_key).blueprint)


def currencies_of(blueprint: Mapping[str, Any]) -> dict[str, str]:
    """Each workflow's currency, by slug, of a blueprint as it is kept."""
    workflows = [step["workflow"] for step in blueprint["steps"]]
    return {workflow["slug"]: workflow.get("price", {}).get("currency", "USD") for workflow in workflows}


def batch_row(hq: Hq, batch_key: str) -> BatchRow:
    """The batch's row; raises `NotFoundError`."""
    with hq.transaction() as connection:
        return must_find(connection, batch_key)


def must_find(connection: Connection, batch_key: str) -> BatchRow:
    """The batch's row on an open connection; raises `NotFoundError`."""
    row = batch_states.find_batch(connection, batch_key)
    if row is None:
        raise no_such_batch(connection, batch_key)
    return row


def blueprint_of(hq: Hq, batch_key: str) -> Blueprint:
    """What the batch was launched with; raises `NotFoundError`."""
    return Blueprint.model_validate(batch_row(hq, batch_key).blueprint)


def status(hq: Hq, settings: Settings, batch_key: str) -> BatchStatus:
    """Counts of one batch by workflow; raises `NotFoundError`."""
    with hq.transaction() as connection:
        row = must_find(connection, batch_key)
        counts = batch_states.workflow_counts(connection, row.batch_id)
        is_up = running_stack(settings) is not None
        found = _status(row, counts)
        return replace(
            found,
            reasons=standing_of(connection, row, counts, is_up=is_up),
            held_calls={
                name: since_held(connection, row.batch_id, hold.under_way) for name, hold in found.holds.items()
            },
            unwritten=families.unwritten(connection, row.batch_id) if row.blueprint.get("families") else {},
        )


def _status(row: BatchRow, workflows: list[WorkflowCounts]) -> BatchStatus:
    return BatchStatus(
        batch=row.batch_key,
        client=row.client,
        pipeline=row.pipeline,
        upload_id=row.upload_id,
        filename=row.filename,
        rows=row.rows,
        rejected=row.rejected,
        items=row.items,
        children=row.children,
        done=row.done,
        cost=sum((w.cost for w in workflows), Decimal(0)),
        priority=Priority.of_rank(row.priority),
        finished=row.finished_at is not None,
        extracted=row.extracted_at is not None and row.finished_at is not None and row.extracted_at >= row.finished_at,
        workflows=tuple(workflows),
        holds=read_holds(row.holds),
        currencies=currencies_of(row.blueprint),
        limit=row.row_limit,
    )


def overview(
    hq: Hq, settings: Settings, client: str | None = None, limit: int = 100, *, after: str | None = None
) -> list[BatchStatus]:
    """The newest batches with their counts; `after`: those that are older than the batch of this key.

    Raises `NotFoundError` for a client that does not exist.
    """
    check_client(hq, settings, client)
    with hq.transaction() as connection:
        rows = batch_states.list_batches(connection, client, limit, after=after)
        return [_status(row, batch_states.workflow_counts(connection, row.batch_id)) for row in rows]


def workflow_counts(hq: Hq, batch_key: str) -> dict[str, WorkflowCounts]:
    """Counts by workflow slug, blueprint order."""
    with hq.transaction() as connection:
        batch_id = batch_states.find_batch_id(connection, batch_key)
        if batch_id is None:
            raise no_such_batch(connection, batch_key)
        return {w.slug: w for w in batch_states.workflow_counts(connection, batch_id)}
