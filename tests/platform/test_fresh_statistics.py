"""No statement about a batch repeats work for each of its rows, however little Postgres knows of it yet.

One test over all of them: whatever function of `store/` takes a batch, or a list of its rows, is run on a batch that
was just filled, in a home that has another, and the plan that it really took is looked at.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import md5, sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from enrichment_assets import store
from enrichment_assets.domain.alerts.kinds import Kind
from enrichment_assets.domain.alerts.notices import ChannelKind
from enrichment_assets.domain.drafts import Standing
from enrichment_assets.domain.emission import Child, Emission
from enrichment_assets.domain.emits import ChildStep
from enrichment_assets.domain.families import FamilyStatus, FamilyTable
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.domain.sources import TableSource
from enrichment_assets.domain.statuses import SpentOn
from enrichment_assets.store import arrays
from enrichment_assets.store.alerts import detectors, incidents, rules
from enrichment_assets.store.audit import operator_actions
from enrichment_assets.store.batches import (
    budget_holds,
    fanout,
    giving_up,
    held_calls,
    holds,
    items,
    known,
    tries,
    urgency,
)
from enrichment_assets.store.calls import bulk, ledger, questions, retention, reuse
from enrichment_assets.store.calls import intents as intents_store
from enrichment_assets.store.calls.bulk import BulkMembers, BulkReceived
from enrichment_assets.store.calls.intents import Intent
from enrichment_assets.store.calls.ledger import Applied, Received, Scope
from enrichment_assets.store.calls.questions import Question
from enrichment_assets.store.deliveries import batches as batch_deliveries
from enrichment_assets.store.deliveries import gate, matching, over, planned
from enrichment_assets.store.deliveries import ledger as delivery_ledger
from enrichment_assets.store.inbox import callbacks, review
from enrichment_assets.store.mail import places
from enrichment_assets.store.money import budget_changes, budgets
from enrichment_assets.store.outgoing import events, leads
from enrichment_assets.store.results import (
    destinations,
    edits,
    extraction,
    families,
    family_tables,
    freshness,
    freshness_edits,
    own_tables,
    plain_values,
    statistics,
)
from enrichment_assets.store.review import approvals, drafts, proposals
from enrichment_assets.store.review.questions import open_questions
from enrichment_assets.store.review.standings import replace_standings
from enrichment_assets.store.runs import claims, contexts, shared_answers, step_times
from enrichment_assets.store.sources import gathering, jobs
from enrichment_assets.store.sources.user_tables import find_table
from enrichment_assets.store.states import (
    asking,
    batch_states,
    chosen,
    groups,
    reasons,
    recovery,
    reopening,
    replaying,
    stops,
    transitions,
    waiting_batches,
)
from enrichment_assets.store.suppressions import suppressions
from tests.harness.databases import PostgresServer
from tests.platform.fresh_batch import EXPLAINING, ITEMS, SLUGS, STATES, FreshBatch, fill, heard, heaviest

NO_STEPS = StepSources({}, {})

GROUP = 200
NEEDS = [("second", "first"), ("third", "second")]
FACTS = transitions.StepFacts(
    dict.fromkeys(SLUGS, "http"), {slug: number for number, slug in enumerate(SLUGS)}, (("first", "second"),)
)
HOLD = holds.Hold("paused", "", "cli:tester", "2026-11-28T00:00:00+00:00")
MOST = 10 * STATES
"""Rows that any node of a plan may touch. A nested loop over an aggregate of the batch touches STATES x STATES."""

EDITS = FamilyTable.model_validate({"table": "item_edits", "key": ["item_id"], "columns": {"note": "fields.note"}})
"""A table that is there, as one of the user's own: the key is looked for in all of it."""
OWN = TableSource(
    table="item_edits", key="item_id", where={"edited_by": "a"}, done={"edited_by": "b"}, failed={"edited_by": "c"}
)
"""The same as what brought the rows."""

Sync = psycopg.Connection[dict[str, Any]]
Async = psycopg.AsyncConnection[dict[str, Any]]


def _scope(batch: FreshBatch) -> Scope:
    return Scope(batch.client_id, batch.batch_id, batch.runner_id)


