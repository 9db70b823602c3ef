"""Rows of a user's table become leads by themselves, once, and the table is told how they ended."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dagster as dg
import psycopg
import pytest
from psycopg.rows import dict_row
from typer.testing import CliRunner

from enrichment_assets.cli import source as command
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.sources import RowEnd, TableSource, pairs_of
from enrichment_assets.sensors.sources import source_sensor
from enrichment_assets.services.batches.advancing import mark_extracted
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.sources.looking import Look, look_at
from enrichment_assets.services.sources.table_sources import (
    add_source,
    check_again,
    get_source,
    pause_source,
    remove_source,
    resume_source,
    rows_under_way,
)
from tests.actors import TESTER
from tests.assets.conftest import platform
from tests.chaos.points import SOURCES, Point
from tests.harness.handles import hq_of
from tests.sources.conftest import Desk, killed_at

COURSES = """
create type course_status as enum ('pending_enrichment', 'enriched', 'failed', 'on hold');
create table courses (
  id serial primary key, course_name text not null, state char(2), "% of water" numeric(5, 2), opened timestamptz,
  tags text[], scenario text, n int, why varchar(20), status course_status not null default 'pending_enrichment',
  photo bytea, updated_at timestamptz not null default now()
);
insert into courses (course_name, state, "% of water", opened, tags)
values ('Pine Hills', 'TX', 12.50, '1999-05-01 10:00+02', '{a,b}'), ('  O''Neil "Links"', null, null, null, null)
"""
DEFINITION = TableSource(
    table="courses",
    key="id",
    where={"status": "pending_enrichment"},
    done={"status": "enriched"},
    failed={"status": "failed"},
    mapping={"course_name": "company_name"},
    reason="why",
)


class Golf:
    """A desk with a table of courses in its workspace, and its source."""

    def __init__(self, desk: Desk, workspace: psycopg.Connection[Any]) -> None:
        self.desk, self.workspace = desk, workspace

    def add(self, definition: TableSource = DEFINITION, name: str = "golf-courses") -> None:
        """Make the table a source."""
        add_source(hq_of(self.desk.settings), self.desk.settings, name, "acme", "mine", definition, actor=TESTER)

    def look(self) -> Look:
        """Look at it now."""
        hq = hq_of(self.desk.settings)
        return look_at(hq, self.desk.settings, get_source(hq, "golf-courses"), actor=TESTER)

    def finish(self, key: str | None) -> None:
        """Run a batch to its end, tables included (whose making is not looked at here)."""
        assert key is not None
        self.desk.batch(key).run()
        mark_extracted(hq_of(self.desk.settings), key)

    def rows(self, columns: str = "status::text, why") -> list[tuple[Any, ...]]:
        """Rows of the table by their keys."""
        found = self.workspace.execute(f"select {columns} from courses order by id").fetchall()
        return [tuple(row.values()) for row in found]

    def sql(self, statement: str) -> None:
        """What the table's users do."""
        self.workspace.execute(statement)


@pytest.fixture
def golf(desk: Desk) -> Iterator[Golf]:
    url = desk.settings.workspace_database_url or ""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as workspace:
        workspace.execute(COURSES)
        yield Golf(desk, workspace)


