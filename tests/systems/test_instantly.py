"""Figures of Instantly: a sync that is killed in its middle, and what its traps do to one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from enrichment_assets.domain.errors import ConfigurationError, ContractError, EnrichError, NotFoundError
from enrichment_assets.domain.pull_questions import questions, read_page
from enrichment_assets.domain.pulls import PullDefinition, PullTable, Stream
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.registry.loader import pulls
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.sandbox.outreach import Figures, Workspace, days, today, workspace_of
from enrichment_assets.services.access.api_keys import create_key
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.pulls.connecting import connect, disconnect, list_connected
from enrichment_assets.services.pulls.figures import figures
from enrichment_assets.services.pulls.report import render_report
from enrichment_assets.services.pulls.syncing import sync, sync_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.app import build_api
from tests.actors import TESTER
from tests.chaos.points import PULLED
from tests.harness.sandbox import SEED
from tests.systems.demos import rows_by_reader, shown

PULL = "instantly"
ORIGIN = "http://127.0.0.1:8730"
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def installed(
    settings: Settings, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Hq, Settings]]:
    """Two clients with keys of their own, in front of the sandbox."""
    settings = replace(settings, sandbox_url=sandbox.url)
    with open_hq(settings) as hq:
        for client in ("acme", "globex"):
            monkeypatch.setenv(f"{client.upper()}_INSTANTLY_KEY", f"key-of-{client}")
            add_client(hq, client, actor=TESTER)
            connect(hq, PULL, client, f"{client.upper()}_INSTANTLY_KEY", actor=TESTER)
        yield hq, settings


def rows_of(settings: Settings, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.workspace_database_url or "") as connection:
        return connection.execute(query, values).fetchall()


def begun_and_killed(settings: Settings, hq: Hq, pages: int) -> None:
    """A sync in a process of its own, killed once it has kept so many answers."""
    environment = {
        **os.environ,
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "ENRICH_SANDBOX_URL": settings.sandbox_url or "",
    }
    command = [sys.executable, "-m", "enrichment_assets", PULL, "sync", "--client", "acme"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while kept(hq) < pages and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def kept(hq: Hq) -> int:
    with hq.transaction() as connection:
        row = connection.execute("select count(*) as n from pulled_pages").fetchone()
    assert row is not None
    return int(row["n"])


def test_a_sync_that_is_killed_goes_on_and_every_figure_is_the_services(
    installed: tuple[Hq, Settings], sandbox: SandboxProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    hq, settings = installed
    sandbox.configure(providers={PULL: {"latency": "100ms"}})
    begun_and_killed(settings, hq, 8)
    before = kept(hq)
    sandbox.configure(providers={PULL: None})
    done = sync(hq, settings, PULL, "acme")
    world = workspace_of(SEED, "key-of-acme", today())

    # 2 pages of campaigns and of accounts (the cursor comes with the last one too), 2 of figures, 10 campaigns' days,
    # and the days of 24 accounts in halves: 31 days of them are too much at a time (413).
    assert (done.first_day, done.last_day) == (today() - timedelta(days=30), today())
    assert (done.pages, done.unfit, done.without_key, done.gone) == (18, 0, 0, 0)
    calls = [call for call in sandbox.calls() if call["provider"] == PULL]
    refused = [call for call in calls if call["status"] == 413]
    lost = len(calls) - done.pages - len(refused)
    assert before >= 8 and 0 <= lost <= 4, "what was kept is not asked for again; four are under way at a time"
    campaigns_are(settings, world)
    days_are(settings, world, done.first_day, done.last_day)
    accounts_are(hq, world)

    sync(hq, settings, PULL, "globex")
    assert rows_of(settings, "select count(distinct campaign_id), count(*) from instantly_campaigns_raw") == [(20, 20)]
    again = sync(hq, settings, PULL, "acme")
    assert again.first_day == today() - timedelta(days=3)
    days_are(settings, world, done.first_day, done.last_day)
    assert [one.synced_day for one in list_connected(hq, PULL)] == [today(), today()]

    page = render_report(hq, "acme")
    assert page.count("<svg") == 4 and "Wealth managers, Northeast" in page and "http" not in page
    http_speaks(hq, settings)


def campaigns_are(settings: Settings, world: Workspace) -> None:
    """Every campaign's figures are the sums of its days; one that has sent nothing has none."""
    found = rows_of(
        settings,
        "select name, status, sent, contacted, opened, replied, replied_automatically, bounced, opportunities "
        "from instantly.campaign_performance where client_slug = 'acme' order by name",
    )
    words = {
        0: "draft", 1: "active", 2: "paused", 3: "completed", 4: "running subsequences", -1: "accounts unhealthy",
        -2: "bounce protection", -99: "account suspended",
    }  # fmt: skip
    expected = []
    for one in sorted(world.campaigns, key=lambda campaign: campaign.name):
        total = world.total(one) or Figures()
        opened = total.unique_opened if one.tracks_opens else None
        expected.append(
            (one.name, words[one.status], total.sent, total.new_leads, opened, total.unique_replies,
             total.unique_automatic, total.bounced, total.opportunities)
        )  # fmt: skip
    assert found == expected
    assert len(found) == 10
    silent = rows_of(
        settings,
        "select count(*) from instantly_campaigns_raw c where c.client_slug = 'acme' and not exists (select from "
        "instantly_campaign_analytics_raw a where a.campaign_id = c.campaign_id)",
    )
    assert silent == [(2,)]