def _held(batch: FreshBatch) -> list[tuple[int, int]]:
    return [(item, 1) for item in batch.pending[:GROUP]]


def _asked(batch: FreshBatch) -> list[Question]:
    return [Question(f"q{n}", f"key {n}", 3600.0, 60.0) for n in range(GROUP)]


def _picked(batch: FreshBatch, connection: Sync, status: str) -> list[recovery.Picked]:
    return recovery.pick_states(connection, batch.batch_id, status)


def _chosen(batch: FreshBatch) -> asking.Chosen:
    """All of the batch, half of which nobody may be asked about."""
    half = batch.items[::2]
    return asking.Chosen(batch.batch_id, SLUGS, batch.items, True, half, half, SLUGS[1:2], SLUGS[2:])


def _stops() -> list[stops.KeptStop]:
    return [stops.KeptStop(slug, "auth", "refused", 60.0) for slug in SLUGS]


def _who(item: int) -> bytes:
    return sha256(b"%d" % item).digest()


def _all_known(connection: Sync, batch: FreshBatch) -> None:
    """Every item of the fresh batch is a lead of the old one too; nothing is analysed of it."""
    old = connection.execute(
        "select min(b.id) as batch, array_agg(i.id) as items from batches b join batch_items i on i.batch_id = b.id "
        "where b.batch_key = 'old'"
    ).fetchone()
    assert old is not None
    earlier = [(one, _who(item)) for one, item in zip(old["items"], batch.items, strict=False)]
    for batch_id, rows in ((old["batch"], earlier), (batch.batch_id, [(item, _who(item)) for item in batch.items])):
        known.write(connection, batch.client_id, batch_id, rows, compared=True)
        known.note_reading(connection, batch_id, batch.client_id, simulated=False, mark=b"mark", last=0)


def _emitted(batch: FreshBatch, *, asks: bool = False) -> list[tuple[int, Emission]]:
    route = tuple(ChildStep(n, slug, "runs") for n, slug in enumerate(SLUGS))
    names = tuple("Ann" if name == "first_name" else None for name in IDENTITY_FIELDS)
    return [
        (item, Emission("first", route, (Child(f"{asks}:{item}", None, False, names, "{}", known=known_by),)))
        for item in batch.items[:GROUP]
        for known_by in [(_who(item), b"") if asks else None]
    ]


def _applied(batch: FreshBatch) -> list[Applied]:
    return [
        Applied(item, 1, "first", "COMPLETED", "http", outcome="found", own_result=True, payload="{}")
        for item in batch.pending[:GROUP]
    ]


def _readings(batch: FreshBatch) -> list[replaying.NewReading]:
    return [
        replaying.NewReading(call, None, None, "COMPLETED", "found", None, "{}", "{}", None, True)
        for call, _, slug in batch.calls
        if slug == "first"
    ]


def _watched(connection: Sync) -> None:
    """A rule of every kind, which nothing is too little for."""
    channel = rules.add_channel(connection, ChannelKind.SLACK, "T")
    for kind in Kind:
        rules.add_rule(connection, kind, None, Decimal(0), channel, None)


