"""Campaigns at Instantly: made once from a file, whatever becomes of an answer, and activated by people only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from enrichment_assets.cli import build_app
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, NotFoundError
from enrichment_assets.domain.outreach.campaigns import CampaignState
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.registry.campaign_files import parse_campaign
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.campaigns import creating
from enrichment_assets.services.campaigns.activating import activate, preflight
from enrichment_assets.services.campaigns.creating import create
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.pulls.asking import LostAnswerError, PullError
from enrichment_assets.services.pulls.connecting import connect
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER
from tests.chaos.points import CAMPAIGNS
from tests.harness.fork_server import KILLED, fork_server

FILE = """
name: {name}
accounts: [ana@try-acme.example]
schedule: {{time_zone: Europe/London}}
steps:
  - {{subject: "Hello {{{{firstName}}}}", body: "{{{{personalization|A word.}}}}"}}
  - {{wait: 2d, body: "{body}"}}
"""
KEY = "key-of-acme"


@pytest.fixture
def office(
    settings: Settings, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Hq, Settings]]:
    settings = replace(settings, sandbox_url=sandbox.url)
    monkeypatch.setattr(creating, "LOOKS", (0.0, 0.01, 0.01))
    monkeypatch.setenv("ACME_INSTANTLY_KEY", KEY)
    with open_hq(settings) as hq:
        add_client(hq, "acme", actor=TESTER)
        connect(hq, "instantly", "acme", "ACME_INSTANTLY_KEY", actor=TESTER)
        yield hq, settings


def file(name: str = "Golf", body: str = "Did my note reach you?") -> Any:
    return parse_campaign(FILE.format(name=name, body=body), "golf.yaml")


def there(sandbox: SandboxProcess, method: str, path: str, body: Any = None) -> Any:
    """What Instantly says to somebody who asks it directly."""
    asked = httpx.request(
        method, f"{sandbox.url}/instantly/api/v2{path}", headers={"authorization": f"Bearer {KEY}"}, json=body
    )
    asked.raise_for_status()
    return asked.json()


def made(sandbox: SandboxProcess, name: str = "Golf") -> list[dict[str, Any]]:
    found = there(sandbox, "GET", f"/campaigns?limit=100&search={name}%20%5B")["items"]
    return [one for one in found if one["name"].startswith(f"{name} [")]


def codes(hq: Hq) -> list[str]:
    with hq.transaction() as connection:
        rows = connection.execute("select action from operator_actions where kind = 'campaign' order by id").fetchall()
    return [row["action"] for row in rows]


def test_a_campaign_is_made_once_and_changed_while_it_is_a_draft(
    office: tuple[Hq, Settings], sandbox: SandboxProcess
) -> None:
    hq, settings = office
    first = create(hq, settings, "acme", file(), actor=TESTER)
    assert (first.what, first.campaign.state, first.campaign.status_code) == ("created", CampaignState.MADE, 0)
    [warning] = first.warnings
    assert "Europe/London" in warning and "Europe/Isle_of_Man" in warning
    assert create(hq, settings, "acme", file(), actor=TESTER).what == "unchanged"

    changed = create(hq, settings, "acme", file(body="Another word"), actor=TESTER)
    assert (changed.what, changed.campaign.external_id) == ("changed", first.campaign.external_id)
    [campaign] = made(sandbox)
    [steps] = [one["steps"] for one in campaign["sequences"]]
    assert (campaign["status"], campaign["id"]) == (0, first.campaign.external_id)
    assert [step["variants"][0]["body"] for step in steps] == ["{{personalization|A word.}}", "Another word"]
    assert [(step["delay"], step["delay_unit"]) for step in steps] == [(2, "days"), (0, "days")]
    assert codes(hq) == ["campaign.create", "campaign.create"]


@pytest.mark.parametrize("fault", [{"resets": 1}, {"resets": 1, "fault_after_work": False}, {"errors": 1}])
def test_a_campaign_whose_answer_is_lost_is_looked_for_before_it_is_made_again(
    office: tuple[Hq, Settings], sandbox: SandboxProcess, fault: dict[str, Any]
) -> None:
    hq, settings = office
    sandbox.configure(providers={"instantly": {**fault, "fault_attempts": 1}})
    done = asyncio.run(_until_made(hq, settings))
    sandbox.configure(providers={"instantly": None})
    assert len(made(sandbox)) == 1
    assert (done.campaign.state, done.campaign.external_id) == (CampaignState.MADE, made(sandbox)[0]["id"])


async def _until_made(hq: Hq, settings: Settings) -> Any:
    for _ in range(3):
        try:
            return await asyncio.to_thread(create, hq, settings, "acme", file(), actor=TESTER)
        except LostAnswerError:
            with hq.transaction() as connection:
                row = connection.execute("select state, external_id, claimed_until from outreach_campaigns").fetchone()
            assert row == {"state": "unknown", "external_id": None, "claimed_until": None}
    raise AssertionError("it was never made")


def test_a_process_that_is_killed_anywhere_leaves_one_campaign_that_the_next_one_finds_and_activates_once(
    office: tuple[Hq, Settings], sandbox: SandboxProcess, tmp_path: Path
) -> None:
    hq, settings = office
    order = {
        "home": str(settings.home),
        "hq": settings.hq_database_url,
        "workspace": settings.workspace_database_url,
        "sandbox": sandbox.url,
        "key": KEY,
        "file": FILE.format(name="Golf", body="Did my note reach you?"),
    }
    with fork_server(tmp_path / "child.log", "tests.outreach.campaign_child") as child:
        for point in CAMPAIGNS[:3]:
            assert child.run({**order, "fault": point.fault()}) == KILLED, f"{point} never came"
            if point is CAMPAIGNS[1]:  # what a process that was killed has claimed stays its own for ten minutes
                assert len(made(sandbox)) == 1
                with pytest.raises(ConfigurationError) as raised:
                    create(hq, settings, "acme", file(), actor=TESTER)
                assert raised.value.code == "campaign.busy"
            with hq.transaction() as connection:
                connection.execute("update outreach_campaigns set claimed_until = clock_timestamp() - interval '1 s'")
        assert child.run(order) == 0
        [campaign] = made(sandbox)
        there(sandbox, "POST", "/leads/add", {"campaign_id": campaign["id"], "leads": [{"email": "a@b.example"}]})
        for point in CAMPAIGNS[3:]:
            assert child.run({**order, "activate": True, "fault": point.fault()}) == KILLED, f"{point} never came"
        assert child.run({**order, "activate": True}) == 0
    assert [(one["id"], one["status"]) for one in made(sandbox)] == [(campaign["id"], 1)]
    assert codes(hq).count("campaign.activate") == 1
    activations = [one for one in sandbox.calls() if one["path"].endswith("/activate")]
    assert len(activations) == 1, "what is active already is not told again"


def test_only_a_person_activates_a_campaign_that_would_send_and_no_file_changes_it_then(
    office: tuple[Hq, Settings], sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hq, settings = office
    campaign = create(hq, settings, "acme", file(), actor=TESTER).campaign
    for kind in (ActorKind.SCHEDULE, ActorKind.SENSOR, ActorKind.DAGSTER, ActorKind.API_KEY, ActorKind.PROVIDER):
        with pytest.raises(ConfigurationError) as raised:
            activate(hq, settings, "acme", "Golf", actor=Actor(kind, "robot"))
        assert raised.value.code == "campaign.activated_by_a_person"
    with pytest.raises(ConfigurationError) as raised:
        activate(hq, settings, "acme", "Golf", actor=TESTER)
    assert (raised.value.code, "no leads" in raised.value.what) == ("campaign.would_send_nothing", True)
    leads = [{"email": f"p{number}@acme.example"} for number in range(101)]
    there(sandbox, "POST", "/leads/add", {"campaign_id": campaign.external_id, "leads": leads})
    looked = preflight(hq, settings, "acme", "Golf")
    assert (looked.leads, looked.accounts, looked.sending_status, looked.hindrances) == (101, 1, "campaign_draft", ())

    for name, value in {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "ENRICH_SANDBOX_URL": sandbox.url,
    }.items():
        monkeypatch.setenv(name, value)
    typed = ["campaign", "activate", "Golf", "--client", "acme"]
    refused = CliRunner().invoke(build_app(), typed, input="100\n")
    assert (refused.exit_code, made(sandbox)[0]["status"]) == (1, 0), "another number than it has is no yes"
    confirmed = CliRunner().invoke(build_app(), typed, input="101\n")
    assert (confirmed.exit_code, made(sandbox)[0]["status"]) == (0, 1), confirmed.output
    with psycopg.connect(settings.hq_database_url or "") as connection:
        row = connection.execute("select status_code, activated_by like 'cli:%%' from outreach_campaigns").fetchone()
    assert row == (1, True)
    assert codes(hq) == ["campaign.create", "campaign.activate"]

    with pytest.raises(ConfigurationError) as raised:
        create(hq, settings, "acme", file(body="Behind its back"), actor=TESTER)
    assert raised.value.code == "campaign.not_a_draft"
    assert create(hq, settings, "acme", file(), actor=TESTER).what == "unchanged"


def test_what_instantly_refuses_is_told_and_nothing_is_left_behind(
    office: tuple[Hq, Settings], sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    hq, settings = office
    for key, word in (("mine+campaigns:read", "scope"), ("invalid", "401"), ("", "sandbox")):
        monkeypatch.setenv("ACME_INSTANTLY_KEY", key)
        if word == "sandbox":
            sandbox.configure(providers={"instantly": {"quota": 0}})
            word = "paid plan"
        with pytest.raises(PullError) as raised:
            create(hq, settings, "acme", file(), actor=TESTER)
        assert word in raised.value.what
        assert not isinstance(raised.value, LostAnswerError)
    with pytest.raises(NotFoundError) as missing:
        preflight(hq, settings, "acme", "Golf")
    assert missing.value.code == "campaign.not_made"
    with pytest.raises(EnrichError) as unknown:
        preflight(hq, settings, "acme", "Tennis")
    assert unknown.value.code == "campaign.not_found"
    assert codes(hq) == []
