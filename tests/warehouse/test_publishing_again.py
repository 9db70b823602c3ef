"""Publishing again writes what is not as it is now, and nothing else; a folded mart is asked like any table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import (
    build_models,
    load_project,
    open_warehouse,
    publish_batch_sources,
    publish_marts,
    reconcile,
    withdraw_marts,
)
from enrichment_assets.warehouse.folding import folded, view
from enrichment_assets.warehouse.published_tables import POSTGRES_TYPES
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Answer, Lead, seed_batch

APART = 700
"""Between the ids of two items: the first two of three are in one part, the third in the next."""


def lead(title: str) -> Lead:
    job = {"organization_name": "Acme", "organization_id": "a", "title": title}
    return Lead(
        {"full_name": title, "company_name": "Acme"}, [Answer("match", {"person": {"employment_history": [job]}})]
    )


@pytest.fixture
def batch(settings: Settings, hq: psycopg.Connection[Any]) -> Settings:
    """A published batch of three leads, in two parts, and one of another client beside it."""
    hq.execute(f"alter table batch_items alter column id set increment by {APART}")
    hq.commit()
    seed_batch(hq, [lead("CTO"), lead("CEO"), lead("CFO")], batch_key="b")
    seed_batch(hq, [lead("Boss")], batch_key="other", client="globex")
    for key in ("b", "other"):
        publish(settings, key)
    return settings


def publish(settings: Settings, key: str = "b") -> None:
    publish_batch_sources(hq_of(settings), settings, key)
    build_models(settings, key)
    publish_marts(hq_of(settings), settings, key)


def published(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings.workspace_database_url or "") as workspace:
        return [tuple(row.values()) for row in workspace.execute(query)]  # type: ignore[arg-type]


HISTORY = "select title, xmin::text from person_work_history where batch_key = 'b'"
LEADS = "select full_name, xmin::text from final_leads where batch_key = 'b'"


def test_what_is_as_it_is_now_is_not_written_again(batch: Settings) -> None:
    before = [published(batch, HISTORY), published(batch, LEADS)]
    publish_marts(hq_of(batch), batch, "b")
    assert [published(batch, HISTORY), published(batch, LEADS)] == before


@pytest.mark.parametrize(
    "change",
    [
        "update person_work_history set title = 'changed by hand' where title = 'CFO'",
        "delete from person_work_history where title = 'CFO'",
        "insert into person_work_history select * from person_work_history where title = 'CFO'",
        "update enrich_published_parts set fingerprint = '' where model = 'person_work_history' and part > 0",
    ],
)
def test_only_the_part_that_is_not_as_it_is_now_is_written_again(batch: Settings, change: str) -> None:
    before = dict(published(batch, HISTORY))
    with connect(batch.workspace_database_url or "") as workspace:
        workspace.execute(change)
    publish_marts(hq_of(batch), batch, "b")
    after = published(batch, HISTORY)
    assert sorted(title for title, _ in after) == ["CEO", "CFO", "CTO"]
    assert {title for title, by in after if before[title] != by} == {"CFO"}
    assert published(batch, "select title from person_work_history where batch_key = 'other'") == [("Boss",)]


def test_a_new_answer_and_a_lost_item_are_published(batch: Settings) -> None:
    before = dict(published(batch, HISTORY))
    with connect(batch.hq_database_url or "") as hq:
        hq.execute("update enrichment_results set payload = replace(payload::text, 'CFO', 'COO')::jsonb")
        for table, column in (("workflow_states", "item_id"), ("batch_items", "id")):
            hq.execute(f"delete from {table} where {column} = (select min(id) from batch_items)")
            if table == "workflow_states":
                hq.execute("delete from enrichment_results where item_id = (select min(id) from batch_items)")
    publish(batch)
    assert sorted(title for title, _ in published(batch, HISTORY)) == ["CEO", "COO"]
    assert all(by not in before.values() for _, by in published(batch, HISTORY))
    counted = [one for one in reconcile(hq_of(batch), batch, "b") if one.name.startswith("published")]
    assert counted and all(one.passed for one in counted)


def test_a_table_that_lost_all_its_notes_is_written_whole(batch: Settings) -> None:
    with connect(batch.workspace_database_url or "") as workspace:
        workspace.execute("drop table enrich_published_parts")
        workspace.execute("delete from final_leads where full_name = 'CEO'")
    publish_marts(hq_of(batch), batch, "b")
    assert sorted(name for name, _ in published(batch, LEADS)) == ["CEO", "CFO", "CTO"]


def in_the_warehouse(settings: Settings) -> list[tuple[Any, ...]]:
    with open_warehouse(settings) as warehouse:
        return sorted(warehouse.sql("select * from final_leads_provenance").fetchall(), key=repr)


def in_the_workspace(settings: Settings) -> list[tuple[Any, ...]]:
    return sorted(published(settings, "select * from final_leads_provenance"), key=repr)


def test_a_folded_mart_has_the_rows_of_the_model(batch: Settings) -> None:
    assert in_the_workspace(batch) == in_the_warehouse(batch)
    assert published(batch, "select count(*) from enrich_final_leads_provenance") == [(4,)]
    assert published(batch, "select distinct batch_key from enrich_final_leads_provenance_kinds order by 1") == [
        ("b",),
        ("other",),
    ]
    value = "select value, source_kind from final_leads_provenance where batch_key = 'b' and field = 'company_name'"
    assert published(batch, value + " limit 1") == [("Acme", "upload")]


@pytest.mark.parametrize("lost", ["", "_kinds"])
def test_a_lost_row_of_a_folded_mart_shows_in_the_reconciliation(batch: Settings, lost: str) -> None:
    shown = "select count(*) from final_leads_provenance where batch_key = 'b'"
    [(before,)] = published(batch, shown)
    with connect(batch.workspace_database_url or "") as workspace:
        table = f"enrich_final_leads_provenance{lost}"
        workspace.execute(f"delete from {table} where ctid = (select min(ctid) from {table} where batch_key = 'b')")
    [(after,)] = published(batch, shown)
    failed = [(r.name, r.expected, r.actual) for r in reconcile(hq_of(batch), batch, "b") if not r.passed]
    assert after < before
    assert failed == [("published final_leads_provenance", before, after)]


def test_ranges_of_items_have_kinds_of_their_own(batch: Settings) -> None:
    with connect(batch.workspace_database_url or "") as workspace:
        workspace.execute("drop table enrich_published_parts")
    publish_marts(hq_of(batch), batch, "b", items_a_chunk=1)
    assert in_the_workspace(batch) == in_the_warehouse(batch)


def test_a_table_that_an_earlier_version_published_is_folded(batch: Settings) -> None:
    model = load_project().models["final_leads_provenance"]
    fold = folded(model)
    assert fold is not None
    with connect(batch.workspace_database_url or "") as workspace:
        columns = ", ".join(f'"{c.name}" {POSTGRES_TYPES[c.type]}' for c in model.columns)
        workspace.execute(f"create table earlier ({columns})")
        workspace.execute("insert into earlier select * from final_leads_provenance")
        workspace.execute("drop view final_leads_provenance")
        workspace.execute(f"drop table {fold.items}, {fold.kinds}, enrich_published_parts")
        workspace.execute("alter table earlier rename to final_leads_provenance")
        workspace.execute("grant select on final_leads_provenance to public, pg_monitor")
        workspace.execute("create view mine as select item_id from final_leads_provenance")
    with pytest.raises(ConfigurationError, match="and mine read it as the table that it was: keep their definitions"):
        publish_marts(hq_of(batch), batch, "b")
    with connect(batch.workspace_database_url or "") as workspace:
        workspace.execute("drop view mine")
    publish_marts(hq_of(batch), batch, "b")
    assert in_the_workspace(batch) == in_the_warehouse(batch)
    granted = """
        select coalesce(r.rolname, 'public'), a.privilege_type from pg_class c cross join aclexplode(c.relacl) a
        left join pg_roles r on r.oid = a.grantee
        where c.oid = 'final_leads_provenance'::regclass and a.grantee <> c.relowner order by 1
    """
    assert published(batch, granted) == [("pg_monitor", "SELECT"), ("public", "SELECT")]


def test_a_folded_mart_grows_the_columns_that_its_model_has_grown_and_views_over_it_stay(batch: Settings) -> None:
    model = load_project().models["final_leads_provenance"]
    younger = ("confidence", "rejected_value", "citations")
    older = folded(replace(model, columns=[column for column in model.columns if column.name not in younger]))
    assert older is not None and len(older.model.columns) == len(model.columns) - len(younger)
    with connect(batch.workspace_database_url or "") as workspace:
        workspace.execute("drop view final_leads_provenance")
        for column in younger:
            for table in (older.items, older.kinds):
                workspace.execute(f"alter table {table} drop column if exists {column}")
        workspace.execute(view(older))
        workspace.execute("create view mine as select item_id, value from final_leads_provenance")
    publish_marts(hq_of(batch), batch, "b")
    names = ", ".join(f'"{column.name}"' for column in model.columns)
    with open_warehouse(batch) as warehouse:
        wanted = warehouse.sql(f"select {names} from final_leads_provenance where batch_key = 'b'").fetchall()
    found = published(batch, f"select {names} from final_leads_provenance where batch_key = 'b'")
    assert sorted(found, key=repr) == sorted(wanted, key=repr)
    assert published(batch, "select count(*) from mine where value is not null") != [(0,)]
    assert published(batch, "select count(distinct batch_key) from final_leads_provenance") == [(2,)]


def test_a_withdrawn_batch_leaves_no_row_and_no_note(batch: Settings) -> None:
    withdraw_marts(hq_of(batch), "b")
    for table in ("final_leads_provenance", fold_table(), fold_table("_kinds"), "enrich_published_parts"):
        assert published(batch, f"select distinct batch_key from {table}") == [("other",)]


def fold_table(ending: str = "") -> str:
    return f"enrich_final_leads_provenance{ending}"