SYNC: dict[Any, Callable[[Sync, FreshBatch], Any]] = {
    batch_states.workflow_counts: lambda c, b: batch_states.workflow_counts(c, b.batch_id),
    detectors.find: lambda c, b: (_watched(c), detectors.find(c, list(Kind))),
    incidents.list_incidents: lambda c, b: incidents.list_incidents(c, b.client_id, 10, only_open=False),
    rules.add_rule: lambda c, b: _watched(c),
    over.end_planned: lambda c, b: over.end_planned(c, b.batch_id, "cancelled"),
    holds.cancel_unsent: lambda c, b: holds.cancel_unsent(c, b.batch_id, SLUGS, "cancelled", FACTS),
    tries.copy_rows: lambda c, b: tries.copy_rows(c, b.batch_id, []),
    tries.lay_out_states: lambda c, b: tries.lay_out_states(c, b.batch_id, 9, "tried"),
    tries.inherit_answers: lambda c, b: tries.inherit_answers(c, b.batch_id, b.items[:3], 9),
    tries.rows_from: lambda c, b: tries.rows_from(c, b.batch_id, 1, 3),
    tries.row_numbers: lambda c, b: tries.row_numbers(c, b.items[:GROUP]),
    suppressions.add: lambda c, b: suppressions.add(
        c,
        [suppressions.NewSuppression("email", b"1" * 32, b"")],
        client_id=b.client_id,
        reason="no",
        actor="cli:tester",
        expires_at=None,
        mark=b"mark",
    ),
    suppressions.listed: lambda c, b: suppressions.listed(c, b.client_id, 10),
    suppressions.naming: lambda c, b: suppressions.naming(c, [b"1" * 32], b.client_id),
    suppressions.remove: lambda c, b: suppressions.remove(c, [b"1" * 32], b.client_id, everywhere=False),
    events.tell_of_budgets: lambda c, b: events.tell_of_budgets(c, b.client_id, b.batch_id, {1: "no room"}),
    leads.contents_of: lambda c, b: leads.contents_of(c, b.batch_id),
    leads.tell: lambda c, b: leads.tell(
        c, leads.Listener(b.client_id, b.batch_id), [leads.Told(item, b"x", "{}", 2) for item in b.items[:GROUP]]
    ),
    items.identities: lambda c, b: items.identities(c, b.items[:GROUP]),
    holds.write_holds: lambda c, b: holds.write_holds(c, b.batch_id, {"*": HOLD}),
    held_calls.under_way: lambda c, b: held_calls.under_way(c, b.batch_id, SLUGS),
    held_calls.since_held: lambda c, b: held_calls.since_held(
        c, b.batch_id, {"first": {"calls": 1, "reserved": "1", "spent": "0", "unknown": 0}}
    ),
    holds.pause_for_guard: lambda c, b: holds.pause_for_guard(c, "fresh", "dagster:guard", "too many"),
    budget_holds.pause_for_want: lambda c, b: (
        budgets.set_budget(c, b.client_id, b.batch_id, None, Decimal(0)),
        budget_holds.pause_for_want(c, "fresh", budget_holds.Want("first", Decimal(1), "USD")),
    ),
    budget_holds.lift: lambda c, b: budget_holds.lift(
        c, budget_changes.Scope(b.client_id, b.batch_id, None), budget_holds.ACTOR
    ),
    batch_states.find_batch: lambda c, b: batch_states.find_batch(c, "fresh"),
    batch_states.list_batches: lambda c, b: batch_states.list_batches(c),
    batch_states.find_batch_id: lambda c, b: batch_states.find_batch_id(c, "fresh"),
    batch_states.is_running_now: lambda c, b: batch_states.is_running_now(c, b.batch_id),
    waiting_batches.batches_to_resume: lambda c, b: waiting_batches.batches_to_resume(c),
    groups.outlooks: lambda c, b: groups.outlooks(c, ["fresh"]),
    reasons.standing_states: lambda c, b: reasons.standing_states(c, b.batch_id, 8),
    reasons.failed_rows: lambda c, b: reasons.failed_rows(c, b.batch_id, 100),
    reasons.failure_samples: lambda c, b: reasons.failure_samples(c, b.batch_id, 3),
    reasons.count_failed: lambda c, b: reasons.count_failed(c, b.batch_id),
    reasons.commonest_reasons: lambda c, b: reasons.commonest_reasons(c, b.batch_id),
    stops.stops_of: lambda c, b: stops.stops_of(c, b.batch_id),
    stops.lift_stops: lambda c, b: stops.lift_stops(c, b.batch_id, ["auth"], SLUGS),
    stops.keep_stops_now: lambda c, b: stops.keep_stops_now(c, b.batch_id, SLUGS, _stops(), "test"),
    step_times.times_of: lambda c, b: step_times.times_of(c, b.batch_id),
    step_times.callback_waits: lambda c, b: step_times.callback_waits(c, b.batch_id),
    urgency.urgency_of: lambda c, b: urgency.urgency_of(c, ["fresh", "old"]),
    statistics.workflow_statistics: lambda c, b: statistics.workflow_statistics(c, b.batch_id),
    budgets.lines_of: lambda c, b: budgets.lines_of(c, b.batch_id),
    budgets.set_budget: lambda c, b: budgets.set_budget(c, b.client_id, b.batch_id, None, Decimal(1)),
    budget_changes.settle_by_hand: lambda c, b: budget_changes.settle_by_hand(
        c, b.client_id, b.batch_id, [("first", Decimal(0), Decimal(0))]
    ),
    gate.reserve: lambda c, b: gate.reserve(
        c,
        b.client_id,
        b.batch_id,
        "mail",
        [
            gate.NewContact(item, b"1" * 32, None, ["a.example"], ["a.example"], "acme", ["name:acme"], None)
            for item in b.items[:GROUP]
        ],
        simulated=False,
    ),
    gate.sequence_of: lambda c, b: gate.sequence_of(c, b.batch_id),
    matching.find: lambda c, b: matching.find(
        c, b.client_id, [matching.Asked(1, "crm", "x", item) for item in b.items[:GROUP]]
    ),
    edits.correctees: lambda c, b: edits.correctees(c, b.client_id, b.items[:GROUP]),
    edits.add_edits: lambda c, b: edits.add_edits(
        c, [edits.NewEdit(item, "title", "CEO", "crm", None, datetime.now(UTC)) for item in b.items[:GROUP]]
    ),
    families.states_now: lambda c, b: families.states_now(
        c, b.batch_id, families.relatives(c, b.batch_id, "row", b.items[:100])
    ),
    families.figures: lambda c, b: families.figures(c, b.batch_id),
    families.unwritten: lambda c, b: families.unwritten(c, b.batch_id),
    own_tables.write_own_rows: lambda c, b: own_tables.write_own_rows(
        c,
        find_table(c, EDITS.table) or pytest.fail("the table is there"),
        EDITS,
        [("acme", "fresh", item, "p", datetime.now(UTC), "x") for item in b.items[:GROUP]],
        {item: own_tables.Origin(OWN, str(item)) for item in b.items[:GROUP]},
        "p",
    ),
    families.ended_families: lambda c, b: families.ended_families(c, b.batch_id, "company"),
    families.relatives: lambda c, b: families.relatives(c, b.batch_id, "company", b.items[:100]),
    families.note_families: lambda c, b: families.note_families(
        c,
        b.batch_id,
        b.client_id,
        [
            families.FamilyRow(item, FamilyStatus.ENRICHED, None, None, None, 0, None, 1, datetime.now(UTC), "state")
            for item in b.items[:100]
        ],
    ),
    freshness_edits.carry_over: lambda c, b: freshness_edits.carry_over(c, b.batch_id, "acme-1"),
    family_tables.write_rows: lambda c, b: family_tables.write_rows(
        c, EDITS, [("acme", "fresh", item, "p", datetime.now(UTC), "x") for item in b.items[:GROUP]]
    ),
    destinations.unstored_items: lambda c, b: destinations.unstored_items(c, b.batch_id, "first"),
    destinations.has_unstored: lambda c, b: destinations.has_unstored(c, b.batch_id, "first"),
    destinations.unstored_results: lambda c, b: destinations.unstored_results(
        c,
        "first",
        destinations.unstored_items(c, b.batch_id, "first")[:10_000],
        [destinations.Cell("payload", ("title",), as_text=False)],
        whole=True,
    ),
    plain_values.lines: lambda c, b: list(
        plain_values.lines(
            c,
            ("acme", "fresh", "first"),
            destinations.unstored_items(c, b.batch_id, "first")[:10_000],
            [(destinations.Cell("payload", ("title",), as_text=False), "date")],
        )
    ),
    transitions.wake: lambda c, b: transitions.wake(c, b.items[:GROUP]),
    transitions.forget: lambda c, b: transitions.forget(c, b.batch_id),
    transitions.mark_stored: lambda c, b: transitions.mark_stored(
        c, "first", [(item, datetime.now(UTC)) for item in b.items]
    ),
    extraction.open_batch: lambda c, b: [
        c.execute(
            extraction._query(source, extraction.BatchIdentity(b.batch_id, "fresh", b.client_id, "acme", b.upload_id))
        )
        for source in extraction.SOURCE_QUERIES
    ],
    retention.bodies_gone: lambda c, b: retention.bodies_gone(c, b.batch_id, "first"),
    freshness.changed_at: lambda c, b: freshness.changed_at(c, b.batch_id),
    fanout.insert_children_replayed: lambda c, b: (
        _all_known(c, b),
        [
            fanout.insert_children_replayed(c, b.client_id, b.batch_id, emitted)
            for emitted in (_emitted(b), _emitted(b, asks=True))
        ],
    ),
    fanout.origins_there: lambda c, b: fanout.origins_there(c, b.batch_id, _emitted(b)),
    callbacks.new_callbacks_by_batch: lambda c, b: callbacks.new_callbacks_by_batch(c),
    review.list_inbox: lambda c, b: review.list_inbox(c, batch_key="fresh"),
    review.reopen_dead: lambda c, b: review.reopen_dead(c, batch_key="fresh"),
    operator_actions.list_actions: lambda c, b: operator_actions.list_actions(c, batch_id=b.batch_id),
    giving_up.give_up: lambda c, b: giving_up.give_up(c, "fresh"),
    gathering.keep_rows: lambda c, b: gathering.keep_rows(c, b.upload_id, b.batch_id, 1),
    jobs.find_jobs: lambda c, b: jobs.find_jobs(c, b.items),
    items.laid_out: lambda c, b: items.laid_out(c, b.batch_id),
    items.insert_leases: lambda c, b: items.insert_leases(c, b.batch_id),
    items.last_item: lambda c, b: items.last_item(c, b.batch_id),
    items.insert_states_unless_known: lambda c, b: (
        _all_known(c, b),
        items.insert_states_unless_known(c, b.client_id, b.batch_id, [(4, "fourth"), (5, "fifth")], simulated=False),
    ),
    known.batches_to_read: lambda c, b: known.batches_to_read(c, b.client_id, b"mark"),
    known.items_after: lambda c, b: list(known.items_after(c, b.batch_id, 0)),
    known.found_since: lambda c, b: list(
        known.found_since(c, b.batch_id, SLUGS, ["second"], ["email"], datetime.now(UTC) - timedelta(hours=1))
    ),
    known.write: lambda c, b: known.write(
        c, b.client_id, b.batch_id, [(item, _who(item)) for item in b.items], compared=True
    ),
    known.forget_batch: lambda c, b: (_all_known(c, b), known.forget_batch(c, b.batch_id)),
    known.forget_person: lambda c, b: (_all_known(c, b), known.forget_person(c, b.items[:3], [_who(b.items[5])])),
    known.known_places: lambda c, b: (
        _all_known(c, b),
        known.known_places(c, b.client_id, 0, False, [_who(item) for item in b.items[:GROUP]]),
    ),
    items.insert_states: lambda c, b: items.insert_states(c, b.batch_id, [(4, "fourth"), (5, "fifth")]),
    recovery.pick_states: lambda c, b: _picked(b, c, "FAILED"),
    recovery.ready_calls: lambda c, b: recovery.ready_calls(c, _picked(b, c, "FAILED"), "failed"),
    reopening.reopen_states: lambda c, b: reopening.reopen_states(
        c, [(p.item_id, p.workflow) for p in _picked(b, c, "FAILED")], "FAILED", FACTS, "again"
    ),
    asking.items_of: lambda c, b: asking.items_of(c, b.batch_id, b.items),
    asking.answered_after: lambda c, b: asking.answered_after(c, b.batch_id, SLUGS, b.items),
    asking.standings: lambda c, b: asking.standings(c, _chosen(b)),
    asking.put_back_of: lambda c, b: asking.put_back_of(c, _chosen(b)),
    asking.lock_put_back: lambda c, b: asking.lock_put_back(c, _chosen(b)),
    reopening.reopen_answered: lambda c, b: reopening.reopen_answered(
        c, [(i, "first") for i in b.items], FACTS, "again"
    ),
    reopening.reopen_dependents: lambda c, b: reopening.reopen_dependents(c, [(i, "first") for i in b.items], FACTS),
    reopening.reopen_affordable: lambda c, b: reopening.reopen_affordable(c, b.client_id, b.batch_id, None),
    recovery.wake_batch: lambda c, b: recovery.wake_batch(c, b.batch_id),
    recovery.list_ambiguous: lambda c, b: recovery.list_ambiguous(c, b.batch_id),
    recovery.accept_as_missed: lambda c, b: recovery.accept_as_missed(
        c, _picked(b, c, "AMBIGUOUS"), None, "a person said so", FACTS
    ),
    replaying.stored_answers: lambda c, b: list(replaying.stored_answers(c, b.batch_id, "first")),
    replaying.write_readings: lambda c, b: replaying.write_readings(c, _readings(b), 1, "replayed"),
    chosen.items_in_step: lambda c, b: chosen.items_in_step(c, b.batch_id, "second", ["first"]),
    replaying.parents: lambda c, b: replaying.parents(c, b.items, 1),
    replace_standings: lambda c, b: replace_standings(
        c, b.batch_id, b.client_id, [(item, "first", Standing.APPROVED) for item in b.items]
    ),
    approvals.latest: lambda c, b: approvals.latest(c, b.batch_id, b.items),
    approvals.history: lambda c, b: approvals.history(c, b.batch_id, b.items[0], "first"),
    drafts.items_with_drafts: lambda c, b: drafts.items_with_drafts(c, b.batch_id, SLUGS, b.items),
    proposals.add: lambda c, b: proposals.add(c, [(b.client_id, b.batch_id, "fs", "x", "y", "z")]),
    open_questions: lambda c, b: open_questions(c, b.batch_id, SLUGS, b.items),
    drafts.batches_to_review: lambda c, b: drafts.batches_to_review(c, None, "fresh"),
    edits.identity_of: lambda c, b: edits.identity_of(c, "fresh", b.items[0]),
    replaying.callers: lambda c, b: replaying.callers(c, [call for call, _, _ in b.calls]),
    replaying.open_calls: lambda c, b: replaying.open_calls(c, b.batch_id, "first"),
    replaying.open_states: lambda c, b: replaying.open_states(c, b.batch_id, "first"),
    replaying.rekey_calls: lambda c, b: replaying.rekey_calls(c, b.batch_id, "fresh", "first", "v2"),
    operator_actions.list_actions: lambda c, b: operator_actions.list_actions(c, batch_id=b.batch_id),
    replaying.items_found: lambda c, b: replaying.items_found(c, b.batch_id, "first"),
    batch_deliveries.counts_of: lambda c, b: batch_deliveries.counts_of(c, b.batch_id, SLUGS),
    places.of_batch: lambda c, b: places.of_batch(c, b.batch_id),
    delivery_ledger.listed: lambda c, b: delivery_ledger.listed(c, batch_key="fresh"),
    planned.free_items: lambda c, b: planned.free_items(c, b.batch_id, "first", b.items[:GROUP]),
    planned.known_leads: lambda c, b: planned.known_leads(
        c, b.client_id, "there", [planned.Asked(item, "", [b"1" * 32]) for item in b.items[:GROUP]], simulated=False
    ),
    planned.write_plan: lambda c, b: planned.write_plan(
        c, b.client_id, b.batch_id, "first", 0, [planned.PlanRow(item, "no address") for item in b.items[:GROUP]]
    ),
}