def days_are(settings: Settings, world: Workspace, first: date, last: date) -> None:
    """Every day of every campaign and account is there once, as the service has it."""
    found = rows_of(
        settings,
        "select day, campaign_id, email_account, sent, unique_replies, bounced, unique_opportunities "
        "from instantly_daily_analytics_raw where client_slug = 'acme'",
    )
    expected: list[tuple[Any, ...]] = []
    for day in days(first, last):
        for campaign in world.campaigns:
            if (one := world.day_of_campaign(campaign, day)) is not None:
                expected.append((day, campaign.id, None, one.sent, one.unique_replies, None, one.opportunities))
        for account in world.accounts:
            if (one := world.day_of_account(account.email, day)) is not None:
                expected.append((day, None, account.email, one.sent, one.unique_replies, one.bounced, None))
    assert sorted(found, key=str) == sorted(expected, key=str)
    totals = rows_of(settings, "select sum(sent), sum(bounced) from instantly.day_totals where client_slug = 'acme'")
    by_account = [row for row in found if row[2] is not None]
    assert totals == [(sum(row[3] for row in by_account), sum(row[5] for row in by_account))]


def accounts_are(hq: Hq, world: Workspace) -> None:
    """Status in words, and those that want somebody to look come first."""
    found = figures(hq, "account_health", client="acme")
    words = {1: "active", 2: "paused", -1: "connection error", -2: "soft bounce error", -3: "sending error"}
    assert {row["email_account"]: row["status"] for row in found} == {
        account.email: words[account.status] for account in world.accounts
    }
    order = ["bad", "watch", "good", "paused"]
    assert [row["health"] for row in found] == sorted((row["health"] for row in found), key=order.index)
    for row in found:
        if row["status_code"] < 0 or (row["bounce_rate"] or 0) > 0.05:
            assert row["health"] == "bad", row
        else:
            assert row["health"] != "bad", row


