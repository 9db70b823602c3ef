"""Storing by configuration: a cell that is read alone in Postgres is what the whole document would have given."""

from __future__ import annotations

import json
from typing import Any

from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.store.database import connect
from tests.harness.batches import BatchHarness, people, step
from tests.harness.handles import hq_of

DOCUMENTS: list[Any] = [
    {"title": "CTO", "person": {"name": "Ada"}, "score": "0.970", "since": "2024-02-29", "jobs": [{"a": 1}], "0": "x"},
    {"title": None, "person": None, "score": 1.5, "since": "29 Feb 2024", "jobs": None, "ok": "yes"},
    {"title": "", "person": {"name": None}, "score": True, "since": "2024", "jobs": {}, "ok": 0},
    {"title": {"of": ["x", 1.10]}, "person": [{"name": "in a list"}], "score": "many", "since": 7, "jobs": "text"},
    {"title": "null", "person": "Ada", "score": "1,234", "since": "null", "jobs": [None], "ok": False},
    {"Title": "another case", 'ti"tle': "quoted", "jobs": 0, "score": 10**17, "list": ["zero", "one"]},
    ["title", "person"],
    "title",
    None,
    {"title": "Zoë \u2028 \\ \t", "x" * 70: "long", "jobs": [[]], "person": {"name": {"name": "deep"}}},
]
COLUMNS = {
    "title": ("payload.title", "text"),
    "name": ("payload.person.name", "text"),
    "deep": ("payload.person.name.name", "text"),
    "score": ("payload.score", "numeric"),
    "whole": ("payload.score", "bigint"),
    "since": ("payload.since", "date"),
    "ok": ("payload.ok", "boolean"),
    "jobs": ("payload.jobs", "jsonb"),
    "quoted": ('payload."ti\\"tle"', "text"),
    "place": ('payload."0"', "text"),
    "first": ('payload.list."0"', "text"),
    "long": (f'payload."{"x" * 70}"', "text"),
    "found": ("fields.email", "text"),
    "none": ("fields.email.name", "text"),
}


def table(name: str, ending: str) -> dict[str, Any]:
    """A destination; with an ending, no expression is a plain path."""
    columns = {column: {"from": path + ending, "type": kind} for column, (path, kind) in COLUMNS.items()}
    return {"table": name, "create": True, "columns": columns}


def rows(harness: BatchHarness, name: str) -> list[dict[str, Any]]:
    with connect(harness.settings.workspace_database_url or "") as workspace:
        query = f"select {', '.join(COLUMNS)} from {name} order by item_id"
        return workspace.execute(query).fetchall()


def test_cells_that_are_read_alone_are_those_of_the_whole_document(harness: BatchHarness) -> None:
    batch = harness.launch(
        people(len(DOCUMENTS)),
        step("alone", destination=table("read_alone", "")),
        step("whole", destination=table("read_whole", " | @")),
    )
    batch.run()
    with connect(harness.settings.hq_database_url or "") as hq:
        items = [row["id"] for row in hq.execute("select id from batch_items order by id")]
        hq.execute(
            "update enrichment_results r set payload = d.payload::jsonb, fields = d.fields::jsonb "
            "from unnest(%s::bigint[], %s::text[], %s::text[]) as d (item_id, payload, fields) "
            "where r.item_id = d.item_id",
            [items, [*map(json.dumps, DOCUMENTS)], [json.dumps({"email": f"p{n}@x.org"}) for n in range(len(items))]],
        )
        hq.execute("update workflow_states set stored_at = null")
    reports = store_results(hq_of(harness.settings), batch.key)
    assert (reports["alone"].rows, reports["whole"].rows) == (len(DOCUMENTS), len(DOCUMENTS))
    assert rows(harness, "read_alone") == rows(harness, "read_whole")
    assert reports["alone"].unfit == reports["whole"].unfit
    first, *_ = rows(harness, "read_alone")
    assert (first["title"], first["name"], str(first["score"])) == ("CTO", "Ada", "0.970")
    assert (first["jobs"], first["found"], first["place"]) == ([{"a": 1}], "p0@x.org", "x")
    assert rows(harness, "read_alone")[5]["first"] is None


