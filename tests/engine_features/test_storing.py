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
        return workspace.execute(query).fetchall()  # type: ignore[arg-type]


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