def http_speaks(hq: Hq, settings: Settings) -> None:
    """The routes that other tools know, over the same service."""
    import asyncio

    key = create_key(hq, "dashboard", ["pulls:read", "pulls:sync"], client="acme", actor=TESTER).text
    folder = settings.home / "pulls" / "acme"
    folder.mkdir(parents=True)
    (folder / "more.json").write_text('{"accounts": [{"email": "zoe@harborline.example", "status": 2}]}')
    (settings.home / "outside.json").write_text("{}")

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(build_api(hq, settings, [ORIGIN]))
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as http:
            return [
                await http.post("/api/instantly/sync", json={"source": "file", "file_path": "more.json"}),
                await http.get("/api/instantly/campaigns"),
                await http.post("/api/instantly/sync", json={}),
                await http.post("/api/instantly/sync", json={"source": "file", "file_path": "../../outside.json"}),
                await http.post("/api/instantly/sync", json={"source": "mail"}),
                await http.get("/api/instantly/campaigns?client=globex"),
            ]

    taken, listed, fetched, outside, strange, foreign = asyncio.run(ask())
    assert taken.status_code == 200 and taken.json()["success"] is True and taken.json()["synced"] == 1
    assert {one["client"] for one in listed.json()["items"]} == {"acme"} and len(listed.json()["items"]) == 10
    assert fetched.json()["synced"] > 80 and fetched.json()["source"] == "api"
    assert [one.status_code for one in (outside, strange, foreign)] == [422, 422, 404]
    assert rows_of(settings, "select status from instantly.account_health where email_account ^@ 'zoe'") == [
        ("paused",)
    ]


def test_the_demo_survives_a_kill_and_its_readers_see_their_clients_rows(
    settings: Settings, sandbox_process: SandboxProcess
) -> None:
    with shown(PULL, settings, sandbox_process, killed_at=PULLED) as demo:
        assert demo.batch == "", "nothing is launched, and nothing costs"
        for line in ("instantly_campaigns_raw: 10 rows", "instantly_accounts_raw: 24 rows", "campaign_performance: 10"):
            assert line in demo.printed
        assert (settings.home / "harborline-instantly.html").read_text().count("<svg") == 4
        rows = rows_by_reader(demo, "harborline")
        assert {name: counts[0] for name, counts in rows.items()} == {
            "instantly.campaign_performance": 10,
            "instantly.account_health": 24,
            "instantly.daily_performance": rows["instantly.daily_performance"][0],
            "instantly.day_totals": rows["instantly.day_totals"][0],
        }
        assert {name: one for name, one in rows.items() if not 0 < one[0] == one[1] or one[2]} == {}
        assert demo.charged_twice() == []


@pytest.mark.parametrize(
    ("key", "settings_of_sandbox", "said"),
    [
        ("invalid", {}, "/api/v2/campaigns: HTTP 401: the key was refused"),
        ("acme+accounts:read", {}, "/api/v2/campaigns: HTTP 403: the key lacks the scope"),
        ("acme+campaigns:read", {}, "/api/v2/accounts: HTTP 403: the key lacks the scope"),
        ("acme", {"quota": 0}, "/api/v2/campaigns: HTTP 402: the workspace has no paid plan"),
    ],
)
def test_what_the_service_refuses_is_said_and_kept_with_the_client(
    installed: tuple[Hq, Settings],
    sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    settings_of_sandbox: dict[str, Any],
    said: str,
) -> None:
    hq, settings = installed
    monkeypatch.setenv("ACME_INSTANTLY_KEY", key)
    sandbox.configure(providers={PULL: settings_of_sandbox})
    with pytest.raises(EnrichError) as raised:
        sync(hq, settings, PULL, "acme")
    assert said in raised.value.what and key not in raised.value.what
    [acme, globex] = list_connected(hq, PULL)
    assert acme.error is not None and said in acme.error and acme.synced_at is None
    assert globex.error is None


