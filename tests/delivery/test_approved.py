"""Drafts leave with a destination's leads only where a person has approved exactly these bytes, and still does."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

from enrichment_assets.engine.run.advance import Interrupted
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import deliver, plan_deliveries, run_deliveries
from enrichment_assets.services.review.deciding import approve, named, reject
from enrichment_assets.services.review.listing import find_draft
from tests.actors import TESTER
from tests.delivery.crm import contacts, destination
from tests.review.conftest import BATCH, Desk, desk

__all__ = ["desk"]


def test_exactly_what_was_approved_leaves_and_nothing_of_which_somebody_thought_better(
    desk: Desk, sandbox: SandboxProcess
) -> None:
    settings = replace(desk.settings, sandbox_url=sandbox.url)
    fields = {"Subject": "draft_subject", "Body": "draft_body"}
    workflow = destination("drafts", {"identity": ["first_name"], "fields": fields})
    add_workflow(desk.hq, settings, workflow, actor=TESTER)
    desk.change(
        "insert into item_leases (item_id, batch_id) select id, batch_id from batch_items on conflict do nothing"
    )
    plan = plan_deliveries(desk.hq, settings, BATCH, ["drafts"])[0]
    assert plan.created == 0
    assert {reason.partition(":")[0] for reason in plan.refused} == {"not_approved"}

    for place in (0, 1):
        for selection in named([find_draft(desk.hq, desk.name(place))]):
            approve(desk.hq, selection, actor=TESTER)
    stopped = threading.Event()
    stopped.set()
    providers = build_providers(sandbox.url)
    with suppress(Interrupted):
        deliver(desk.hq, settings, BATCH, ["drafts"], actor=TESTER, providers=providers, stop=stopped)
    for selection in named([find_draft(desk.hq, desk.name(1))]):
        reject(desk.hq, selection, actor=TESTER, reason="too soon")
    run_deliveries(desk.hq, settings, BATCH, ["drafts"], providers=providers)
    assert [one["fields"] for one in contacts(sandbox)] == [
        {"Subject": "Boston, 1", "Body": "Hello 1.\nCongratulations – on Boston."}
    ]
    (row,) = desk.rows("select approval_ids, state from deliveries")
    (approval,) = desk.rows("select min(id) as id from approvals")
    assert row == {"approval_ids": [approval["id"]], "state": "delivered"}
    reasons = desk.rows("select reason from workflow_states where workflow_slug = 'drafts' order by item_id")
    assert reasons[1]["reason"].startswith("not_approved: somebody has decided otherwise")

    again = plan_deliveries(desk.hq, settings, BATCH, ["drafts"])[0]
    assert dict(again.refused) == {
        "not_approved: a person has rejected the draft (personalise-email)": 1,
        "not_approved: a draft waits for a person (personalise-email)": 1,
        "not_approved: the lead has no draft (personalise-email)": 1,
    }