def test_rows_of_one_key_leave_the_last_and_a_second_storing_leaves_the_same(harness: BatchHarness) -> None:
    columns = {"name": {"from": "payload.first_name", "type": "text"}, "always": {"from": "payload.nothing"}}
    batch = harness.launch(
        people(3),
        step("each", destination={"table": "each_item", "create": True, "columns": columns}),
        step("one", destination={"table": "one_row", "create": True, "key": ["batch_key"], "columns": columns}),
    )
    batch.run()
    for _ in range(2):
        with connect(harness.settings.hq_database_url or "") as hq:
            hq.execute("update workflow_states set stored_at = null")
        store_results(hq_of(harness.settings), batch.key)
        with connect(harness.settings.workspace_database_url or "") as workspace:
            each = [row["item_id"] for row in workspace.execute("select item_id from each_item order by 1")]
            one = [row["item_id"] for row in workspace.execute("select item_id from one_row")]
        assert len(each) == 3
        assert one == each[-1:]


VALUES = r"""
0
-0
7
-12
123456789
2147483647
2147483648
9223372036854775807
1e3
1E2
999999999999999999
1.5
1.10
1.0
0.1
-2.50
123456789.12345
0.000001
1e-7
3.14159265358979
""
" "
"7"
" 7 "
"+7"
"0007"
"1,234"
"1.50"
"-.5"
"1."
"NaN"
"Infinity"
"123456789012345678"
"1234567890123456789"
"99999999999999999999999999999.12345678901234567890"
"1_000"
"７"
"٣"
"7\n"
"1e5"
"0x10"
true
false
"true"
"True"
"yes"
"no"
"on"
"t"
1.0
"2024-02-29"
"2023-02-29"
"2000-02-29"
"1900-02-29"
"2100-02-28"
"1999-12-31"
"2024-04-31"
"2024-2-9"
"29 Feb 2024"
"2024-02-29 "
"02/03/2024"
"20240229"
"2071-01-01"
"9999-12-31"
"0999-01-01"
"2024-02-29T10:11:12Z"
"2024-02-29T10:11:12.123456+05:30"
"2024-02-29T10:11:12.5Z"
"2024-02-29T24:00:00Z"
"2024-02-29T10:11:12"
"2024-02-29 10:11:12Z"
"2024-02-29T10:11:12+0530"
"2024-02-30T10:11:12Z"
1709164800
"2024-02-29T10:11:60Z"
"2024-02-29T10:11:12.1234567Z"
"2024-02-29T10:11:12-13:59"
"2024-02-29T10:11:12+15:00"
null
"null"
[]
{}
[1, "a"]
{"b": 1.10, "a": null}
"back\\slash \t tab \u2028"
"\\N"
"\\."
""".strip().splitlines()
"""Plain and nearly plain values of every type, a JSON text a line: Python and Postgres have to agree on each."""

KINDS = ("text", "integer", "bigint", "numeric", "boolean", "date", "timestamptz", "jsonb")


def every_kind(ending: str) -> dict[str, Any]:
    """A column of each type over the same value."""
    return {f"as_{kind}": {"from": f"payload.value{ending}", "type": kind} for kind in KINDS}


def put(harness: BatchHarness, documents: list[str]) -> None:
    """Give the items these payloads in their order, waiting to be stored."""
    with connect(harness.settings.hq_database_url or "") as hq:
        hq.execute(
            "update enrichment_results r set payload = d.payload::jsonb from (select i.id, t.payload from "
            "(select id, row_number() over (order by id) as n from batch_items) i "
            "join unnest(%s::text[]) with ordinality as t (payload, n) using (n)) d where r.item_id = d.id",
            [documents],
        )
        hq.execute("update workflow_states set stored_at = null")