def test_lists_are_read_to_the_page_without_items_and_a_cursor_in_a_circle_ends(
    installed: tuple[Hq, Settings], sandbox: SandboxProcess
) -> None:
    """3 of 10 campaigns a page: 4 pages and an empty one. A failing answer is asked for again."""
    hq, settings = installed
    sandbox.configure(providers={PULL: {"errors": 0.3, "error_status": [503]}})
    shipped = pulls()[PULL]
    few = shipped.streams["campaigns"].model_copy(update={"query": {"limit": "3"}})
    pull = shipped.model_copy(update={"streams": {**shipped.streams, "campaigns": few}})
    done = sync(hq, settings, PULL, "acme", streams=["campaigns"], pull=pull)
    assert (done.pages, done.rows) == (5, {"instantly_campaigns_raw": 10})
    assert list_connected(hq, PULL)[0].synced_day is None, "campaigns say nothing of days"


def test_a_file_is_kept_as_it_is_before_it_is_read(installed: tuple[Hq, Settings], tmp_path: Path) -> None:
    hq, settings = installed
    file = tmp_path / "export.json"
    document = {
        "campaigns": {"items": [{"id": "c1", "name": "One", "status": 7}, {"name": "nameless"}]},
        "campaign_days": [{"campaign_id": "c1", "date": "2026-11-02", "sent": "12", "unique_replies": "many"}],
        "campaign_analytics": [],
    }
    file.write_text(json.dumps(document))
    done = sync_file(hq, PULL, "acme", file, actor=TESTER)
    assert +Counter(done.rows) == {"instantly_campaigns_raw": 1, "instantly_daily_analytics_raw": 1}
    assert (done.synced, done.unfit, done.without_key) == (2, 1, 1)
    assert rows_of(
        settings, "select campaign_id, day::text, sent, unique_replies from instantly_daily_analytics_raw"
    ) == [("c1", "2026-11-02", 12, None)]
    found = rows_of(settings, "select name, status, sent, raw ->> 'status' from instantly.campaign_performance join "
                    "instantly_campaigns_raw using (client_slug, campaign_id, name)")  # fmt: skip
    assert found == [("One", "unknown code 7", None, "7")], "no figures were fetched: they are not known, and not 0"
    with hq.transaction() as connection:
        [page] = connection.execute("select body, stream from pulled_pages").fetchall()
    assert (page["body"], page["stream"]) == (file.read_bytes(), "*")

    answer = tmp_path / "answer.json"
    answer.write_text('[{"email": "a@b.example", "status": 1}]')
    assert sync_file(hq, PULL, "acme", answer, actor=TESTER, stream="accounts").synced == 1
    for text, stream, error in (
        ("[1]", "accounts", ContractError),
        ("[]", None, ContractError),
        ("{]", None, ContractError),
        ('{"accounts": 1}', None, ContractError),
        ('{"persons": []}', None, ContractError),
        ("[]", "persons", ConfigurationError),
    ):
        answer.write_text(text)
        with pytest.raises(error):
            sync_file(hq, PULL, "acme", answer, actor=TESTER, stream=stream)
    with pytest.raises(NotFoundError):
        sync_file(hq, PULL, "acme", tmp_path / "none.json", actor=TESTER)

    disconnect(hq, PULL, "acme", actor=TESTER, forget=True)
    assert rows_of(settings, "select count(*) from instantly_campaigns_raw") == [(0,)]
    with pytest.raises(NotFoundError):
        sync(hq, settings, PULL, "acme")
    with pytest.raises(ConfigurationError):
        connect(hq, PULL, "acme", "HQ_DATABASE_URL", actor=TESTER)


