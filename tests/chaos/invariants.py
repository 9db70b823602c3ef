"""What has to be true after any number of crashes, by the ledger, the destination and the sandbox's bill."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from typing import Any

from enrichment_assets.store.database import connect, connect_async
from enrichment_assets.store.runs import claims
from tests.chaos.crash_harness import CrashHarness

COMPANYS = "firm"
"""The workflow that asks about the row's company."""

KEYED = ("keyed", COMPANYS, "slow")


def broken(harness: CrashHarness, batch: str, rows: int, said_no: Collection[int] = frozenset()) -> list[str]:
    """Sentences about what is wrong with a finished batch; none: all laws were kept.

    `said_no`: row numbers of people who may be skipped where nobody had asked about them before.
    """
    wrong = []
    with harness.launcher() as launcher:
        found = harness.launched(launcher, batch)
        states, calls, results = found.states(), found.calls(), found.results()
        budget = next(b for b in found.budgets() if b.client == found.client)
        inbox = Counter(row["status"] for row in found.inbox())
        completions = found.rows(
            "select count(*) as n from company_play_step_completions where batch_id = %s", found.batch_id
        )[0]["n"]
    if len(states) != 4 * rows:
        wrong.append(f"{len(states)} states for {rows} rows")
    for state in states:
        allowed = ("COMPLETED",) if state["workflow_slug"] in KEYED else ("COMPLETED", "AMBIGUOUS")
        if state["row_number"] in said_no and state["workflow_slug"] != COMPANYS:
            allowed = (*allowed, "SKIPPED")
        if state["status"] not in allowed:
            wrong.append(f"{state['workflow_slug']} ended {state['status']}: {state['reason']}")
    if len({(r["item_id"], r["workflow_slug"]) for r in results}) != len(results):
        wrong.append("a result twice")
    done = [s for s in states if s["status"] == "COMPLETED"]
    if completions != len(done) or any(s["result_id"] is None for s in done):
        wrong.append(f"{completions} completions and {len(done)} completed states")
    if inbox["new"]:
        wrong.append(f"{inbox['new']} callbacks were never looked at")
    wrong += _held(harness, found.batch_id)
    ambiguous = [c for c in calls if c["state"] == "ambiguous"]
    skipped = {(s["item_id"], s["workflow_slug"]) for s in states if s["status"] == "SKIPPED"}
    # What was to be sent again, when its person said no, is never sent.
    never_sent = [c for c in calls if c["state"] == "ready" and (c["item_id"], c["workflow_slug"]) in skipped]
    open_calls = [c for c in calls if c["state"] not in ("applied", "ambiguous") and c not in never_sent]
    if open_calls:
        wrong.append(f"calls without an end: {[c['state'] for c in open_calls]}")
    if budget.reserved != sum(c["estimated_cost"] for c in ambiguous):
        wrong.append(f"{budget.reserved} reserved for {len(ambiguous)} calls of unknown fate")
    if budget.spent != sum(c["cost"] or 0 for c in calls):
        wrong.append(f"budget says {budget.spent} spent, the ledger {sum(c['cost'] or 0 for c in calls)}")
    wrong += _destination(harness, batch, sum(s["workflow_slug"] == "keyed" for s in done))
    return wrong


def broken_reuse(harness: CrashHarness, batch: str, rows: int) -> list[str]:
    """The same of a finished batch of `scenarios.launch_reusing`."""
    with harness.launcher() as launcher:
        found = harness.launched(launcher, batch)
        statuses, calls, results = found.statuses(), found.calls(), found.results()
        used = {state["result_id"] for state in found.states()}
    wrong = []
    if statuses != {"COMPLETED": 2 * rows}:
        wrong.append(f"{statuses} for {2 * rows} rows")
    if [(call["attempt"], call["cost"]) for call in calls if call["reused_from"]] != [(0, 0)] * rows:
        wrong.append("an answer that was there was asked for or paid again, or taken twice")
    if not len(calls) == len(results) == len(used) == rows:
        wrong.append(f"{len(calls)} calls and {len(results)} results, {len(used)} of them used, for {rows} questions")
    return wrong


def halves(harness: CrashHarness, batch: str) -> list[str]:
    """What is wrong at any moment with the tables of `scenarios.launch_families`: a row without its two children."""
    with connect(harness.settings.workspace_database_url or "") as workspace:
        if not workspace.execute("select to_regclass('club_staff') is not null as found").fetchall()[0]["found"]:
            return []
        rows = workspace.execute(
            "select c.club_id as club, s.club_id as of_staff, count(s.staff_id) as staff from "
            "(select * from clubs where batch_key = %(batch)s) c full join "
            "(select * from club_staff where batch_key = %(batch)s) s on s.club_id = c.club_id group by 1, 2",
            {"batch": batch},
        ).fetchall()
    return [f"a half of a family: {row}" for row in rows if row["club"] != row["of_staff"] or row["staff"] != 2]