def test_a_value_of_any_type_is_stored_as_it_is_whether_or_not_it_is_plain(harness: BatchHarness) -> None:
    batch = harness.launch(
        people(len(VALUES)),
        step("plain", destination={"table": "of_plain", "create": True, "columns": every_kind("")}),
        step("coerced", destination={"table": "of_coerced", "create": True, "columns": every_kind(" | @")}),
    )
    batch.run()
    names = ", ".join(f"as_{kind}::text" for kind in KINDS)
    for _ in range(2):  # new rows go the short way, others by way of a staging table
        put(harness, [f'{{"value": {value}}}' for value in VALUES])
        reports = store_results(hq_of(harness.settings), batch.key)
        assert reports["plain"].unfit == reports["coerced"].unfit
        assert reports["plain"].rows == reports["coerced"].rows == len(VALUES)
        with connect(harness.settings.workspace_database_url or "") as workspace:
            plain, coerced = (
                [tuple(row.values()) for row in workspace.execute(f"select {names} from {table} order by item_id")]
                for table in ("of_plain", "of_coerced")
            )
        different = {value: (p, c) for value, p, c in zip(VALUES, plain, coerced, strict=True) if p[:-1] != c[:-1]}
        assert different == {}
    wanted = dict(zip(VALUES, plain, strict=True))
    assert wanted['"1.50"'][3] == "1.50"
    assert wanted['"2024-02-29T10:11:12.123456+05:30"'][6] == "2024-02-29 04:41:12.123456+00"
    assert wanted['"back\\\\slash \\t tab \\u2028"'][0] == "back\\slash \t tab \u2028"
    assert (wanted['"\\\\N"'][0], wanted['"\\\\."'][0]) == ("\\N", "\\.")


def test_a_row_that_is_there_byte_for_byte_is_not_written_again_and_one_that_changed_is(harness: BatchHarness) -> None:
    columns = {"value": {"from": "payload.value", "type": "numeric"}, "jobs": {"from": "payload.jobs", "type": "jsonb"}}
    batch = harness.launch(
        people(3), step("each", destination={"table": "kept_rows", "create": True, "columns": columns})
    )
    batch.run()
    documents = [f'{{"value": {n}, "jobs": [{n}]}}' for n in (1, 2, 3)]
    put(harness, documents)
    store_results(hq_of(harness.settings), batch.key)

    def versions() -> list[str]:
        with connect(harness.settings.workspace_database_url or "") as workspace:
            return [row["v"] for row in workspace.execute("select xmin::text as v from kept_rows order by item_id")]

    before = versions()
    put(harness, [documents[0], '{"value": "2.0", "jobs": [2]}', documents[2]])
    assert store_results(hq_of(harness.settings), batch.key)["each"].rows == 3
    assert [was == now for was, now in zip(before, versions(), strict=True)] == [True, False, True]
    assert batch.rows("select 1 from workflow_states where stored_at is null") == []


def test_a_table_of_the_users_own_is_cast_into_and_its_refusals_are_told(harness: BatchHarness) -> None:
    with connect(harness.settings.workspace_database_url or "") as workspace:
        workspace.execute(
            "create table own_people (client_slug text, batch_key text, item_id bigint, workflow_slug text, "
            "fetched_at timestamptz, value integer, name varchar(3), unique (client_slug, batch_key, item_id))"
        )
        workspace.commit()
    columns = {"value": {"from": "payload.value", "type": "numeric"}, "name": "payload.name"}
    batch = harness.launch(people(2), step("own", destination={"table": "own_people", "columns": columns}))
    batch.run()
    put(harness, ['{"value": "1.5", "name": "Ada"}', '{"value": 7, "name": null}'])
    assert store_results(hq_of(harness.settings), batch.key)["own"].problem is None
    with connect(harness.settings.workspace_database_url or "") as workspace:
        stored = [(r["value"], r["name"]) for r in workspace.execute("select * from own_people order by item_id")]
    assert stored == [(2, "Ada"), (7, None)]
    put(harness, ['{"value": 1, "name": "too long"}', '{"value": 7}'])
    assert "own_people" in (store_results(hq_of(harness.settings), batch.key)["own"].problem or "")
    assert len(batch.rows("select 1 from workflow_states where stored_at is null")) == 2


def test_results_go_into_a_table_of_the_operational_database_too(harness: BatchHarness) -> None:
    columns = {"since": {"from": "payload.since", "type": "date"}}
    destination = {"table": "of_hq", "database": "hq", "create": True, "columns": columns}
    batch = harness.launch(people(3), step("there", destination=destination))
    batch.run()
    for _ in range(2):
        put(harness, ['{"since": "2024-02-29"}', '{"since": "1 March 2024"}', '{"since": "soon"}'])
        report = store_results(hq_of(harness.settings), batch.key)["there"]
        assert (report.rows, report.unfit, report.problem) == (3, {"since": 1}, None)
        stored = [row["since"] for row in batch.rows("select since::text from of_hq order by item_id")]
        assert stored == ["2024-02-29", "2024-03-01", None]
