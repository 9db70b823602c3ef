"""The table that brings rows is the one that its pipeline writes: each row of it is told what was found about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from enrichment_assets.cli.batch import print_status
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.sources import RowEnd, TableSource
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.batches.families import FamilyReport, write_families
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.catalog.configuration import add_pipeline, add_workflow
from enrichment_assets.services.sources.looking import Look, look_at
from enrichment_assets.services.sources.table_sources import add_source, get_source
from tests.actors import TESTER
from tests.engine_features.test_families import STAFF, TABLES
from tests.engine_features.test_fanout import later, search
from tests.harness.handles import hq_of
from tests.sources.conftest import Desk

COLUMNS = {**TABLES[0]["columns"], "site": "fields.company_domain", "note": "item.company_name"}
PIPELINE = PipelineDefinition.model_validate({
    "slug": "staffed",
    "steps": ["search", "later"],
    "families": {"tables": [{**TABLES[0], "columns": COLUMNS}, TABLES[1]]},
})  # fmt: skip
SOURCE = TableSource(
    table="clubs",
    key="id",
    where={"status": "pending"},
    done={"status": "enriched"},
    failed={"status": "failed"},
    mapping={"name": "company_name", "site": "company_domain"},
)


@pytest.fixture
def workspace(desk: Desk) -> Iterator[psycopg.Connection[Any]]:
    hq = hq_of(desk.settings)
    asked = {"url": "/echo", "body": {"people": list(STAFF)}}
    for workflow in (search(request=asked), later()):
        add_workflow(hq, desk.settings, workflow, actor=TESTER)
    add_pipeline(hq, PIPELINE, "acme", actor=TESTER)
    with psycopg.connect(desk.settings.workspace_database_url or "", autocommit=True) as connection:
        connection.execute(
            "create type size as enum ('0', '2'); create table clubs (id serial primary key, name text, one text, "
            "two text, site varchar(60), status text default 'pending', staff size, note text not null default 'mine')"
        )
        connection.execute(
            "insert into clubs (name, one, two, site) values ('  Pine ', 'Ann', 'Bob', null), "
            "('Oak', 'Cid', 'Dan', 'https://www.oak.example/'), ('Elm', 'Eve', 'Fay', null)"
        )
        yield connection


def write(desk: Desk, key: str, *, again: bool = False) -> FamilyReport:
    hq = hq_of(desk.settings)
    return write_families(hq, load_batch(hq, key), again=again)


def test_a_row_gets_what_its_table_has_columns_for_and_keeps_what_it_said_itself(
    desk: Desk, workspace: psycopg.Connection[Any]
) -> None:
    hq = hq_of(desk.settings)
    add_source(hq, desk.settings, "clubs", "acme", "staffed", SOURCE, actor=TESTER)

    def look() -> Look:
        return look_at(hq, desk.settings, get_source(hq, "clubs"), actor=TESTER)

    key = look().batch
    assert key is not None
    desk.batch(key).run()
    workspace.execute("delete from clubs where name = 'Elm'")
    assert write(desk, key).written == 3
    rows = "select id, name, site, status, staff::text, note from clubs order by id"
    assert workspace.execute(rows).fetchall() == [
        (1, "  Pine ", None, "pending", "2", "mine"),
        (2, "Oak", "oak.example", "pending", "2", "mine"),
    ], "its status is the source's to write, and what the row said of itself stays as it was said"
    assert workspace.execute("select count(*) from club_staff").fetchone() == (6,)
    desk.change("update item_families set problem = 'no room'")
    assert look().problem == "3 rows have ended and are not in their tables: no room"
    before = workspace.execute("select xmin::text from clubs order by id").fetchall()
    desk.change("update item_families set state = 'as before the last answer'")
    assert write(desk, key).written == 3
    assert workspace.execute("select xmin::text from clubs order by id").fetchall() == before, "nothing is new"
    assert look().ended == {RowEnd.DONE: 2, RowEnd.GONE: 1}
    assert workspace.execute("select distinct status from clubs").fetchall() == [("enriched",)]


def test_a_value_that_its_column_cannot_have_is_left_out_and_keeps_no_row_from_its_end(
    desk: Desk, workspace: psycopg.Connection[Any]
) -> None:
    hq = hq_of(desk.settings)
    for change in (
        "alter table clubs alter staff type boolean using null",  # 2: a number is cast to a truth value, by its text
        "alter table clubs add cost date, alter note drop not null",
        "update clubs set note = null",
        "alter table clubs alter note type varchar(3)",
    ):
        workspace.execute(change)
    add_source(hq, desk.settings, "clubs", "acme", "staffed", SOURCE, actor=TESTER)
    key = look_at(hq, desk.settings, get_source(hq, "clubs"), actor=TESTER).batch
    assert key is not None
    desk.batch(key).run()
    report = write(desk, key)
    assert (report.written, dict(report.problems)) == (3, {})
    assert dict(report.unfit) == {"clubs.cost": 3, "clubs.staff": 3, "clubs.note": 1}
    rows = "select note, staff, cost, site from clubs order by id"
    assert workspace.execute(rows).fetchall() == [
        (None, None, None, None),
        ("Oak", None, None, "oak.example"),
        ("Elm", None, None, None),
    ]
    assert workspace.execute("select count(*) from club_staff").fetchone() == (6,)
    assert look_at(hq, desk.settings, get_source(hq, "clubs"), actor=TESTER).ended == {RowEnd.DONE: 3}


def test_rows_that_came_otherwise_are_not_written_into_a_table_of_the_users_own_and_a_status_says_so(
    desk: Desk, workspace: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    into = replace(desk.into, pipeline="staffed")
    key = desk.add({"company_name": "Pine", "one": "Ann", "two": "Bob"}, into=into).batch_key
    desk.batch(key).run()
    write(desk, key)
    standing = status(hq_of(desk.settings), desk.settings, key)
    print_status(standing)
    assert f"do   mend that, then: enrich run {key}" in capsys.readouterr().out
    ((said, families),) = standing.unwritten.items()
    assert said.startswith("pipeline staffed: the workspace has a table 'clubs' that the platform has not made")
    assert families == 1
    assert workspace.execute("select count(*) from clubs where staff is not null").fetchone() == (0,)
    assert workspace.execute("select to_regclass('club_staff')").fetchone() == (None,), "not a half of a family"
    workspace.execute("alter table clubs rename to my_clubs")
    assert write(desk, key, again=True).written == 1
    assert not status(hq_of(desk.settings), desk.settings, key).unwritten
    assert workspace.execute("select name, staff from clubs").fetchall() == [("Pine", 2)]


def test_a_source_whose_pipeline_would_write_another_table_of_the_users_is_refused(
    desk: Desk, workspace: psycopg.Connection[Any]
) -> None:
    hq = hq_of(desk.settings)
    workspace.execute(
        "create schema crm; create table crm.clubs as table clubs; alter table crm.clubs add primary key (id)"
    )
    with pytest.raises(ConfigurationError, match="writes a table 'clubs', and the workspace has another") as refused:
        add_source(hq, desk.settings, "c", "acme", "staffed", replace(SOURCE, table="crm.clubs"), actor=TESTER)
    assert refused.value.code == "source.not_ready"