@pytest.mark.parametrize(
    ("values", "first", "last", "expected"),
    [
        ((), date(2026, 1, 1), date(2026, 1, 2), []),
        (("a",), date(2026, 1, 1), date(2026, 1, 1), ["/d?n=a&from=2026-01-01&to=2026-01-01"]),
        (
            ("a", "b", "c"),
            date(2026, 1, 30),
            date(2026, 2, 2),
            [
                "/d?n=a&n=b&from=2026-01-30&to=2026-02-01",
                "/d?n=a&n=b&from=2026-02-02&to=2026-02-02",
                "/d?n=c&from=2026-01-30&to=2026-02-01",
                "/d?n=c&from=2026-02-02&to=2026-02-02",
            ],
        ),
        (("x y&z",), date(2028, 2, 29), date(2028, 2, 29), ["/d?n=x+y%26z&from=2028-02-29&to=2028-02-29"]),
    ],
)
def test_days_and_values_are_asked_for_in_spans_that_a_service_takes(
    values: tuple[str, ...], first: date, last: date, expected: list[str]
) -> None:
    stream = Stream.model_validate(
        {
            "table": "t",
            "path": "/d",
            "each": {"table": "t", "value": "name", "parameter": "n", "at_once": 2},
            "days": {"first": "from", "last": "to", "most": 3},
            "columns": {"name": "n"},
        }
    )
    assert [one.request(stream) for one in questions(stream, values, first, last)] == expected


def test_a_question_is_halved_until_it_is_about_one_day() -> None:
    stream = pulls()[PULL].streams["account_days"]
    [question] = questions(stream, ["a@b.example"], date(2026, 1, 1), date(2026, 1, 3))
    left, right = question.halves() or pytest.fail("three days have halves")
    assert [(one.first, one.last) for one in (left, right)] == [
        (date(2026, 1, 1), date(2026, 1, 2)),
        (date(2026, 1, 3), date(2026, 1, 3)),
    ]
    assert right.halves() is None


TABLE = PullTable.model_validate({"description": "t", "key": ["id"], "columns": {"id": "text", "n": "integer"}})
LISTED = Stream.model_validate(
    {
        "table": "t", "path": "/x", "items": "items", "columns": {"id": "id", "n": "count"},
        "cursor": {"member": "next", "parameter": "after"},
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"items": [{"id": "a", "count": 3}], "next": "a"}', ([("a", 3)], 1, "a", 0, 0)),
        (b'{"items": [], "next": "a"}', ([], 0, "a", 0, 0)),
        (b'{"items": [{"id": "a", "count": 2.5}], "next": null}', ([("a", None)], 1, None, 1, 0)),
        (b'{"items": [{"id": 7, "count": "1,200"}, {"count": 1}]}', ([("7", 1200)], 2, None, 0, 1)),
        (b'{"items": [{"id": "a\\u0000b", "count": true}], "next": 5}', ([("a�b", None)], 1, None, 1, 0)),
        (b'{"items": {"id": "a"}}', "`items` is no list"),
        (b'[{"id": "a"}]', "the answer is no object"),
        (b'{"items": ["a"]}', "an item is no object"),
        (b"<html>", "no JSON"),
    ],
)
def test_an_answer_is_read_or_refused_whole(body: bytes, expected: tuple[Any, ...] | str) -> None:
    if isinstance(expected, str):
        with pytest.raises(ContractError, match=expected):
            read_page(LISTED, TABLE, body, {}, "acme", NOON)
        return
    page = read_page(LISTED, TABLE, body, {}, "acme", NOON)
    shown = [row[3:] for row in page.rows]
    assert (shown, page.items, page.cursor, page.unfit, page.without_key) == expected
    assert all(row[:2] == ("acme", NOON) for row in page.rows)


def test_a_pull_that_names_what_is_not_there_is_refused() -> None:
    shipped = pulls()[PULL].model_dump()
    for path, value in (
        (("streams", "campaigns", "table"), "nothing"),
        (("streams", "campaigns", "columns"), {"nothing": "id"}),
        (("streams", "campaign_days", "each", "value"), "nothing"),
        (("tables", "instantly_accounts_raw", "key"), ["nothing"]),
        (("tables", "instantly_accounts_raw", "columns"), {"raw": "text", "email_account": "text"}),
    ):
        changed = json.loads(json.dumps(shipped))
        place = changed
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        with pytest.raises(ValueError, match=r"no (column|table)"):
            PullDefinition.model_validate(changed)