ASYNC: dict[Any, Callable[[Async, FreshBatch], Awaitable[Any]]] = {
    reopening.reopen: lambda c, b: reopening.reopen(
        c, _scope(b), [reopening.Reopen(i, 1, dict.fromkeys(SLUGS, "http")) for i in b.items[:GROUP]]
    ),
    callbacks.mark_callbacks: lambda c, b: callbacks.mark_callbacks(c, [(n, "dead", None) for n in range(GROUP)]),
    budgets.lock: lambda c, b: budgets.lock(c, _scope(b)),
    claims.find_runnable: lambda c, b: claims.find_runnable(c, b.batch_id, SLUGS, NEEDS, 0, ITEMS),
    holds.counts_for_guard: lambda c, b: holds.counts_for_guard(c, b.batch_id),
    holds.cancel_new: lambda c, b: holds.cancel_new(c, b.batch_id, SLUGS, "cancelled", FACTS),
    suppressions.suppress_person: lambda c, b: suppressions.suppress_person(
        c, b.client_id, [suppressions.NewSuppression("email", b"0" * 32, b"")], "no", "provider:http", b"mark"
    ),
    suppressions.suppressed: lambda c, b: suppressions.suppressed(c, b.client_id, [b"0" * 64] * GROUP),
    claims.find_called_back: lambda c, b: claims.find_called_back(c, b.batch_id, SLUGS, ITEMS),
    claims.find_unread: lambda c, b: claims.find_unread(c, b.batch_id, SLUGS, ITEMS),
    groups.settle_later: lambda c, b: groups.settle_later(c, b.batch_id, SLUGS, 60.0),
    groups.settle_taken: lambda c, b: groups.settle_taken(c, b.batch_id, NEEDS),
    claims.find_left_behind: lambda c, b: claims.find_left_behind(c, b.batch_id, SLUGS, ITEMS),
    over.end_what_is_over: lambda c, b: over.end_what_is_over(c, b.batch_id),
    claims.find_overdue: lambda c, b: claims.find_overdue(c, b.batch_id, SLUGS, ITEMS),
    claims.claim: lambda c, b: claims.claim(c, b.batch_id, b.runner_id, b.items),
    claims.release: lambda c, b: claims.release(c, b.runner_id, _held(b)),
    contexts.load_items: lambda c, b: contexts.load_items(
        c, b.batch_id, [(i, 1) for i in b.items], sources=NO_STEPS, with_original=True
    ),
    shared_answers.shared_answer: lambda c, b: shared_answers.shared_answer(c, b.calls[0][0]),
    fanout.insert_children: lambda c, b: fanout.insert_children(c, b.client_id, b.batch_id, _emitted(b)),
    intents_store.intend: lambda c, b: intents_store.intend(
        c,
        _scope(b),
        [Intent(i, 1, "first", f"new {i}", f"item:{i}", "http", "first", Decimal(0)) for i in b.pending[:GROUP]],
    ),
    intents_store.standing_of: lambda c, b: intents_store.standing_of(c, [f"{b.batch_id}first{i}" for i in b.items]),
    ledger.receive: lambda c, b: ledger.receive(
        c, _scope(b), [Received(call, item, 1, 200, "{}", b"{}") for call, item, _ in b.calls[:GROUP]]
    ),
    bulk.list_members: lambda c, b: bulk.list_members(
        c, _scope(b), [BulkMembers(uuid4(), "first", [call for call, _, _ in b.calls[:GROUP]], None)]
    ),
    bulk.receive: lambda c, b: bulk.receive(
        c,
        _scope(b),
        [BulkReceived(UUID(md5(b"%d" % call).hexdigest()), 200, "{}", b"{}") for call, _, _ in b.calls[:GROUP]],
    ),
    ledger.apply: lambda c, b: ledger.apply(c, _scope(b), _applied(b)),
    questions.find: lambda c, b: questions.find(c, b.client_id, b.batch_id, _asked(b)),
    questions.unsaid: lambda c, b: questions.unsaid(c, b.batch_id, 0, GROUP),
    questions.overtaken: lambda c, b: questions.overtaken(c, b.batch_id, NEEDS),
    questions.take_turn: lambda c, b: questions.take_turn(c, b.client_id, b.batch_id, _asked(b)),
    step_times.add_times: lambda c, b: step_times.add_times(
        c, b.client_id, b.batch_id, {(slug, SpentOn.RATE): 1.0 for slug in SLUGS}
    ),
    stops.keep_stops: lambda c, b: stops.keep_stops(c, b.batch_id, SLUGS, _stops(), "test"),
    reasons.refusals: lambda c, b: reasons.refusals(c, b.batch_id, SLUGS),
    reuse.take: lambda c, b: reuse.take(
        c,
        _scope(b),
        [
            reuse.Reused(a, f"new {a.item_id}", "s", "first", b.calls[0][0], datetime.now(UTC), Decimal(0))
            for a in _applied(b)
        ],
    ),
    fanout.count_children: lambda c, b: fanout.count_children(c, b.batch_id, "first"),
    batch_states.adopt_shared_answers: lambda c, b: batch_states.adopt_shared_answers(c, b.batch_id, FACTS),
    batch_states.settle_batch: lambda c, b: batch_states.settle_batch(c, b.batch_id, NEEDS, 1.0),
    batch_states.next_due_in: lambda c, b: batch_states.next_due_in(c, b.batch_id, SLUGS, datetime.now(UTC)),
    batch_deliveries.settle_deliveries: lambda c, b: batch_deliveries.settle_deliveries(c, b.batch_id, SLUGS, 60.0),
    planned.load_planned: lambda c, b: planned.load_planned(c, b.items[:GROUP], ["first"], simulated=True),
}