def test_rows_are_taken_once_and_their_table_is_told_how_they_ended(golf: Golf) -> None:
    golf.add()
    golf.sql("update courses set scenario = 'error_500_all' where id = 2")
    look = golf.look()
    assert (look.taken, look.rejected, look.problem) == (2, 0, None)
    assert look.batch is not None and look.batch.startswith("acme-golf-courses-mine-")
    assert golf.look().batch is None, "rows under way are not taken again"
    cells = [row["cells"] for row in golf.desk.rows("select cells from upload_rows order by row_number")]
    assert cells[0] == {
        "id": "1", "course_name": "Pine Hills", "state": "TX", "% of water": "12.50",
        "opened": "1999-05-01 08:00:00+00", "tags": "{a,b}", "status": "pending_enrichment",
        "updated_at": cells[0]["updated_at"],
    }  # fmt: skip
    assert cells[1]["course_name"] == '  O\'Neil "Links"'
    assert golf.desk.rows("select company_name from batch_items order by id")[0]["company_name"] == "Pine Hills"
    assert golf.rows() == [("pending_enrichment", None)] * 2

    batch = golf.desk.batch(look.batch)
    batch.run()
    assert golf.look().ended == {}, "its tables are not made yet"
    batch.change("update workflow_states set status = 'FAILED', reason = 'HTTP 500 of a provider, twice' "
                 "where workflow_slug = 'match' and item_id = (select max(id) from batch_items)")  # fmt: skip
    mark_extracted(hq_of(golf.desk.settings), look.batch)
    assert golf.look().ended == {RowEnd.DONE: 1, RowEnd.FAILED: 1}
    assert golf.rows() == [("enriched", None), ("failed", "match: HTTP 500 of a")]
    assert golf.workspace.execute("select * from enrich_written_rows").fetchall() == []
    assert golf.look().ended == {}

    golf.sql("update courses set status = 'pending_enrichment' where id = 2")
    again = golf.look()
    assert (again.taken, again.batch) == (1, look.batch), "set back, it is taken as another row of the same hour"
    golf.finish(again.batch)
    golf.look()
    assert golf.rows() == [("enriched", None), ("enriched", None)]
    assert create_items(hq_of(golf.desk.settings), golf.desk.settings, look.batch).items == 3


def test_a_row_that_others_have_changed_or_deleted_meanwhile_is_left_alone(golf: Golf) -> None:
    golf.add()
    key = golf.look().batch
    golf.sql("update courses set status = 'on hold' where id = 1")
    golf.sql("delete from courses where id = 2")
    golf.finish(key)
    assert golf.look().ended == {RowEnd.CHANGED: 1, RowEnd.GONE: 1}
    assert golf.rows() == [("on hold", None)]


def test_a_row_waits_for_a_person_where_the_fate_of_a_call_is_unknown_and_for_its_destinations(golf: Golf) -> None:
    golf.add()
    key = golf.look().batch
    golf.finish(key)
    change = "update workflow_states set status = %s, outcome = %s where item_id = (select min(id) from batch_items)"
    golf.desk.change(change, "AMBIGUOUS", None)
    assert golf.look().ended == {RowEnd.DONE: 1}
    assert golf.look().ended == {}
    (waiting,) = rows_under_way(hq_of(golf.desk.settings), get_source(hq_of(golf.desk.settings), "golf-courses"))
    assert waiting.key == "1"
    golf.desk.change(change, "COMPLETED", "found")
    golf.desk.change(
        "update batches set blueprint = jsonb_set(blueprint, '{steps,0,workflow,destination}', '{\"table\": \"t\"}')"
    )
    assert golf.look().ended == {}, "what was found has not reached its table"
    golf.desk.change("update workflow_states set stored_at = now()")
    assert golf.look().ended == {RowEnd.DONE: 1}


def test_at_most_so_many_are_taken_at_a_look_and_a_pause_takes_none_but_writes_back(golf: Golf) -> None:
    golf.sql("insert into courses (course_name) select 'Course ' || n from generate_series(3, 5) n")
    golf.add(replace(DEFINITION, at_most=2))
    looks = [golf.look() for _ in range(2)]
    assert [look.taken for look in looks] == [2, 2]
    assert looks[0].batch == looks[1].batch
    hq = hq_of(golf.desk.settings)
    pause_source(hq, "golf-courses", actor=TESTER)
    golf.finish(looks[0].batch)
    look = golf.look()
    assert (look.taken, look.ended) == (0, {RowEnd.DONE: 4})
    with pytest.raises(ConfigurationError, match="already"):
        golf.add()
    resume_source(hq, "golf-courses", actor=TESTER)
    assert golf.look().taken == 1
    with pytest.raises(ConfigurationError, match="1 rows of source golf-courses are under way"):
        remove_source(hq, "golf-courses", actor=TESTER)
    remove_source(hq, "golf-courses", actor=TESTER, abandon=True)
    assert golf.desk.rows("select 1 from source_rows") == []


def test_a_row_that_the_table_refuses_keeps_no_other_from_being_written(golf: Golf) -> None:
    golf.add()
    key = golf.look().batch
    golf.sql("alter table courses add check (id <> 1 or status <> 'enriched') not valid")
    golf.finish(key)
    look = golf.look()
    assert look.ended == {RowEnd.DONE: 1}
    assert look.problem is not None and "courses_check" in look.problem
    assert golf.rows() == [("pending_enrichment", None), ("enriched", None)]
    golf.sql("alter table courses drop constraint courses_check")
    assert golf.look().ended == {RowEnd.DONE: 1}
    assert get_source(hq_of(golf.desk.settings), "golf-courses").problem is None


