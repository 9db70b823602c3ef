"""The examples for other outreach services, against their contracts: who is taken, who is not, what never leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.domain.pipeline import ClientWorkflowConfig
from enrichment_assets.providers import build_providers
from enrichment_assets.registry.loader import parse_workflow
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import deliver
from tests.actors import TESTER
from tests.delivery.test_delivering import LOCAL
from tests.gate.opening import open_gate
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of
from tests.outreach.test_launching import person

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "outreach"
FILES = sorted(FOLDER.glob("*.yaml"))
SLUGS = [
    "smartlead-campaign",
    "lemlist-campaign",
    "heyreach-campaign",
    "emailbison-lead",
    "emailbison-campaign",
]
OVER = {
    slug: ClientWorkflowConfig(settings={"parameters.campaign_id": "4711"})
    for slug in SLUGS
    if slug != "emailbison-lead"
}


def states(batch: Launched) -> dict[str, list[tuple[str, str]]]:
    rows = batch.rows(
        "select w.workflow_slug as slug, w.status, coalesce(w.reason, '') as reason from workflow_states w "
        "join batch_items i on i.id = w.item_id where w.batch_id = %s and w.workflow_slug <> 'tidy' "
        "order by w.workflow_slug, i.row_number",
        batch.batch_id,
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row["slug"], []).append((row["status"], row["reason"]))
    return found


def test_each_service_takes_whom_it_may_and_says_who_it_does_not(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    hq, settings = hq_of(harness.settings), replace(harness.settings, sandbox_url=harness.sandbox.url)
    for path in FILES:
        add_workflow(hq, settings, parse_workflow(path.read_text("utf-8"), path.name), actor=TESTER)
    providers = build_providers(harness.sandbox.url)
    rows: list[dict[str, Any]] = [
        person("Ann", linkedin_url="https://www.linkedin.com/in/ann-archer"),
        person("Bob", "bob@blocked.example"),
    ]
    batch = harness.launch(rows, LOCAL)
    batch.run()
    open_gate(hq)
    done = deliver(hq, settings, batch.key, SLUGS, actor=TESTER, providers=providers, over=OVER)
    assert [plan.created for plan in done.plans] == [2, 2, 1, 2, 2]
    found = states(batch)
    words = {slug: [status for status, _ in each] for slug, each in found.items()}
    assert words == {
        "smartlead-campaign": ["COMPLETED", "FAILED"],  # its block list was looked at: `ignore_*` is false
        "lemlist-campaign": ["COMPLETED", "FAILED"],
        "heyreach-campaign": ["COMPLETED", "SKIPPED"],  # Bob has no profile
        "emailbison-lead": ["COMPLETED", "COMPLETED"],
        "emailbison-campaign": ["COMPLETED", "COMPLETED"],
    }
    assert "unsubscribed" in found["lemlist-campaign"][1][1].lower()
    made = {row["external_id"] for row in batch.rows("select external_id from deliveries") if row["external_id"]}
    assert {"1", "2"} <= made, "EmailBison's ids of the leads are kept"
    paths = [call["path"] for call in harness.sandbox.calls() if call["provider"] == "emailbison"]
    assert paths.count("/api/campaigns/4711/leads/attach-leads") == 2
    assert not any("sandbox" in call["path"] for call in harness.sandbox.calls()), "no key is in a path"

    monkeypatch.setenv("HEYREACH_API_KEY", "org-key-of-acme")
    other = harness.launch([person("Cid", linkedin_url="https://www.linkedin.com/in/cid-archer")], LOCAL)
    other.run()
    stopped = deliver(hq, settings, other.key, ["heyreach-campaign"], actor=TESTER, providers=providers, over=OVER)
    assert states(other)["heyreach-campaign"][0][0] == "PENDING"
    assert "key is not accepted" in stopped.stopped["heyreach-campaign"]


def test_no_example_turns_a_block_list_off() -> None:
    assert len(FILES) == 5
    for path in FILES:
        assert "ignore_" not in path.read_text().replace("ignore_case", "") or path.name == "smartlead.yaml"
    workflow = parse_workflow((FOLDER / "smartlead.yaml").read_text("utf-8"), "smartlead.yaml")
    assert workflow.request is not None and isinstance(workflow.request.body, dict)
    settings = workflow.request.body["settings"]
    assert set(settings.values()) == {False} and len(settings) == 4