ONE_ROW = "# one row:"
"""Mark above a function that touches one row by its key, however large the batch is."""

_OF_A_BATCH = {
    "batch_id", "batch_key", "scope", "item_ids", "call_ids", "call_keys", "emitted", "picked", "records", "asked",
    "readings", "held", "rows", "stored", "answerable",
}  # fmt: skip


@pytest.fixture(scope="module")
def fresh(postgres_server: PostgresServer, hq_template: str) -> Iterator[FreshBatch]:
    name = postgres_server.create(hq_template)
    yield fill(postgres_server.url(name))
    postgres_server.drop(name)


def _named(function: Any) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


def test_every_function_about_a_batch_is_asked() -> None:
    asked = {_named(inspect.unwrap(function)) for function in [*SYNC, *ASYNC]}
    found, exempt = set(), set()
    for info in pkgutil.walk_packages(store.__path__, f"{store.__name__}."):
        if info.name.startswith(f"{store.__name__}.migrations"):
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
                continue
            function = inspect.unwrap(value)
            parameters = set(inspect.signature(function).parameters) if inspect.isfunction(function) else set()
            if "connection" in parameters and _OF_A_BATCH & parameters:
                found.add(_named(function))
            if inspect.isfunction(function) and ONE_ROW in (inspect.getcomments(function) or ""):
                exempt.add(_named(function))
    assert found - asked - exempt == set(), f"add it to SYNC or ASYNC above, or mark it with `{ONE_ROW} ...`"
    assert exempt <= found - asked