def test_a_row_that_somebody_holds_or_a_trigger_refuses_in_its_own_way_waits_alone(golf: Golf) -> None:
    golf.add()
    golf.sql("insert into courses (course_name) values ('Held')")
    key = golf.look().batch
    golf.sql(
        "create function no() returns trigger language plpgsql as "
        "$$ begin raise exception 'not now' using errcode = 'GC001'; end $$; "
        "create trigger no before update on courses for each row when (old.id = 1) execute function no()"
    )
    golf.finish(key)
    with psycopg.connect(golf.desk.settings.workspace_database_url or "") as other:
        other.execute("select from courses where id = 3 for update")
        look = golf.look()
        assert look.ended == {RowEnd.DONE: 1}
        assert look.problem is not None and "GC001" in look.problem
        assert [status for status, _ in golf.rows()] == ["pending_enrichment", "enriched", "pending_enrichment"]
    golf.sql("drop trigger no on courses")
    assert golf.look().ended == {RowEnd.DONE: 2}


def test_what_is_wrong_with_a_source_is_said_before_anything_happens(golf: Golf) -> None:
    golf.sql("create view shown as select * from courses")
    golf.sql("create table notes (id int, body text, status text)")
    golf.sql('create schema crm; create table crm."Odd Courses" (id int)')
    cases: dict[str, dict[str, Any]] = {
        "no table 'curses': did you mean 'courses'": {"table": "curses"},
        "no table 'crm.odd courses': did you mean 'crm.Odd Courses'": {"table": "crm.odd courses"},
        "no column 'course_nme'; did you mean 'course_name'?": {"mapping": {"course_nme": "company_name"}},
        "no column 'stat'": {"done": {"status": "enriched", "stat": "x"}},
        "the key 'course_name' does not know a row alone": {"key": "course_name"},
        "shown is no table": {"table": "shown"},
        "no column 'course_name'": {"table": "notes"},
        "batches is a table of the platform's own": {"table": "batches"},
        "--where: status cannot be 'pending': invalid input value for enum": {"where": {"status": "pending"}},
        "--done: status cannot be 'enrichd'": {"done": {"status": "enrichd"}},
        "a row could not be written back so: value too long": {"done": {"status": "enriched", "state": "Texas"}},
        "no text: integer": {"reason": "id", "key": "course_name"},
    }
    golf.sql("create table batches (id int primary key, course_name text, status course_status, why text)")
    before = golf.rows("*")
    for sentence, changed in cases.items():
        with pytest.raises(ConfigurationError) as refused:
            golf.add(replace(DEFINITION, **changed))
        assert sentence in refused.value.what, (sentence, refused.value.what)
    assert golf.desk.rows("select 1 from sources union all select 1 from uploads") == []
    assert golf.rows("*") == before
    golf.add()
    _, checked = check_again(hq_of(golf.desk.settings), golf.desk.settings, "golf-courses")
    assert (checked.table, checked.matching, checked.problems) == ("public.courses", 2, ())
    assert {one.name: one.field for one in checked.columns}["course_name"] == "company_name"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"done": {"updated_at": "now"}}, "source.never_ends"),
        ({"failed": {"status": "pending_enrichment"}}, "source.never_ends"),
        ({"where": {}}, "source.where_missing"),
        ({"every": 1.0}, "source.every_invalid"),
        ({"at_most": 10_001}, "source.at_most_invalid"),
        ({"mapping": {"course_name": "company"}}, "source.field_unknown"),
        ({"done": {"status": "enriched", "why": "x"}}, "source.column_twice"),
    ],
)
def test_a_source_that_cannot_be_is_refused(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        replace(DEFINITION, **changed)
    assert refused.value.code == code


def test_pairs_are_read_as_they_are_written() -> None:
    assert pairs_of(["a=1,b= x = y ", r"c=1\,5"], "--done") == {"a": "1", "b": "x = y", "c": "1,5"}
    for wrong in ("a", "=1", "a=", "a=1,a=2"):
        with pytest.raises(ConfigurationError):
            pairs_of([wrong], "--done")


@pytest.mark.parametrize("point", SOURCES, ids=str)
def test_a_daemon_that_dies_takes_no_row_twice_and_writes_none_twice(golf: Golf, point: Point) -> None:
    golf.add()
    writes = point.name in ("table-is-written-back", "finished-rows-are-written-back", "table-rows-are-ended")
    if writes:
        golf.finish(golf.look().batch)
    killed_at(point, golf.look)
    in_between = golf.rows()[0][0] == "enriched"
    if in_between:  # somebody asks for a row again before HQ has noted that it was written
        golf.sql("update courses set status = 'pending_enrichment' where id = 1")
    looks = [golf.look() for _ in range(2)]
    taken = golf.desk.rows("select count(*) as n from batch_items")[0]["n"]
    assert taken == (3 if in_between else 2)
    assert sum(look.taken for look in looks) == (1 if in_between else 0 if writes else 2)
    if writes:
        assert sum(look.ended.get(RowEnd.DONE, 0) for look in looks) == 2
        wanted = "pending_enrichment" if in_between else "enriched"
        assert golf.rows() == [(wanted, None), ("enriched", None)]


def test_two_daemons_at_once_take_ten_thousand_rows_once_each(golf: Golf) -> None:
    golf.sql("insert into courses (course_name) select 'Course ' || n from generate_series(3, 10000) n")
    golf.add(replace(DEFINITION, at_most=10_000))
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                golf.look()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert golf.look().batch is None
    counts = (
        "select count(*) as rows, count(distinct row_key) as keys, count(distinct item_id) as items from source_rows"
    )
    assert golf.desk.rows(counts) == [{"rows": 10_000, "keys": 10_000, "items": 10_000}]
    assert golf.desk.rows("select count(*) as n from workflow_states") == [{"n": 20_000}]
    golf.desk.change("update workflow_states set status = 'COMPLETED', outcome = 'not_found', advanced_at = now()")
    golf.desk.change("update batches set finished_at = now(), extracted_at = now()")
    assert golf.look().ended == {RowEnd.DONE: 10_000}
    assert {status for (status,) in golf.rows("status::text")} == {"enriched"}


def test_the_sensor_asks_once_where_nothing_is_due_and_is_woken_by_the_table(golf: Golf) -> None:
    def tick() -> str:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, resources={"platform": platform(golf.desk.settings)})
            result = source_sensor(context)
        assert isinstance(result, dg.SkipReason)
        return result.skip_message or ""

    assert tick() == "no source is due"
    golf.add()
    assert tick() == "1 sources looked at, 2 rows taken, 0 ended"
    golf.sql("insert into courses (course_name) values ('Late')")
    assert tick() == "no source is due"
    golf.sql("notify enrich_sources, 'golf-courses'")
    threading.Event().wait(0.2)
    assert tick() == "1 sources looked at, 1 rows taken, 0 ended"


def test_the_command_line_of_the_golf_system_makes_a_source(golf: Golf, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = golf.desk.settings
    monkeypatch.setenv("ENRICH_HOME", str(settings.home))
    monkeypatch.setenv("HQ_DATABASE_URL", settings.hq_database_url or "")
    monkeypatch.setenv("WORKSPACE_DATABASE_URL", settings.workspace_database_url or "")
    monkeypatch.setenv("ENRICH_SANDBOX_URL", settings.sandbox_url or "")
    line = (
        "add golf-courses --table courses --key id --where status=pending_enrichment "
        "--map course_name=company_name,state=state --pipeline mine --client acme --every 1m --at-most 500 "
        "--done status=enriched --failed status=failed"
    )
    for words, said in ((f"{line} --dry-run", "2 rows match"), (line, "2 rows of public.courses match now")):
        result = CliRunner().invoke(command.app, words.split())
        assert result.exit_code == 0, result.output
        assert said in result.output
    source = get_source(hq_of(settings), "golf-courses")
    assert (source.definition.at_most, source.definition.every) == (500, 60.0)
    shown = CliRunner().invoke(command.app, ["show", "golf-courses"])
    assert "courses by id where status=pending_enrichment, 500 every 60 s" in shown.output
