"""Files and tables: whole or not at all, batch by batch, client by client."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from enrichment_assets.domain.errors import InfrastructureError, NotFoundError
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import (
    build_models,
    open_warehouse,
    publish_batch_sources,
    publish_marts,
    publish_organisations,
    reconcile,
)
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.previews import MASK
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead, seed_batch


def leads(*titles: str) -> list[Lead]:
    jobs = [{"organization_name": "Acme", "organization_id": "a", "title": title} for title in titles]
    return [
        Lead({"full_name": title}, [Answer("match", {"person": {"employment_history": [job]}})])
        for title, job in zip(titles, jobs, strict=True)
    ]


def published(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings.workspace_database_url or "") as workspace:
        return [tuple(row.values()) for row in workspace.execute(query)]  # type: ignore[arg-type]


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "model" / "b.parquet"
    with put_in_place(target) as unfinished:
        unfinished.write_bytes(b"old")
    with pytest.raises(RuntimeError), put_in_place(target) as unfinished:
        unfinished.write_bytes(b"half")
        assert target.read_bytes() == b"old"
        raise RuntimeError
    assert [path.name for path in target.parent.iterdir()] == ["b.parquet"]
    assert target.read_bytes() == b"old"


def test_sources_keep_every_cell_and_every_digit(settings: Settings, hq: psycopg.Connection[Any]) -> None:
    cells = {"A": "007", "B": "NA", "C": "", "D": "+1 'x'", "E": 'ü\n\t"', "é": "1e5"}
    lead = Lead({"title": "", "phone": "007"}, [Answer("match", {"big": 12345678901234567890}, cost="0.123456")], cells)
    seed_batch(hq, [lead], batch_key="b")
    publish_batch_sources(hq_of(settings), settings, "b")
    warehouse = open_warehouse(settings)
    assert warehouse.execute("select title, phone from hq.batch_items").fetchall() == [("", "007")]
    got = warehouse.execute(
        "select cast(cast(original_data as json) as map(varchar, varchar)) from hq.batch_items"
    ).fetchall()
    assert got == [(cells,)]
    assert str(warehouse.execute("select cost from hq.workflow_states").fetchall()[0][0]) == "0.123456"
    assert "12345678901234567890" in warehouse.execute("select payload from hq.enrichment_results").fetchall()[0][0]


def test_bodies_of_calls_never_leave_hq(build: Build, settings: Settings) -> None:
    build(leads("x"))
    columns = open_warehouse(settings).execute("describe hq.provider_calls").fetchall()
    assert not {row[0] for row in columns} & {"response_body", "response_headers", "callback_token", "error"}


def test_followers_of_a_company_share_the_leaders_answer(settings: Settings, hq: psycopg.Connection[Any]) -> None:
    seeded = seed_batch(
        hq,
        [
            Lead({"full_name": "Leader"}, [Answer("org", {"x": 1}, {"industry": "mining"})], company_key="k"),
            Lead({"full_name": "Follower"}, [], company_key="k"),
        ],
        batch_key="b",
    )
    leader, follower = seeded.item_ids
    hq.execute(
        "insert into workflow_states "
        "(item_id, workflow_slug, batch_id, client_id, position, status, outcome, result_id) "
        "select %s, workflow_slug, batch_id, client_id, position, status, outcome, result_id "
        "from workflow_states where item_id = %s",
        [follower, leader],
    )
    hq.commit()
    publish_batch_sources(hq_of(settings), settings, "b")
    build_models(settings, "b")
    warehouse = open_warehouse(settings)
    assert warehouse.execute("select full_name, industry from final_leads order by 1").fetchall() == [
        ("Follower", "mining"),
        ("Leader", "mining"),
    ]
    assert warehouse.execute("select is_shared from stg_results order by item_id").fetchall() == [(False,), (True,)]


def test_a_reused_result_of_an_earlier_batch_comes_along_but_never_another_clients(
    settings: Settings, hq: psycopg.Connection[Any]
) -> None:
    seed_batch(hq, [Lead({}, [Answer("match", {}, {"title": "mine"})])], batch_key="old")
    seed_batch(hq, [Lead({}, [Answer("match", {}, {"title": "theirs"})])], batch_key="foreign", client="globex")
    seed_batch(hq, [Lead({}, [Answer("match")]), Lead({}, [Answer("match")])], batch_key="new")
    rows = hq.execute("select id, fields ->> 'title' as title from enrichment_results")
    results = {row["title"]: row["id"] for row in rows}
    states = hq.execute(
        "select s.item_id from workflow_states s join batches b on b.id = s.batch_id where batch_key = 'new' order by 1"
    ).fetchall()
    for state, title in zip(states, ("mine", "theirs"), strict=True):
        hq.execute("update workflow_states set result_id = %s where item_id = %s", [results[title], state["item_id"]])
    hq.commit()
    publish_batch_sources(hq_of(settings), settings, "new")
    build_models(settings, "new")
    leads = open_warehouse(settings).execute("select title from final_leads where batch_key = 'new' order by item_id")
    assert leads.fetchall() == [("mine",), (None,)]


def test_publishing_replaces_one_batch_and_touches_no_other(build: Build, settings: Settings) -> None:
    for key, client in (("one", "acme"), ("two", "globex")):
        build(leads("CTO", "CEO"), batch_key=key, client=client)
        publish_marts(hq_of(settings), settings, key)
    with connect(settings.hq_database_url or "") as hq:
        hq.execute("delete from workflow_states where item_id in (select min(item_id) from workflow_states)")
        hq.execute("delete from batch_items where id in (select min(id) from batch_items)")
    publish_batch_sources(hq_of(settings), settings, "one")
    build_models(settings, "one")
    publish_marts(hq_of(settings), settings, "one")
    rows = published(settings, "select client_slug, batch_key, title from person_work_history order by 1, 2, 3")
    assert rows == [("acme", "one", "CEO"), ("globex", "two", "CEO"), ("globex", "two", "CTO")]
    assert published(settings, "select batch_key, count(*) from final_leads group by 1 order by 1") == [
        ("one", 1),
        ("two", 2),
    ]


def test_a_failed_publication_leaves_all_tables_as_they_were(build: Build, settings: Settings) -> None:
    build(leads("CTO"), batch_key="b")
    publish_marts(hq_of(settings), settings, "b")
    with connect(settings.workspace_database_url or "") as workspace:
        workspace.execute("alter table companies add constraint never check (false) not valid")
        workspace.execute("alter table final_leads add constraint never check (false) not valid")
        workspace.execute("delete from companies")
    with connect(settings.hq_database_url or "") as hq:
        hq.execute("update batch_items set city = 'Paris'")
    publish_batch_sources(hq_of(settings), settings, "b")
    build_models(settings, "b")
    with pytest.raises(InfrastructureError, match=r"could not be published: .*23514") as raised:
        publish_marts(hq_of(settings), settings, "b")
    assert "CTO" in str(raised.value.__cause__)
    assert "CTO" not in str(raised.value)
    assert published(settings, "select title from person_work_history") == [("CTO",)]
    assert published(settings, "select count(*) from final_leads") == [(1,)]


def test_a_table_grows_the_columns_that_its_model_has_grown(build: Build, settings: Settings) -> None:
    build(leads("CTO"), batch_key="b")
    publish_marts(hq_of(settings), settings, "b")
    with connect(settings.workspace_database_url or "") as workspace:
        workspace.execute("alter table person_work_history drop column date_note")
    publish_marts(hq_of(settings), settings, "b")
    assert published(settings, "select title, date_note from person_work_history") == [("CTO", "start_missing")]


def test_publishers_of_one_batch_at_the_same_time_do_not_double_it(build: Build, settings: Settings) -> None:
    build(leads("CTO", "CEO", "CFO"), batch_key="b")
    errors: list[BaseException] = []

    def publish() -> None:
        try:
            publish_marts(hq_of(settings), settings, "b")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert published(settings, "select count(*) from person_work_history") == [(3,)]


def test_a_missing_published_row_shows_in_the_reconciliation(build: Build, settings: Settings) -> None:
    build(leads("CTO", "CEO"), batch_key="b")
    publish_marts(hq_of(settings), settings, "b")
    assert all(r.passed for r in reconcile(hq_of(settings), settings, "b"))
    with connect(settings.workspace_database_url or "") as workspace:
        workspace.execute("delete from final_leads where item_id = (select min(item_id) from final_leads)")
    failed = [(r.name, r.expected, r.actual) for r in reconcile(hq_of(settings), settings, "b") if not r.passed]
    assert failed == [("published final_leads", 2, 1)]


def test_a_lost_history_row_shows_in_the_reconciliation(build: Build, settings: Settings) -> None:
    build(leads("CTO", "CEO"), batch_key="b")
    path = Layout.of(settings).model("person_work_history", "acme", "b")
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.slice(0, 1), path)
    failed = [(r.name, r.expected, r.actual) for r in reconcile(hq_of(settings), settings, "b") if not r.passed]
    assert ("history entries = rows + exclusions", 2, 1) in failed


def test_organisations_are_published_whole(build: Build, settings: Settings) -> None:
    build(leads("CTO"), batch_key="b")
    publish_marts(hq_of(settings), settings, "b")
    publish_organisations(hq_of(settings), settings)
    publish_organisations(hq_of(settings), settings)
    assert published(settings, "select name, aliases from organisations") == [("Acme", 2)]
    joined = (
        "select h.title from person_work_history h join organisation_aliases a "
        "on a.client_slug = h.client_slug and a.alias_key = h.organisation_key where a.name = 'Acme'"
    )
    assert published(settings, joined) == [("CTO",)]


def test_batches_and_models_that_are_not_there_are_named(settings: Settings, hq: psycopg.Connection[Any]) -> None:
    with pytest.raises(NotFoundError, match="no batch 'nope'"):
        publish_batch_sources(hq_of(settings), settings, "nope")
    with pytest.raises(NotFoundError, match="nothing of batch `nope`"):
        build_models(settings, "nope")
    seed_batch(hq, [Lead({})], batch_key="b")
    publish_batch_sources(hq_of(settings), settings, "b")
    with pytest.raises(NotFoundError, match=r"no model 'final_lead': did you mean 'final_leads'\?"):
        build_models(settings, "b", ["final_lead"])


def test_one_model_can_be_built_alone_from_what_is_there(settings: Settings, hq: psycopg.Connection[Any]) -> None:
    seed_batch(hq, leads("CTO"), batch_key="b")
    publish_batch_sources(hq_of(settings), settings, "b")
    reports = build_models(settings, "b", ["person_work_history"], previews=True)
    assert [(r.name, r.rows) for r in reports] == [("person_work_history", 1)]
    assert (reports[0].preview[0]["ordinal"], reports[0].preview[0]["title"]) == ("1", MASK)
    assert reports[0].path is not None and reports[0].path.exists()
    assert not Layout.of(settings).model("final_leads", "acme", "b").exists()


def test_an_empty_warehouse_has_empty_typed_views(settings: Settings) -> None:
    warehouse = open_warehouse(settings)
    assert warehouse.execute("select count(*), sum(cost) from final_leads").fetchall() == [(0, None)]
    types = dict(row[:2] for row in warehouse.execute("describe person_work_history").fetchall())
    assert types["start_from"] == "DATE"
    assert warehouse.sql("select * from fill_rate").df().empty