@pytest.mark.parametrize("function", SYNC, ids=_named)
def test_a_statement_does_linear_work_on_a_fresh_batch(fresh: FreshBatch, function: Any) -> None:
    plans: list[dict[str, Any]] = []
    with psycopg.connect(fresh.url, row_factory=dict_row) as connection:
        arrays.register(connection.adapters)
        connection.execute(EXPLAINING)
        connection.add_notice_handler(heard(plans))
        SYNC[function](connection, fresh)
        connection.rollback()
    _assert_linear(plans)


@pytest.mark.parametrize("function", ASYNC, ids=_named)
def test_a_statement_of_the_engine_does_linear_work_on_a_fresh_batch(fresh: FreshBatch, function: Any) -> None:
    plans: list[dict[str, Any]] = []

    async def ask() -> None:
        async with await psycopg.AsyncConnection.connect(fresh.url, row_factory=dict_row) as connection:
            arrays.register(connection.adapters)
            await connection.execute(EXPLAINING)
            connection.add_notice_handler(heard(plans))
            await ASYNC[function](connection, fresh)
            await connection.rollback()

    asyncio.run(ask())
    _assert_linear(plans)


def _assert_linear(plans: list[dict[str, Any]]) -> None:
    assert plans, "no plan was heard"
    for plan in plans:
        rows, node = heaviest(plan)
        assert rows <= MOST, f"{node} touched {rows:.0f} rows:\n{plan['Query Text']}"
