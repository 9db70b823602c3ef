"""Destinations stay out of our tables, and a bad one stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from dagster import DagsterInstance

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.catalog.clients import add_client, set_client_config
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name, reserved_names
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse.project import load_project
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, people, step
from tests.harness.handles import hq_of


def to_table(table: str, slug: str = "asks", **more: Any) -> WorkflowDefinition:
    columns = {"found_id": "fields.asks"}
    return step(slug, destination={"table": table, "create": True, "columns": columns, **more})


def refused(table: str) -> bool:
    try:
        refuse_reserved_name(to_table(table))
    except ConfigurationError:
        return True
    return False


@pytest.fixture
def relations(hq: psycopg.Connection[dict[str, Any]], settings: Settings) -> Iterator[set[str]]:
    """Every relation that a migrated HQ with Dagster's tables really has."""
    with DagsterInstance.ephemeral():
        pass
    rows = hq.execute(
        "select relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%'"
    ).fetchall()
    yield {row["name"] for row in rows}


def test_no_relation_of_the_real_catalogue_can_be_a_destination(relations: set[str]) -> None:
    assert {"batch_items", "workflow_states", "callback_inbox"} <= relations
    sequences = {name for name in relations if name.endswith("_id_seq")}
    assert [name for name in sorted(relations - sequences) if not refused(name)] == []


def test_no_published_table_nor_any_model_can_be_a_destination() -> None:
    project = load_project()
    published = [model.name for model in project.models.values() if model.published]
    assert {"final_leads", "person_work_history", "organisations"} <= set(published)
    for name in [*project.models, *project.seeds, *reserved_names()]:
        assert refused(name), name


@pytest.mark.parametrize(
    "name", ["courses", "contacts", "verified_emails", "apollo_organizations", "final_leads_of_mine"]
)
def test_a_name_of_ones_own_is_taken(name: str) -> None:
    assert not refused(name)


def test_saving_such_a_workflow_or_override_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="'final_leads' cannot be used"):
        add_workflow(hq_of(settings), settings, to_table("final_leads"), actor=TESTER)
    add_client(hq_of(settings), "acme", actor=TESTER)
    add_workflow(hq_of(settings), settings, to_table("my_answers"), actor=TESTER)
    with pytest.raises(ConfigurationError, match="'callback_inbox' cannot be used"):
        set_client_config(
            hq_of(settings), settings, "acme", "asks", set_values={"destination.table": "callback_inbox"}, actor=TESTER
        )


def test_a_bad_destination_stops_no_other_and_is_written_once_it_is_mended(harness: BatchHarness) -> None:
    columns = {"found_id": "fields.fine"}
    with connect(harness.settings.workspace_database_url or "", autocommit=True) as workspace:
        workspace.execute("create table with_other_types (client_slug text, batch_key date)")
    batch = harness.launch(
        people(2),
        to_table("final_leads", "taken"),
        to_table("not_there", "missing", create=False),
        to_table("with_other_types", "other", create=False),
        step("fine", destination={"table": "fine_answers", "create": True, "columns": columns}),
    )
    batch.run()
    reports = store_results(hq_of(harness.settings), batch.key)
    assert {slug: report.rows for slug, report in reports.items()} == {"taken": 0, "missing": 0, "other": 0, "fine": 2}
    assert "cannot be used" in (reports["taken"].problem or "")
    assert "does not exist" in (reports["missing"].problem or "")
    assert "cannot be written" in (reports["other"].problem or "")
    assert reports["fine"].problem is None
    with connect(harness.settings.workspace_database_url or "", autocommit=True) as workspace:
        tables = workspace.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        assert {row["tablename"] for row in tables} == {"with_other_types", "fine_answers", "enrich_readers"}
        workspace.execute("create table not_there (like fine_answers)")
        workspace.execute("create unique index on not_there (client_slug, batch_key, item_id)")
    assert store_results(hq_of(harness.settings), batch.key)["missing"].rows == 2
