"""A client changes prospects by SQL: what can be changed shows at once and is done, all else is refused at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.catalog import clients
from enrichment_assets.services.catalog.readers import grant_reader, revoke_reader
from enrichment_assets.services.people.inventory import filled_tables
from enrichment_assets.services.review import deciding
from enrichment_assets.services.review.asked import carry_out
from enrichment_assets.services.review.listing import Wanted, find_draft, list_drafts
from enrichment_assets.store.asked.changes import anything_waits
from enrichment_assets.store.database import Opened, unreachable
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.people import other_tables
from enrichment_assets.store.tenancy.policies import rows_of_slug
from enrichment_assets.store.tenancy.workspace import let_read, protect_results, show_views
from enrichment_assets.warehouse import withdraw_marts
from enrichment_assets.warehouse.project import load_project
from tests.actors import TESTER
from tests.review.conftest import BATCH, GRADES, Desk

TABLE = (Path(__file__).parent / "prospect_records.sql").read_text()
OTHER = "globex_1"
"""The prospect of another client."""


@dataclass
class Prospects:
    """The view, and who looks at it: acme may change it, globex may only read."""

    desk: Desk
    acme: str
    globex: str

    def ask(self, statement: str, *values: Any, url: str | None = None) -> list[tuple[Any, ...]]:
        """What a client gets for a statement of its own, committed."""
        with psycopg.connect(url or self.acme) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]

    def prospect(self, place: int) -> str:
        """Its id, as the view has it."""
        return f"alpha.example_{self.desk.items[place]}"

    def shown(self, place: int) -> tuple[Any, ...]:
        """Status and approval, as acme sees them."""
        query = "select status, approved_for_send from fs_prospects where prospect_id = %s"
        return self.ask(query, self.prospect(place))[0]

    def queue(self) -> list[tuple[Any, ...]]:
        """What was asked for, as acme sees it."""
        return self.ask("select field, new_value, state, asked_by, reason from asked_changes order by id")


@pytest.fixture
def prospects(desk: Desk) -> Iterator[Prospects]:
    """The published records of the batch, the view over them, and a role for each client."""
    clients.add_client(desk.hq, "globex", "Globex", actor=TESTER)
    with desk.hq.workspace.transaction() as workspace:
        workspace.execute(TABLE)
        for number, (item, grade) in enumerate(zip(desk.items, GRADES, strict=True), 1):
            draft = {
                "subject_line": f"Boston, {number}",
                "email_body": f"Hello {number}.\nCongratulations – on Boston.",
            }
            _record(
                workspace, "acme", BATCH, item, f"alpha.example_{item}", json.dumps(draft) if grade in "AB" else None
            )
        _record(workspace, "globex", "globex-1", 1, OTHER, '{"subject_line": "x"}')
        protect_results(workspace, {"fs_prospect_records": rows_of_slug()}, ["fs_prospect_records"])
        show_views(workspace, "fs")
    url = desk.settings.workspace_database_url
    urls = []
    for client, decides in (("acme", True), ("globex", False)):
        granted = grant_reader(desk.hq, client, actor=TESTER, decides=decides)
        urls.append(make_conninfo(url or "", user=granted.reader.role, password=granted.password))
        with desk.hq.workspace.transaction() as workspace:
            let_read(workspace, [granted.reader.role], ["fs_prospect_records"])
    yield Prospects(desk, *urls)
    for client in ("acme", "globex"):
        revoke_reader(desk.hq, client, actor=TESTER)


def _record(workspace: Any, client: str, batch: str, item: int, prospect: str, draft: str | None) -> None:
    workspace.execute(
        "insert into fs_prospect_records (client_slug, batch_key, item_id, prospect_id, status, email_draft, "
        "approved_for_send, recorded_at) values (%s, %s, %s, %s, %s, %s, false, now())",
        [client, batch, item, prospect, "personalized" if draft else "qualified", draft],
    )


def test_the_records_of_these_tests_have_the_columns_of_the_models(prospects: Prospects) -> None:
    found = prospects.ask("select column_name from information_schema.columns where table_name = 'fs_prospect_records'")
    assert {name for (name,) in found} == {
        column.name for column in load_project().models["fs_prospect_records"].columns
    }
    writable = "select is_trigger_updatable from information_schema.views where table_name = 'fs_prospects'"
    assert prospects.ask(writable) == [("YES",), ("YES",)]
    prospects.ask("update fs.fs_prospects set status = 'contacted' where prospect_id = %s", prospects.prospect(3))
    assert prospects.shown(3) == ("contacted", False)
    assert [row[0] for row in prospects.queue()] == ["status"]


def test_a_change_shows_at_once_and_becomes_an_edit_or_an_approval(prospects: Prospects) -> None:
    desk, (first, second, third) = prospects.desk, (prospects.prospect(n) for n in range(3))
    with desk.hq.workspace.transaction() as workspace:
        assert not anything_waits(workspace)
    assert prospects.ask("select count(*) from fs_prospects") == [(4,)]
    update = (
        "update fs_prospects set status = 'contacted', approved_for_send = true where prospect_id = %s returning status"
    )
    assert prospects.ask(update, first) == [("contacted",)]
    assert prospects.shown(0) == ("contacted", True)
    assert prospects.ask(
        "update fs_prospects set approved_for_send = true where prospect_id = any(%s)", [second, third]
    ) == [(2,)]
    desk.rewrite(1, "Written anew after the table was made.")
    with desk.hq.workspace.transaction() as workspace:
        assert anything_waits(workspace)
    done = carry_out(desk.hq)
    assert (done.done, done.refused) == (3, 1)
    role = prospects.ask("select current_user")[0][0]
    assert [(field, value, state, by) for field, value, state, by, _ in prospects.queue()] == [
        ("status", "contacted", "done", role),
        ("approved_for_send", "true", "done", role),
        ("approved_for_send", "true", "refused", role),
        ("approved_for_send", "true", "done", role),
    ]
    assert "another one by now" in prospects.queue()[2][4]
    assert [prospects.shown(n) for n in range(3)] == [
        ("contacted", True),
        ("personalized", False),
        ("personalized", True),
    ]
    drafts = list_drafts(desk.hq, Wanted(batch=BATCH))
    assert [(one.standing.value, one.approval and one.approval.actor) for one in drafts] == [
        ("approved", f"sql:{role}"),
        ("waiting", None),
        ("approved", f"sql:{role}"),
    ]
    assert desk.rows("select item_id, field, value, edited_by from item_edits") == [
        {"item_id": desk.items[0], "field": "prospect_status", "value": "contacted", "edited_by": role}
    ]
    actions = desk.rows("select action, actor from operator_actions where actor like 'sql:%%' order by id")
    assert [row["action"] for row in actions] == [Code.LEAD_EDIT, Code.REVIEW_APPROVE, Code.REVIEW_APPROVE]
    # An update that changes nothing asks for nothing; one that was carried out and not marked is not done twice.
    prospects.ask("update fs_prospects set status = status, approved_for_send = approved_for_send")
    with desk.hq.workspace.transaction() as workspace:
        workspace.execute("update asked_changes set state = 'waiting' where state = 'done'")
    carry_out(desk.hq)
    assert [len(desk.rows(f"select 1 from {table}")) for table in ("item_edits", "approvals")] == [1, 2]
    # Taken back: what may leave is withdrawn. Once the records are made anew they say what holds.
    prospects.ask("update fs_prospects set approved_for_send = false where prospect_id = %s", first)
    carry_out(desk.hq)
    assert prospects.shown(0) == ("contacted", False)
    assert [one.standing.value for one in list_drafts(desk.hq, Wanted(batch=BATCH))] == [
        "rejected",
        "waiting",
        "approved",
    ]
    with desk.hq.workspace.transaction() as workspace:
        workspace.execute("update fs_prospect_records set recorded_at = now() + interval '1 second'")
    assert prospects.shown(0) == ("personalized", False)


def test_a_later_rejection_holds_and_a_lost_database_refuses_nothing(prospects: Prospects) -> None:
    desk = prospects.desk
    prospects.ask("update fs_prospects set approved_for_send = true where email_draft is not null")
    deciding.reject(desk.hq, deciding.named([find_draft(desk.hq, desk.name(0))])[0], actor=TESTER, reason="too loud")
    lost = partial(_lost, desk.settings.hq_database_url or "")
    nowhere = Hq(lost, lost)
    nowhere.workspace = desk.hq.workspace
    with pytest.raises(InfrastructureError):
        carry_out(nowhere)
    assert [state for _, _, state, _, _ in prospects.queue()] == ["waiting"] * 3
    carry_out(desk.hq)
    assert [(state, reason) for _, _, state, _, reason in prospects.queue()] == [
        ("refused", "cli:tester has rejected the draft since: too loud"),
        ("done", None),
        ("done", None),
    ]
    assert [one.standing.value for one in list_drafts(desk.hq, Wanted(batch=BATCH))] == [
        "rejected",
        "approved",
        "approved",
    ]
    # Whoever looks again after the rejection may approve it, take that back, and think again: the last word holds.
    for word in ("true", "false", "true"):
        prospects.ask(
            f"update fs_prospects set approved_for_send = {word} where prospect_id = %s", prospects.prospect(0)
        )
    assert (carry_out(desk.hq).done, prospects.shown(0)) == (3, ("personalized", True))
    # Of two sessions the one that began later may end first: what it asked for stays.
    with psycopg.connect(prospects.acme) as slow:
        slow.execute(
            "update fs_prospects set approved_for_send = false where prospect_id = %s", [prospects.prospect(0)]
        )
        for word in ("false", "true"):
            prospects.ask(
                f"update fs_prospects set approved_for_send = {word} where prospect_id = %s", prospects.prospect(0)
            )
        assert carry_out(desk.hq).done == 2
    assert (carry_out(desk.hq).refused, prospects.shown(0)) == (1, ("personalized", True))
    assert list_drafts(desk.hq, Wanted(batch=BATCH))[0].standing.value == "approved"
    with desk.hq.transaction() as hq, desk.hq.workspace.transaction() as workspace:
        tables = {one.name: one for one in other_tables.tables_of(workspace, ()) if one.name in filled_tables(hq)}
        other_tables.delete_rows(workspace, tables["asked_changes"], [desk.items[0]])
    assert [row[2] for row in prospects.queue()] == ["done", "done"], (
        "an erased person's requests go with the drafts that are in them"
    )
    withdraw_marts(desk.hq, BATCH)
    assert (prospects.queue(), prospects.ask("select count(*) from fs_prospects")) == ([], [(0,)])


def _lost(url: str) -> Opened:
    raise unreachable(url, psycopg.OperationalError("the server is away"))


REFUSED: dict[str, tuple[str, str]] = {
    "another column": (
        "update fs_prospects set email = 'x@y.example'",
        "column email of fs_prospects cannot be changed",
    ),
    "the time of sending": ("update fs_prospects set email_sent_at = now()", "column email_sent_at of fs_prospects"),
    "a status that follows from facts": (
        "update fs_prospects set status = 'qualified'",
        "status cannot become 'qualified'",
    ),
    "no status": ("update fs_prospects set status = null", "status cannot become null"),
    "a status that there is not": ("update fs_prospects set status = 'sent'", "status cannot become 'sent'"),
    "neither yes nor no": ("update fs_prospects set approved_for_send = null", "approved_for_send is true or false"),
    "an approval of nothing": (
        "update fs_prospects set approved_for_send = true where email_draft is null",
        "has no draft that could be approved",
    ),
    "a new row": ("insert into fs_prospects (prospect_id) values ('a_1')", "no row of it is added or deleted"),
    "a row less": ("delete from fs_prospects", "no row of it is added or deleted"),
    "the queue itself": ("insert into asked_changes default values", "permission denied"),
    "the records": ("update fs_prospect_records set status = 'contacted'", "permission denied"),
}


def test_what_cannot_be_changed_is_refused_at_once_and_says_what_can(prospects: Prospects) -> None:
    for what, (statement, why) in REFUSED.items():
        with pytest.raises(psycopg.Error, match=why) as refused:
            prospects.ask(statement)
        hint = refused.value.diag.message_hint or ""
        assert "permission denied" in why or "Only status (to contacted) and approved_for_send" in hint, what
    assert prospects.queue() == []


def test_a_client_asks_for_its_own_rows_only_and_a_reader_for_none(prospects: Prospects) -> None:
    assert prospects.ask("update fs_prospects set status = 'contacted' where prospect_id = %s", OTHER) == [(0,)]
    attempts: list[Callable[[], Any]] = [
        lambda: prospects.ask("update fs_prospects set status = 'contacted'", url=prospects.globex),
        lambda: prospects.ask("select ask_for_change()"),
        # The function runs as its owner: nobody may put it behind a table of theirs.
        lambda: prospects.ask(
            "create temp table mine (prospect_id text, status text, approved_for_send boolean, email_draft text); "
            "create trigger t before update on mine for each row execute function ask_for_change()"
        ),
    ]
    for attempt in attempts:
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            attempt()
    # A temporary table of the asker's does not stand for ours.
    with psycopg.connect(prospects.acme) as connection:
        connection.execute(
            "create temp table fs_prospect_records (client_slug text, batch_key text, item_id bigint, prospect_id text)"
        )
        connection.execute(
            "insert into fs_prospect_records select 'globex', 'globex-1', 1, %s", [prospects.prospect(0)]
        )
        connection.execute(
            "update public.fs_prospects set status = 'contacted' where prospect_id = %s", [prospects.prospect(0)]
        )
    assert prospects.ask("select client_slug, item_id from asked_changes") == [("acme", prospects.desk.items[0])]
    assert prospects.ask("select count(*) from asked_changes", url=prospects.globex) == [(0,)]
