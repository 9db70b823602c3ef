"""Tables of a pipeline's families: a row and its children are written together, once nothing of them is open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation
from pydantic import ValidationError

from enrichment_assets.domain.companies import company_key
from enrichment_assets.domain.families import Families, family_faults
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.services.batches import families
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.batches.families import FamilyReport, write_families
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.services.operations.recovery import resolve
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.services.operations.statistics import batch_statistics, family_figures
from enrichment_assets.store.database import connect
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.people.other_tables import registered_destinations
from enrichment_assets.store.results import families as store
from enrichment_assets.store.runs.contexts import LoadedItem
from tests.actors import TESTER
from tests.engine_features.test_fanout import later, search
from tests.harness.batches import BatchHarness, Launched, Row
from tests.harness.handles import hq_of

STAFF = (
    {"first_name": "{{original.one}}", "scenario": "{{original.trouble}}"},
    {"first_name": "{{original.two}}", "title": "Pro"},
)
TABLES: list[Row] = [
    {
        "table": "clubs",
        "create": True,
        "key": ["club_id"],
        "columns": {
            "club_id": "item.key",
            "name": "item.company_name",
            "status": "family.status",
            "reason": "family.reason",
            "cost": {"from": "family.cost", "type": "numeric"},
            "staff": {"from": "family.children", "type": "integer"},
        },
    },
    {
        "table": "club_staff",
        "rows": "children",
        "create": True,
        "key": ["staff_id"],
        "columns": {
            "staff_id": "item.key",
            "club_id": "root.item.key",
            "name": "fields.first_name",
            "title": "original.title",
            "found": "steps.later",
        },
    },
]
FAMILIES: Row = {"failed_if": [{"when": "family.children == `0`", "reason": "no staff is known"}], "tables": TABLES}


def club(name: str, one: str = "Ann", two: str = "Bob", **more: str) -> Row:
    return {"company_name": name, "one": one, "two": two, **more}


def launch(harness: BatchHarness, *rows: Row, families: Row = FAMILIES, **fields: Any) -> Launched:
    asked = later(**{"retry": {"attempts": 1, "timeout": 1.0, "base": 0.01}, **fields})
    return harness.launch(rows, search(STAFF), asked, families=families)


def write(batch: Launched, *, again: bool = False) -> FamilyReport:
    hq = hq_of(batch.settings)
    return write_families(hq, load_batch(hq, batch.key), again=again)


def table(batch: Launched, query: str) -> list[tuple[Any, ...]]:
    with connect(batch.settings.workspace_database_url or "") as workspace:
        return [tuple(row.values()) for row in workspace.execute(query).fetchall()]  # type: ignore[arg-type]


CLUBS = "select name, status, reason, staff from clubs order by name"
STAFF_ROWS = (
    "select c.name, s.name as who, s.title, s.found from clubs c join club_staff s using (club_id) order by 1, 2"
)


def test_a_family_is_written_when_all_of_it_has_ended_and_held_while_a_fate_is_unknown(harness: BatchHarness) -> None:
    batch = launch(
        harness,
        club("Pine"),
        club("Oak", trouble="timeout"),
        club("Elm", trouble="error"),
        club("Ash", one="", two=""),
        club("Fir", trouble="miss"),
    )
    assert write(batch) == FamilyReport(), "nothing has ended"
    assert batch.run().finished
    report = write(batch)
    assert (report.written, report.failed, dict(report.problems)) == (4, 2, {})
    assert table(batch, CLUBS) == [
        ("Ash", "failed", "no staff is known", 0),
        ("Elm", "failed", "later: HTTP 500 (gave up after 1 attempts)", 2),
        ("Fir", "enriched", None, 2),
        ("Pine", "enriched", None, 2),
    ]
    assert table(batch, STAFF_ROWS) == [
        ("Elm", "Ann", None, "failed"), ("Elm", "Bob", "Pro", "found"),
        ("Fir", "Ann", None, "not_found"), ("Fir", "Bob", "Pro", "found"),
        ("Pine", "Ann", None, "found"), ("Pine", "Bob", "Pro", "found"),
    ]  # fmt: skip
    assert table(batch, "select sum(cost) from clubs") == [(Decimal("0.08"),)], "eight hits of a cent; two are Oak's"
    before = table(batch, "select xmin::text, * from clubs order by name")
    assert write(batch) == FamilyReport(), "nothing has changed"
    resolve(hq_of(batch.settings), batch.key, "accept-miss", actor=TESTER)
    assert write(batch).written == 1
    assert ("Oak", "enriched", None, 2) in table(batch, CLUBS)
    assert [row for row in table(batch, "select xmin::text, * from clubs order by name") if row in before] == before


def test_a_retry_a_correction_and_a_replay_write_a_family_again_and_its_rows_stay_the_same_ones(
    harness: BatchHarness,
) -> None:
    batch = launch(harness, club("Elm", trouble="error"))
    batch.run()
    write(batch)
    ids = table(batch, "select staff_id from club_staff order by name")
    batch.change("update batch_items set original_data = original_data - 'scenario' where parent_item_id is not null")
    retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER)
    assert write(batch) == FamilyReport(), "it is open again"
    batch.run()
    assert write(batch).written == 1
    assert table(batch, CLUBS) == [("Elm", "enriched", None, 2)]
    assert table(batch, "select staff_id from club_staff order by name") == ids
    batch.change(
        "insert into item_edits (client_id, batch_id, item_id, field, value, edited_by) "
        "select client_id, batch_id, id, 'first_name', 'Anna', 'tester' from batch_items where first_name = 'Ann'"
    )
    assert write(batch).written == 1
    batch.change("update enrichment_results set fetched_at = fetched_at + interval '1 microsecond'")
    assert write(batch).written == 1
    assert [row[1] for row in table(batch, STAFF_ROWS)] == ["Anna", "Bob"]
    second = launch(harness, club("Elm"))
    second.run()
    write(second)
    assert table(second, "select count(*) from clubs") == [(1,)], "the same club, by a later batch"
    assert table(second, "select staff_id from club_staff order by name") == ids
    other = harness.launch([club("Elm")], search(STAFF), later(), families=FAMILIES, client="other")
    other.run()
    write(other)
    assert table(other, "select client_slug, name from clubs order by 1") == [("acme", "Elm"), ("other", "Elm")]


def test_figures_say_how_families_ended_and_lines_of_the_log_name_the_row_that_a_child_is_of(
    harness: BatchHarness, tmp_path: Path
) -> None:
    batch = launch(harness, club("Pine"), club("Elm", trouble="error"), club("Fir", trouble="timeout"))
    batch.settings = replace(batch.settings, log=str(tmp_path / "engine.jsonl"))
    batch.run()
    write(batch)
    figures = family_figures(hq_of(batch.settings), batch.key)
    assert figures is not None
    assert (figures.families, figures.enriched, figures.failed, figures.children) == (2, 1, 1, 4)
    assert figures.cost_p50 == pytest.approx(0.025)
    rates = {one.workflow: one.success_rate for one in batch_statistics(hq_of(batch.settings), batch.key)}
    assert rates == {"search": 1.0, "later": 4 / 6}
    lines = [json.loads(line) for line in (tmp_path / "engine.jsonl").read_text().splitlines()]
    told = {(line["item"], line.get("parent")) for line in lines if line.get("action") in ("call", "skip")}
    there = batch.rows("select id, parent_item_id from batch_items order by id")
    assert told == {(row["id"], row["parent_item_id"]) for row in there}


def test_a_family_that_is_retried_while_it_is_read_is_left_to_the_next_look(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = launch(harness, club("Elm", trouble="error"), club("Pine"))
    batch.run()

    def retried(hq: Hq, ids: Sequence[int], blueprint: Blueprint) -> list[LoadedItem]:
        retry(hq, batch.settings, batch.key, actor=TESTER)
        return load(hq, ids, blueprint)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(families, "load", retried)
        assert write(batch).written == 1
    assert table(batch, CLUBS) == [("Pine", "enriched", None, 2)]
    batch.run()
    assert write(batch).written == 1
    assert ("Elm", "failed", "later: HTTP 500 (gave up after 1 attempts)", 2) in table(batch, CLUBS)


def test_a_death_between_its_tables_leaves_none_of_a_family(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = launch(harness, club("Pine"), club("Fir"))
    batch.run()

    def dies(*_: object) -> None:
        raise psycopg.OperationalError("the server is gone")

    with monkeypatch.context() as broken, pytest.raises(psycopg.OperationalError):
        broken.setattr(store, "note_families", dies)
        write(batch)
    assert len(table(batch, STAFF_ROWS)) == 4, "written, and not noted"
    before = table(batch, "select xmin::text, * from club_staff order by item_id")
    assert write(batch).written == 2
    assert table(batch, "select xmin::text, * from club_staff order by item_id") == before


def test_a_table_of_the_users_own_is_updated_by_its_key_and_keeps_what_nobody_found(harness: BatchHarness) -> None:
    columns = {"id": "original.id", "status": "family.status", "website": "fields.company_domain"}
    own = {"table": "my_clubs", "key": ["id"], "columns": columns}
    families = {"tables": [own, TABLES[1]]}
    batch = launch(harness, club("Pine", id="7"), club("Oak", id="8"), club("Elm", id="9"), families=families)
    batch.run()
    (missing,) = write(batch).problems
    assert missing.startswith("pipeline p: the table 'my_clubs' does not exist")
    assert table(batch, "select to_regclass('club_staff')") == [(None,)], "not a half of a family"
    with connect(batch.settings.workspace_database_url or "") as workspace:
        workspace.execute(
            "create table my_clubs (id int primary key, status text, website varchar(30), note text, "
            "constraint no_oak check (id <> 8 or status <> 'enriched'))"
        )
        workspace.execute(
            "insert into my_clubs values (7, 'pending', 'pine.example', 'mine'), (8, 'pending', null, '')"
        )
        workspace.commit()
    assert write(batch) == FamilyReport(), "what could not be written waits for the next run"
    report = write(batch, again=True)
    assert (report.written, list(report.problems.values())) == (2, [1])
    assert CheckViolation.sqlstate in next(iter(report.problems))
    assert table(batch, "select id, status, website, note from my_clubs order by id") == [
        (7, "enriched", "pine.example", "mine"),
        (8, "pending", None, ""),
        (9, "enriched", None, None),
    ]
    assert table(batch, "select count(*) from club_staff") == [(4,)]
    with connect(batch.settings.hq_database_url or "") as hq:
        known = registered_destinations(hq)
    assert "club_staff" in known and "my_clubs" not in known, "an erasure deletes rows of ours"
    assert batch.rows("select problem is null as is_written from item_families order by item_id") == [
        {"is_written": True}, {"is_written": False}, {"is_written": True},
    ]  # fmt: skip


def test_what_was_cancelled_or_is_suppressed_is_not_written(harness: BatchHarness) -> None:
    batch = launch(harness, club("Pine"), club("Fir"))
    batch.run()
    batch.change(
        "update workflow_states s set status = 'CANCELLED' from batch_items i where i.id = s.item_id "
        "and i.company_name = 'Pine' and i.first_name = 'Bob' and s.workflow_slug = 'later'"
    )
    batch.change(
        "update workflow_states s set status = 'SKIPPED', outcome = null, result_id = null, reason = 'suppressed: x' "
        "from batch_items i where i.id = s.item_id and i.company_name = 'Fir' and i.first_name = 'Bob' "
        "and s.workflow_slug = 'later'"
    )
    report = write(batch)
    assert (report.written, report.stopped) == (1, 1)
    assert table(batch, STAFF_ROWS) == [("Fir", "Ann", None, "found")]
    assert batch.rows("select status, reason from item_families order by item_id") == [
        {"status": "stopped", "reason": "cancelled"},
        {"status": "enriched", "reason": None},
    ]


def test_rows_of_one_company_are_one_family_where_the_pipeline_says_so(harness: BatchHarness) -> None:
    batch = harness.launch(
        [club("Pine", state="Texas"), club("PINE", state="TX"), club("Pine", state="Ohio")],
        search(STAFF, entity="company"),
        later(),
        families={**FAMILIES, "of": "company"},
        company_identity=["name_and_place", "company_name"],
    )
    batch.run()
    assert batch.asked("search") == 2
    assert write(batch).written == 2
    assert [row[1:] for row in table(batch, CLUBS)] == [("enriched", None, 2)] * 2
    assert table(batch, "select count(*) from club_staff") == [(4,)]


def test_a_place_and_a_name_are_a_company_of_their_own() -> None:
    """States by their names and by the two letters of ISO 3166-2 (US, CA, AU), as far as they are one country's."""

    def key(**row: str) -> str | None:
        return company_key({"company_name": "Pine Hills Golf Club", **row}, ["name_and_place"])

    assert key(state="TX") == key(state="texas") == key(state=" Texas ", country="US") == key(state="US-TX")
    assert len({key(state=state) for state in ("TX", "OH", "Ontario", "QLD", "Bavaria")}) == 5
    assert key(state="ON") == key(state="Ontario") == key(state="Ontario", country="Canada")
    assert key(state="WA") != key(state="Washington"), "it may be Western Australia"
    assert key(state="WA", country="US") == key(state="Washington", country="USA")
    assert key(state="WA", country="AU") == key(state="Western Australia", country="Australia")
    assert key(state="NRW", country="DE") is not None
    assert key(state="Punjab", country="IN") != key(state="Punjab", country="PK") != key(state="Punjab")
    assert key(state="Québec") == key(state="QC", country="CA")
    assert key(state="NSW") == key(state="New South Wales", country="Australia")
    assert key(city="Austin", state="TX") != key(city="Dallas", state="TX")
    assert key(city="Austin") is not None
    assert key() is None


