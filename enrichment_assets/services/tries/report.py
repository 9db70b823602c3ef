"""What a try came to: request, answer, fields, what was rejected, cost and budget, row by row."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.money import Money, sums
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.calls.previewing import preview
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.services.operations.remedies import failure_remedy, skip_remedy, stop_reason, stop_remedy
from enrichment_assets.services.tries.bodies import ShownBody, ShownRequest, shown_body, shown_request
from enrichment_assets.services.tries.fields import FieldReading, field_readings
from enrichment_assets.services.tries.said import Said, said_to
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.tries import TriedState
from enrichment_assets.store.database import Connection
from enrichment_assets.store.money import budgets
from enrichment_assets.store.runs.contexts import LoadedItem
from enrichment_assets.store.states.stops import StepStop, stops_of

if TYPE_CHECKING:
    from enrichment_assets.services.tries.drafting import Draft


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What came. `how`: `response`, `poll` or `callback`; `body` is None where retention took it out."""

    how: str
    http_status: int | None
    headers: Mapping[str, str]
    body: ShownBody | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class TriedRow:
    """One row of a try.

    Attributes:
        row: Its number in the list it is of, 1 where its fields were given.
        item_id: Of the try's item; None: nothing was written.
        request: What leaves; None: the workflow is computed here, or `no_request` says why there is none.
        status: None where nothing was written; `outcome`, `reason` and `error_class` likewise.
        reused_from: The batch whose answer it is, where it was not asked again.
        shares_row: The row of this try whose call answers for it: they are of one company, or ask the same.
        together: How many rows its request carried.
        estimated: What a call reserves; `cost`: what it did cost; None: not known yet, or nothing was written.
        emitted: Child items that the answer makes; in a batch they go through the steps behind.
        fields: What of the answer is a value, and what is not with its reason.
        said: What a model says besides: tokens, citations, the inputs it saw; None: no model was asked.
    """

    row: int
    item_id: int | None
    request: ShownRequest | None
    no_request: str | None
    status: str | None
    outcome: str | None
    reason: str | None
    error_class: str | None
    hints: tuple[Hint, ...]
    attempts: int
    duration_ms: int | None
    reused_from: str | None
    shares_row: int | None
    together: int
    estimated: Decimal
    cost: Decimal | None
    answer: ShownAnswer | None
    fields: tuple[FieldReading, ...]
    said: Said | None = None
    emitted: int = 0


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """A budget that covers the workflow, and what it has room for now."""

    workflow: str | None
    amount: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True)
class TryReport:
    """A try.

    Attributes:
        key: By which it can be looked at again; None: nothing was written (a dry run).
        simulated: The simulator is called.
        at_most: How many rows a request of this workflow carries in a batch.
        settled: Nothing of it is open.
        problems: What keeps the workflow from being called; a dry run says so, a try is refused for it.
        rejected: Field -> what was given and is no value of it.
        budgets: Empty where none covers the workflow.
    """

    key: str | None
    client: str
    workflow: str
    provider: str
    mode: Mode
    simulated: bool
    at_most: int
    settled: bool
    currency: str
    problems: tuple[str, ...]
    rejected: Mapping[str, Any]
    rows: tuple[TriedRow, ...]
    budgets: tuple[BudgetLeft, ...]

    @property
    def cost(self) -> Decimal:
        """What all of its rows have cost."""
        return sum((row.cost or Decimal(0) for row in self.rows), Decimal(0))

    @property
    def costs(self) -> list[Money]:
        """The same as money; empty where nothing was paid."""
        return [total for total in sums([Money(self.cost, self.currency)]) if total.amount]


def report_of_draft(connection: Connection, settings: Settings, draft: Draft) -> TryReport:
    """What a try would be: requests only."""
    rows = []
    for item in draft.items:
        leaves = _request(settings, draft.batch, item, draft.step)
        rows.append(_row(item.row_number, leaves, draft.workflow.price.estimate))
    return TryReport(
        key=None,
        settled=False,
        problems=draft.problems,
        rejected={} if draft.given is None else draft.given.rejected,
        rows=tuple(rows),
        budgets=_budgets(connection, draft.batch, draft.step),
        **_workflow(draft.batch, draft.step),
    )


def report_of(
    connection: Connection,
    settings: Settings,
    batch: Batch,
    step: Step,
    items: Sequence[LoadedItem],
    states: Sequence[TriedState],
) -> TryReport:
    """A try as it stands; `items` are those of `states`, in their order."""
    stop = stops_of(connection, batch.batch_id).get(step.slug)
    row_of = {state.item_id: state.row_number for state in states}
    said = said_to(connection, batch.batch_id, step)
    rows = []
    for item, state in zip(items, states, strict=True):
        row = _tried(batch, step, state, stop, row_of, _request(settings, batch, item, step))
        rows.append(replace(row, said=said.get(item.item_id)))
    rejected = {name: entry for state in states for name, entry in state.rejected_cells.items()}
    return TryReport(
        key=batch.batch_key,
        settled=all(Status(state.status).settled for state in states),
        problems=(),
        rejected=rejected,
        rows=tuple(rows),
        budgets=_budgets(connection, batch, step),
        **_workflow(batch, step),
    )


