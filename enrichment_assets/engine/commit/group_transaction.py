"""One transaction of the ledger: records of many items, in three exchanges with the database whatever their number.

The statements of an exchange are sent together (a pipeline), so that the event loop waits for the network three times
a transaction and not once a statement: what came back, is done or is freed; then what wants to leave, which needs the
money that the first exchange freed; then the money and the commit. Nothing is committed before the first exchange has
said that the runner is alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from itertools import islice
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store.batches import fanout, holds
from enrichment_assets.store.batches.holds import Gate
from enrichment_assets.store.calls import bulk, ledger, questions, reuse
from enrichment_assets.store.calls import intents as intents_store
from enrichment_assets.store.calls.bulk import BulkIntent, BulkMembers, BulkReceived
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.calls.ledger import Applied, Received, Scope
from enrichment_assets.store.calls.questions import CallInFlight
from enrichment_assets.store.calls.reuse import Reused
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.inbox import callbacks
from enrichment_assets.store.money import budgets
from enrichment_assets.store.money.budgets import BudgetBook, BudgetLine
from enrichment_assets.store.runs import claims
from enrichment_assets.store.states import reopening
from enrichment_assets.store.states.reopening import Reopen
from enrichment_assets.store.suppressions import suppressions


class LeaseLost(InfrastructureError):
    """Another runner retired this one: stop at once, write nothing, call nothing."""


@dataclass(frozen=True, slots=True)
class Together:
    """Moves of many items that stand or fall together, and the items (id, fence) that are free after them."""

    moves: Sequence[Applied]
    releases: Sequence[tuple[int, int]]


class Kind(Enum):
    """What a record does."""

    RECEIVE = auto()
    APPLY = auto()
    REUSE = auto()
    REOPEN = auto()
    MARK = auto()
    INTEND = auto()
    RECEIVE_BULK = auto()
    INTEND_BULK = auto()
    RELEASE = auto()
    TOGETHER = auto()


async def write_group(connection: AsyncConnection, scope: Scope, group: Sequence[tuple[Kind, Any]]) -> list[Any]:
    """Commit the records together; what became of each, in their order.

    Args:
        connection: In autocommit mode, used by nobody else meanwhile.
        scope: Whose records these are.
        group: (kind, record) each: `Received`, `Applied`, `Reused`, `Intent`, those of bulk calls, `Together`,
            or the tuples that `GroupWriter` queues.

    Raises:
        LeaseLost: the runner was retired; nothing was written.
        psycopg.Error: nothing was written.
    """
    records: dict[Kind, list[Any]] = {kind: [] for kind in Kind}
    for kind, record in group:
        records[kind].append(record)
    try:
        results = await _in_pipeline(connection, scope, records)
    except BaseException:
        with suppress(psycopg.Error):
            if connection.info.transaction_status != TransactionStatus.IDLE:
                await connection.execute("rollback")
        raise
    following = {kind: iter(results.get(kind, ())) for kind in Kind}
    return [next(following[kind], None) for kind, _ in group]


async def _in_pipeline(
    connection: AsyncConnection, scope: Scope, records: dict[Kind, list[Any]]
) -> dict[Kind, list[Any]]:
    results: dict[Kind, list[Any]] = {}
    received: list[Received] = records[Kind.RECEIVE]
    together: list[Together] = records[Kind.TOGETHER]
    applied: list[Applied] = [*records[Kind.APPLY], *(move for claim in together for move in claim.moves)]
    releases: list[tuple[int, int]] = [*records[Kind.RELEASE], *(held for claim in together for held in claim.releases)]
    reused: list[Reused] = records[Kind.REUSE]
    in_bulk: list[BulkIntent] = records[Kind.INTEND_BULK]
    intents: list[Intent] = [*records[Kind.INTEND], *(intent for request in in_bulk for intent in request.members)]
    answers_in_bulk: list[BulkReceived] = records[Kind.RECEIVE_BULK]
    async with connection.pipeline():
        await connection.execute("begin")
        if intents:
            await suppressions.stand_still(connection)  # guard: intents-come-before-a-suppression
        alive = await claims.alive(connection, scope.runner_id)
        gate_reply = await holds.gate(connection, scope.batch_id) if intents else None
        asked = [intent.asked for intent in intents if intent.asked is not None]
        turn = await questions.take_turn(connection, scope.client_id, scope.batch_id, asked) if asked else None
        received_reply = await ledger.receive(connection, scope, received) if received else None
        bulk_reply = await bulk.receive(connection, scope, answers_in_bulk) if answers_in_bulk else None
        applied_reply = await ledger.apply(connection, scope, applied) if applied else None
        reused_reply = await reuse.take(connection, scope, reused) if reused else None
        again: list[Reopen] = records[Kind.REOPEN]
        reopened_reply = await reopening.reopen(connection, scope, again) if again else None
        if records[Kind.MARK]:
            await callbacks.mark_callbacks(connection, records[Kind.MARK])
        if any(record.emission for record in (*applied, *(r.applied for r in reused))):
            # Before budgets: nobody waits for its turn holding money.
            await fanout.take_turn(connection, scope.batch_id)
        book_reply = await budgets.lock(connection, scope) if _moves_money(applied, intents) else None
        if releases:
            await claims.release(connection, scope.runner_id, releases)
        if not await alive.result():  # guard: retired-run-writes-nothing
            raise LeaseLost(
                "this run's lease expired and its items were taken over; it stops without writing",
                code="run.lease_lost",
            )
        if received_reply:
            ours = await received_reply.result()
            results[Kind.RECEIVE] = [answer.call_id in ours for answer in received]
        if bulk_reply:
            results[Kind.RECEIVE_BULK] = [await bulk_reply.result()] * len(answers_in_bulk)
        moved = await applied_reply.result() if applied_reply else {}
        fates = iter([((key := (r.item_id, r.workflow_slug)) in moved, moved.get(key)) for r in applied])
        results[Kind.APPLY] = list(islice(fates, len(records[Kind.APPLY])))
        results[Kind.TOGETHER] = [[has_moved for has_moved, _ in islice(fates, len(c.moves))] for c in together]
        verdicts = await reused_reply.result() if reused_reply else []
        results[Kind.REUSE] = verdicts
        landed = [r for r in applied if (r.item_id, r.workflow_slug) in moved]
        taken = [r.applied for r, verdict in zip(reused, verdicts, strict=True) if verdict.call_id is not None]
        # guard: emission-needs-its-lease
        emitted = [(record.item_id, record.emission) for record in (*landed, *taken) if record.emission]
        if emitted:
            await fanout.insert_children(
                connection, scope.client_id, scope.batch_id, emitted, simulated=scope.simulated
            )
        if reopened_reply:
            reopened = await reopened_reply.result()
            results[Kind.REOPEN] = [[s for s in r.providers if (r.item_id, s) in reopened] for r in again]
        book = await book_reply.result() if book_reply else BudgetBook(())
        for record in landed:
            book.settle(record.workflow_slug, record.reserved, record.cost or Decimal(0))
        elsewhere = await turn.result() if turn else {}
        gate = await gate_reply.result() if gate_reply else None
        verdicts_of_intents = await _intend(connection, scope, intents, book, elsewhere, gate) if gate else []
        results[Kind.INTEND] = verdicts_of_intents[: len(records[Kind.INTEND])]
        results[Kind.INTEND_BULK] = await _list_members(
            connection, scope, in_bulk, verdicts_of_intents[len(records[Kind.INTEND]) :]
        )
        await budgets.save(connection, book)
        await connection.execute("commit")
    return results


def _moves_money(applied: Sequence[Applied], intents: Sequence[Intent]) -> bool:
    return any(r.reserved or r.cost for r in applied) or any(i.estimated_cost for i in intents)


async def _intend(
    connection: AsyncConnection,
    scope: Scope,
    intents: Sequence[Intent],
    book: BudgetBook,
    elsewhere: dict[str, CallInFlight],
    gate: Gate,
) -> list[IntentVerdict]:
    """Reserve and write the intents that fit the budgets; a call that was made already needs no money.

    What is asked `elsewhere`, or held at the `gate`, is not written.
    """
    held = {i.call_key: refusal for i in intents if (refusal := _held(gate, i)) is not None}
    asking = [i for i in intents if i.call_key not in held]  # guard: held-batch-asks-nothing
    leaving = [i for i in asking if i.call_key not in elsewhere]  # guard: asked-elsewhere-is-not-asked
    too_small = [book.reserve(i.workflow_slug, i.estimated_cost) if i.estimated_cost else None for i in leaving]
    affordable = [i for i, line in zip(leaving, too_small, strict=True) if line is None]
    refused = {i.call_key: line for i, line in zip(leaving, too_small, strict=True) if line is not None}
    written = await intents_store.intend(connection, scope, affordable) if affordable else None
    standing = await intents_store.standing_of(connection, list(refused)) if refused else None
    verdicts = await standing.result() if standing else {}
    verdicts.update({k: IntentVerdict(e.call_id, False, "asked", elsewhere=e) for k, e in elsewhere.items()})
    if written:
        for intent, verdict in zip(affordable, await written.result(), strict=True):
            verdicts[intent.call_key] = verdict
            if intent.estimated_cost and not verdict.granted:  # guard: refused-intent-reserves-nothing
                book.settle(intent.workflow_slug, intent.estimated_cost, Decimal(0))
    return [
        held.get(i.call_key) or verdicts.get(i.call_key) or _no_room(refused[i.call_key], i.estimated_cost)
        for i in intents
    ]


async def _list_members(
    connection: AsyncConnection, scope: Scope, requests: Sequence[BulkIntent], verdicts: Sequence[IntentVerdict]
) -> list[list[IntentVerdict]]:
    """Write down who is in each request: those whose intents were granted. The verdicts of each request's members."""
    rest = iter(verdicts)
    told = [list(islice(rest, len(request.members))) for request in requests]
    listed = [
        BulkMembers(
            request.bulk_id,
            request.workflow_slug,
            [verdict.call_id for verdict in of_it if verdict.granted and verdict.call_id is not None],
            request.names and [n for n, verdict in zip(request.names, of_it, strict=True) if verdict.granted],
            request.callback_token,
            request.token_seconds,
        )
        for request, of_it in zip(requests, told, strict=True)
        if any(verdict.granted for verdict in of_it)
    ]
    if listed:
        await bulk.list_members(connection, scope, listed)  # guard: members-are-listed-with-their-intents
    return told


def _held(gate: Gate, intent: Intent) -> IntentVerdict | None:
    if gate.given_up:
        return IntentVerdict(None, False, "given_up")
    hold = gate.hold_on(intent.workflow_slug)
    if hold is not None:
        return IntentVerdict(None, False, hold.kind, error=hold.sentence)
    if intent.suppressions != gate.suppressions:  # guard: changed-suppressions-are-looked-at
        return IntentVerdict(None, False, "suppressions")
    return None


def _no_room(line: BudgetLine, wanted: Decimal) -> IntentVerdict:
    is_held = line.spent + wanted <= line.amount
    return IntentVerdict(None, False, "budget", error=line.described, is_held=is_held, wanted=wanted)