def broken_families(harness: CrashHarness, batch: str, rows: int) -> list[str]:
    """The same of a finished batch, with what was noted of it."""
    noted = harness.rows(
        "select f.status, f.written_at is not null as is_written from item_families f "
        "join batches b on b.id = f.batch_id where b.batch_key = %s",
        batch,
    )
    whole = [row for row in noted if row == {"status": "enriched", "is_written": True}]
    with connect(harness.settings.workspace_database_url or "") as workspace:
        found = workspace.execute("select count(*) as n from clubs where batch_key = %s", (batch,)).fetchall()[0]["n"]
    wrong = halves(harness, batch)
    is_whole = len(whole) == len(noted) == found == rows
    return wrong if is_whole else [*wrong, f"{found} of {rows} written, noted: {noted}"]


def broken_bulk(harness: CrashHarness, batch: str, rows: int) -> list[str]:
    """The same of a finished batch of `scenarios.launch_bulk`: no member is lost, or without an end."""
    with harness.launcher() as launcher:
        found = harness.launched(launcher, batch)
        states, calls, requests = found.states(), found.calls(), found.bulk_calls()
        (budget,) = (b for b in found.budgets() if b.client == found.client)
    wrong = [f"{s['status']}: {s['reason']}" for s in states if s["status"] not in ("COMPLETED", "AMBIGUOUS")]
    if len(states) != rows or len(calls) != rows:
        wrong.append(f"{len(states)} states and {len(calls)} calls for {rows} rows")
    ambiguous = [call for call in calls if call["state"] == "ambiguous"]
    if any(call["state"] not in ("applied", "ambiguous") for call in calls):
        wrong.append(f"calls without an end: {[call['state'] for call in calls]}")
    for call in calls:
        listed = [r for r in requests if r["id"] == call["bulk_id"] and call["id"] in r["call_ids"]]
        if len(listed) != 1 or (listed[0]["response_body"] is None) != (call in ambiguous):
            wrong.append(f"call {call['id']} is {call['state']}, and its request says otherwise")
    if budget.reserved != sum(call["estimated_cost"] for call in ambiguous):
        wrong.append(f"{budget.reserved} reserved for {len(ambiguous)} calls of unknown fate")
    if budget.spent != sum(call["cost"] or 0 for call in calls):
        wrong.append(f"{budget.spent} spent, and the ledger says {sum(call['cost'] or 0 for call in calls)}")
    return [*wrong, *_held(harness, found.batch_id)]


def _held(harness: CrashHarness, batch_id: int) -> list[str]:
    """Once a lease has passed nobody lives who holds an item, and whoever comes can take all of them.

    A run that was killed at its very end holds what it had until its lease is over, and not longer: nothing renews it.
    """
    living = "select label, expires_at from runners where batch_id = %s and ended_at is null"
    living += " and expires_at > clock_timestamp()"
    for holder in harness.rows(living, batch_id):
        harness.wait_until(holder["expires_at"])
    if holders := harness.rows(living, batch_id):
        return [f"somebody still renews a lease: {holders}"]

    async def claimable() -> int:
        async with await connect_async(harness.settings.hq_database_url or "", autocommit=True) as connection:
            await claims.retire_expired_runners(connection, batch_id)
            runner = await claims.start_runner(connection, batch_id, "after the crashes", 60.0)
            taken = await claims.claim(connection, batch_id, runner, items)
            await claims.end_runner(connection, runner)
            return len(taken)

    items = [row["item_id"] for row in harness.rows("select item_id from item_leases where batch_id = %s", batch_id)]
    taken = asyncio.run(claimable())
    return [] if taken == len(items) else [f"{len(items) - taken} items are still held"]


def _destination(harness: CrashHarness, batch: str, results: int) -> list[str]:
    with connect(harness.settings.workspace_database_url or "") as workspace:
        stored = workspace.execute("select count(*) as n from chaos where batch_key = %s", (batch,)).fetchone()
    count = 0 if stored is None else stored["n"]
    return [] if count == results else [f"{count} rows stored for {results} results"]


def double_charges(harness: CrashHarness) -> list[dict[str, Any]]:
    """Subjects that the sandbox charged more than once, each time beyond that by no operator's word: none.

    Who retries a call of unknown fate accepts that it may be charged again, once for each time.
    """
    charged: list[dict[str, Any]] = harness.sandbox.billing()["double_charges"]
    return [bill for bill in charged if bill["charges"] > 1 + harness.retried[bill["key"], bill["subject"]]]