def _workflow(batch: Batch, step: Step) -> dict[str, Any]:
    workflow = step.workflow
    return {
        "client": batch.client_slug,
        "workflow": workflow.slug,
        "provider": workflow.provider,
        "mode": workflow.mode,
        "simulated": bool(batch.blueprint.simulated),
        "at_most": workflow.bulk.at_most if workflow.bulk else 1,
        "currency": workflow.price.currency,
    }


@dataclass(frozen=True, slots=True)
class _Leaving:
    """What leaves for an item and what is reserved for it, or why nothing does."""

    request: ShownRequest | None = None
    why_not: str | None = None
    reserved: Decimal | None = None


def _request(settings: Settings, batch: Batch, item: LoadedItem, step: Step) -> _Leaving:
    if step.workflow.mode is Mode.LOCAL:
        return _Leaving()
    try:
        request = preview(batch, item, step, settings.receiver_url, os.environ)
    except (ContractError, ConfigurationError) as error:
        return _Leaving(why_not=str(error))
    return _Leaving(shown_request(request), reserved=step.reserves(request))


def _row(number: int, leaves: _Leaving, estimate: Decimal) -> TriedRow:
    """A row that nothing was done about."""
    return TriedRow(
        row=number,
        item_id=None,
        request=leaves.request,
        no_request=leaves.why_not,
        status=None,
        outcome=None,
        reason=None,
        error_class=None,
        hints=(),
        attempts=0,
        duration_ms=None,
        reused_from=None,
        shares_row=None,
        together=1,
        estimated=estimate if leaves.reserved is None else leaves.reserved,
        cost=None,
        answer=None,
        fields=(),
    )


def _tried(
    batch: Batch,
    step: Step,
    state: TriedState,
    stop: StepStop | None,
    row_of: Mapping[int, int],
    leaves: _Leaving,
) -> TriedRow:
    waits = state.status == Status.PENDING and stop is not None
    shares = state.made_by is not None and state.made_by != state.item_id
    return TriedRow(
        row=state.row_number,
        item_id=state.item_id,
        request=leaves.request,
        no_request=leaves.why_not,
        status=state.status,
        outcome=state.outcome,
        reason=stop_reason(stop) if waits and stop is not None else state.reason,
        error_class=state.error_class,
        hints=_hints(batch, state, stop),
        attempts=state.attempts,
        duration_ms=state.duration_ms,
        reused_from=state.reused_batch,
        shares_row=row_of.get(state.made_by or 0) if shares else None,
        together=state.members,
        estimated=step.workflow.price.estimate if state.estimated_cost is None else state.estimated_cost,
        cost=state.cost,
        answer=_answer(state),
        fields=field_readings(step.workflow, state.payload, state.fields, state.rejected),
        emitted=state.emitted,
    )


def _hints(batch: Batch, state: TriedState, stop: StepStop | None) -> tuple[Hint, ...]:
    again = Hint(Action.SEE_TRY, {"batch": batch.batch_key})
    if state.status == Status.PENDING and stop is not None:
        return (*stop_remedy(stop, batch.blueprint, os.environ)[:1], again)
    if state.status in (Status.PENDING, Status.IN_PROGRESS):
        return (again,)
    if state.status == Status.SKIPPED:
        return skip_remedy(state.reason or "", batch.blueprint.pipeline, batch.blueprint)
    if state.status in (Status.FAILED, Status.AMBIGUOUS):
        return failure_remedy(state.status, state.error_class, state.reason)
    return ()


def _answer(state: TriedState) -> ShownAnswer | None:
    if state.callback_bytes is not None:
        body = shown_body(state.callback or b"", state.callback_bytes, {}, state.callback_encoding)
        return ShownAnswer("callback", None, {}, body, state.answered_at)
    if state.http_status is None:
        return None
    how = "poll" if state.external_id is not None and state.status != Status.IN_PROGRESS else "response"
    kept = None if state.body is None else shown_body(state.body, state.body_bytes or 0, state.headers)
    return ShownAnswer(how, state.http_status, state.headers, kept, state.answered_at)


def _budgets(connection: Connection, batch: Batch, step: Step) -> tuple[BudgetLeft, ...]:
    """The client's budgets that cover the workflow in a batch of its own."""
    found = [b for b in budgets.list_budgets(connection, batch.client_id) if b.batch is None]
    return tuple(BudgetLeft(one.workflow, one.amount, one.room) for one in found if one.workflow in (None, step.slug))
