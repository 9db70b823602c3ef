"""What has to be true after any number of crashes, by the ledger, the destination and the sandbox's bill."""

from __future__ import annotations

from collections import Counter
from typing import Any

from enrichment_assets.store.database import connect
from tests.chaos.town import LEASE, Town

KEYED = ("keyed", "firm", "slow")


def broken(town: Town, batch: str, rows: int) -> list[str]:
    """Sentences about what is wrong with a finished batch; none: all laws were kept."""
    wrong = []
    with town.world() as world:
        found = town.launched(world, batch)
        states, calls, results = found.states(), found.calls(), found.results()
        budget = next(b for b in found.budgets() if b.client == found.client)
        inbox = Counter(row["status"] for row in found.inbox())
        completions = found.rows(
            "select count(*) as n from company_play_step_completions where batch_id = %s", found.batch_id
        )[0]["n"]
        held = found.rows(
            """select 1 from item_leases l join runners r on r.id = l.runner_id
               where l.batch_id = %s and r.ended_at is null and r.expires_at > now() + make_interval(secs => %s)""",
            found.batch_id,
            LEASE,  # a run that was killed at its very end holds its items until then
        )
    if len(states) != 4 * rows:
        wrong.append(f"{len(states)} states for {rows} rows")
    for state in states:
        allowed = ("COMPLETED",) if state["workflow_slug"] in KEYED else ("COMPLETED", "AMBIGUOUS")
        if state["status"] not in allowed:
            wrong.append(f"{state['workflow_slug']} ended {state['status']}: {state['reason']}")
    if len({(r["item_id"], r["workflow_slug"]) for r in results}) != len(results):
        wrong.append("a result twice")
    done = [s for s in states if s["status"] == "COMPLETED"]
    if completions != len(done) or any(s["result_id"] is None for s in done):
        wrong.append(f"{completions} completions and {len(done)} completed states")
    if inbox["new"]:
        wrong.append(f"{inbox['new']} callbacks were never looked at")
    if held:
        wrong.append("items are still held")
    ambiguous = [c for c in calls if c["state"] == "ambiguous"]
    open_calls = [c for c in calls if c["state"] not in ("applied", "ambiguous")]
    if open_calls:
        wrong.append(f"calls without an end: {[c['state'] for c in open_calls]}")
    if budget.reserved != sum(c["estimated_cost"] for c in ambiguous):
        wrong.append(f"{budget.reserved} reserved for {len(ambiguous)} calls of unknown fate")
    if budget.spent != sum(c["cost"] or 0 for c in calls):
        wrong.append(f"budget says {budget.spent} spent, the ledger {sum(c['cost'] or 0 for c in calls)}")
    wrong += _destination(town, batch, rows)
    return wrong


def _destination(town: Town, batch: str, rows: int) -> list[str]:
    with connect(town.settings.workspace_database_url or "") as workspace:
        stored = workspace.execute("select count(*) as n from chaos where batch_key = %s", (batch,)).fetchone()
    count = 0 if stored is None else stored["n"]
    return [] if count == rows else [f"{count} rows stored for {rows} items"]


def double_charges(town: Town) -> list[dict[str, Any]]:
    """Subjects that the sandbox charged more than once: none, with keys or without."""
    charged: list[dict[str, Any]] = town.sandbox.billing()["double_charges"]
    return charged