@pytest.mark.parametrize(
    ("families", "said"),
    [
        ({"tables": [{**TABLES[0], "key": ["nmae"]}]}, "did you mean 'name'?"),
        ({"tables": [TABLES[0], TABLES[0]]}, "clubs stands there twice"),
        ({"tables": [{**TABLES[0], "columns": {"item_id": "item.id"}}]}, "has that column by itself"),
        ({"tables": [{**TABLES[0], "columns": {"club_id": "item.("}}]}, "is not a JMESPath expression"),
        ({"tables": []}, "at least 1 item"),
    ],
)
def test_families_that_cannot_be_are_refused(families: Row, said: str) -> None:
    with pytest.raises(ValidationError, match=r".") as refused:
        Families.model_validate(families)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("fields.segmnet", "nothing gives fields.segmnet; did you mean 'segment'?"),
        ("root.fields.segmnet", "nothing gives fields.segmnet"),
        ("familly.status", "did you mean 'family'?"),
        ("family.sum", "nothing gives family.sum"),
        ("item.company_nme", "did you mean 'company_name'?"),
        ("!fields.segment", "null always"),
        ('fields.segment || original."Segment" || steps."find-it"', ""),
        ("root.original.anything", ""),
    ],
)
def test_names_that_nothing_gives_are_said_when_a_pipeline_is_saved(expression: str, said: str) -> None:
    families = Families.model_validate(
        {"tables": [{"table": "t", "key": ["a"], "columns": {"a": expression}}]},
    )
    faults = family_faults(families, ["segment", "email"])
    assert [said in fault for fault in faults] == ([True] if said else [])
