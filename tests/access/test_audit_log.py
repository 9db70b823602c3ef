"""The log of changes: nobody alters it, no command forgets it, and it is asked by who, whom, what and when."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import typer
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from typer.testing import CliRunner

from enrichment_assets.cli import build_app
from enrichment_assets.cli.home_guard import commands_of
from enrichment_assets.domain.access import Role
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.installation.databases import Databases
from enrichment_assets.installation.migrating import migrate
from enrichment_assets.services.access import api_keys, users
from enrichment_assets.services.operations.budgeting import set_budget
from enrichment_assets.services.operations.history import list_history
from tests.access.office import Office
from tests.actors import TESTER
from tests.docs.test_json import CHANGES, RUNS

ASKS = "it asks, and changes nothing"
CARRIES_OUT = "it carries out what was launched, which is written down"
KEEPS = "it starts, stops or builds what keeps the data, and decides nothing about it"
CHANGES_NOTHING: dict[str, str] = {
    **dict.fromkeys(
        ["client list", "client readers", "workflow list", "workflow show", "workflow check", "workflow processors",
         "pipeline list", "pipeline show", "budget list", "suppress list", "suppress check", "callbacks list",
         "review list", "review show", "review questions", "proposals list",
         "callbacks show", "user list", "api-key list", "uploads", "rejections", "status", "stats", "query", "shell",
         "report", "explain", "export", "worked-at", "moves", "job-changes", "archived", "audit", "history",
         "alert list", "source list", "source show", "source check", "lead show",
         "alert incidents", "alert channels", "person find", "person known", "webhook list", "webhook events",
         "organisation list", "mailbox list", "mailbox show", "mail preview", "destination check", "destination list",
         "delivery list", "delivery show",
         "instantly list", "instantly campaigns", "instantly accounts", "instantly report",
         "campaign list", "campaign show",
         "gate show", "gate list show", "gate stops",
         "events list", "events inbox", "events show", "events source list", "events source kinds"],
        ASKS,
    ),
    **dict.fromkeys(["alert test", "webhook test"], "it sends a message that says it is a test"),
    "events read": "what it takes is written down as the connection's, by the service that takes it",
    "webhook send": "it sends what is due, as the sensor does",
    **dict.fromkeys(["person erased", "person certificate"], "it goes on with erasures that were written down"),
    "run": CARRIES_OUT,
    "extract": CARRIES_OUT,
    **dict.fromkeys(["up", "down", "sandbox", "api", "mcp"], KEEPS),
    "demo": "it uploads and launches by the services of `upload` and `launch`, which write it down",
    "freshness": "it uploads and launches by the services of `upload` and `launch`, which write it down",
    "proposals ask": "it uploads and launches by the services of `upload` and `launch`, which write it down",
    "workflow test": "it tries cases in memory; with --record it writes a file",
}  # fmt: skip
"""Commands that leave no row, each with its reason. Whoever adds a command puts it here, or into `CHANGES`, where a
test runs it and looks for its row."""


NOTHING_THERE = {
    "replay": "only its dry run is run there; tests/platform/test_operator_actions.py replays",
    "campaign launch": "only its dry run is run there; tests/outreach/test_launching.py launches",
    "campaign activate": "there are no leads in it; tests/outreach/test_campaigns.py activates one",
    "webhook recover": "there is nothing to recover there",
}
"""Commands that write a row, but not for what `RUNS` has them do."""


def test_every_command_that_changes_something_writes_it_down_and_the_others_say_why_not() -> None:
    every = {name for name, _ in commands_of(build_app())}
    typed = [" ".join(words) + " " for name, words in RUNS if name in CHANGES]
    written = {name for name in every if any(line.startswith(f"{name} ") for line in typed)}
    written |= NOTHING_THERE.keys()
    assert written - every == set()
    assert every - written == set(CHANGES_NOTHING) & every, "name it in CHANGES_NOTHING, or in CHANGES and RUNS"
    assert set(CHANGES_NOTHING) - every == set()


WRITES = [
    "update operator_actions set actor = 'cli:nobody'",
    "update operator_actions set before = null",
    "update operator_actions set at = at",
    "delete from operator_actions",
    "delete from operator_actions where false",
    "truncate operator_actions",
    "truncate clients, operator_actions cascade",
    "with gone as (delete from operator_actions returning 1) select * from gone",
    "insert into operator_actions (id, actor, action, kind, name) overriding system value "
    "select id, 'cli:x', action, kind, name from operator_actions on conflict (id) do update set actor = 'cli:x'",
]


def test_rows_of_the_log_stay_as_they_are_whoever_asks(office: Office, databases: Databases) -> None:
    before = office.actions()
    assert before
    role = "enrich_worker_of_the_log_test"
    with psycopg.connect(databases.hq, autocommit=True) as owner:
        owner.execute(f"drop role if exists {role}")
        owner.execute(f"create role {role} login password 'only for this test'")
        migrate(databases.hq, works_as=role)
        try:
            owner.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            for statement in WRITES:
                with pytest.raises(InsufficientPrivilege):
                    owner.execute(statement)
            owner.execute("insert into operator_actions (actor, action, kind, name) values ('cli:a', 'x.y', 'x', 'z')")
            owner.execute("reset role")
            for statement in WRITES:  # the owner of the table, and here even a superuser
                with pytest.raises(InsufficientPrivilege, match="append only"):
                    owner.execute(statement)
        finally:
            owner.execute("reset role")
            owner.execute(f"drop owned by {role}")
            owner.execute(f"drop role {role}")
    assert office.actions() == [*before, ("cli:a", "x.y", "z")]


def test_only_an_erasure_under_way_may_black_out_a_person_and_nothing_but_that(office: Office) -> None:
    black_out = "update operator_actions set name = '(erased)', before = null, after = null where kind = 'user'"
    others = [statement for statement in WRITES if "before = null" not in statement and "at = at" not in statement]
    users.add_user(office.hq, "ada", Role.READER, actor=TESTER)
    with pytest.raises(InsufficientPrivilege):
        office.change(black_out)
    office.change(
        "insert into person_erasures (subject, hashes, reason, actor) values ('abc', '\\x00', 'asked', 'cli:ada')"
    )
    for statement in others:
        with pytest.raises(InsufficientPrivilege):
            office.change(statement)
    office.change(black_out)
    assert office.actions()[-1] == (str(TESTER), "user.add", "(erased)")
    office.change("update person_erasures set finished_at = now()")
    with pytest.raises(InsufficientPrivilege):
        office.change(black_out)


def test_the_log_is_asked_by_actor_client_code_and_time_and_read_page_by_page(office: Office) -> None:
    for number in range(7):
        set_budget(office.hq, "acme" if number % 2 else "globex", str(number + 1), actor=TESTER)
    users.add_user(office.hq, "ada", Role.READER, actor=TESTER, client="acme")
    api_keys.create_key(office.hq, "zapier", ["batches:read"], actor=TESTER, client="acme")
    api_keys.revoke_key(office.hq, "zapier", actor=TESTER)

    def told(**asked: Any) -> list[tuple[str, str | None]]:
        return [(row.action, row.client) for row in list_history(office.hq, **asked)]

    assert told(code="api_key") == [("api_key.revoke", "acme"), ("api_key.create", "acme")]
    assert told(code="user.add") == [("user.add", "acme")]
    assert told(code="budget", client="globex") == [("budget.set", "globex")] * 4
    assert told(code="budget", actor="cli:nobody") == []
    assert told(since=datetime.now(UTC) + timedelta(minutes=5)) == []
    for wrong in ("budge.set", "", "client.add; drop table users", "%"):
        with pytest.raises(ConfigurationError):
            told(code=wrong)

    every = list_history(office.hq, limit=1_000)
    pages, before = [], None
    while page := list_history(office.hq, limit=3, before=before):
        assert len(page) <= 3
        pages += page
        before = page[-1].id
    assert pages == every


def test_the_command_shows_it_and_its_old_name_still_works(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENRICH_HOME", str(office.settings.home))
    monkeypatch.setenv("HQ_DATABASE_URL", office.settings.hq_database_url or "")
    users.add_user(office.hq, "ada", Role.READER, actor=TESTER)
    program: typer.Typer = build_app()

    def run(*typed: str) -> str:
        result = CliRunner().invoke(program, typed)
        assert result.exit_code == 0, (typed, result.output, result.exception)
        return result.stdout

    shown = json.loads(run("audit", "--code", "user.add", "--json"))
    assert [(row["actor"], row["name"], row["after"]) for row in shown] == [
        (str(TESTER), "ada", {"role": "reader", "client": None})
    ]
    assert run("history", "--json") == run("audit", "--json")
    assert "audit" in run("--help")
    assert re.search(r"[│ ] history  ", run("--help")) is None
    assert run("audit", "--before", str(shown[0]["id"]), "--code", "user") == "nothing was changed that matches\n"
