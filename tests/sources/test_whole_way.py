"""A table's rows through Dagster's runs to published tables and back, and who was erased on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import dagster as dg
import psycopg
import pytest

from enrichment_assets.assets.selection import assets_of_run
from enrichment_assets.assets.steps import step_key
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.sources import RowEnd, TableSource
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.services.people.erasing import ask, carry_out
from enrichment_assets.services.people.identifying import Whom
from enrichment_assets.services.people.inventory import scope_of
from enrichment_assets.services.sources.leads import add_leads
from enrichment_assets.services.sources.looking import Look, look_at
from enrichment_assets.services.sources.table_sources import add_source, get_source
from enrichment_assets.services.uploads.upload import read_rows
from enrichment_assets.settings import Settings
from enrichment_assets.store.catalog import uploads
from enrichment_assets.store.states.groups import outlooks
from tests.actors import TESTER
from tests.assets.conftest import materialised, run_batch_job
from tests.harness.handles import hq_of
from tests.sources.conftest import Desk

PEOPLE = TableSource(
    table="people",
    key="id",
    where={"state": "new"},
    done={"state": "done"},
    failed={"state": "failed"},
    mapping={"who": "full_name"},
)


@pytest.fixture
def simulated(desk: Desk) -> Settings:
    return replace(desk.settings, sandbox_url=desk.harness.sandbox.url)


@pytest.fixture
def workspace(desk: Desk) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(desk.settings.workspace_database_url or "", autocommit=True) as connection:
        connection.execute(
            "create table people (id uuid primary key default gen_random_uuid(), who text, email text, state text)"
        )
        connection.execute("insert into people (who, email, state) values ('Dr. Ada Byron', 'ada@e.example', 'new')")
        yield connection


def test_an_open_batch_is_published_each_time_it_rests_and_its_rows_come_back(
    simulated: Settings, workspace: psycopg.Connection[tuple[object, ...]]
) -> None:
    hq = hq_of(simulated)
    add_source(hq, simulated, "crm", "acme", "normalise-only", PEOPLE, actor=TESTER)

    def look() -> Look:
        return look_at(hq, simulated, get_source(hq, "crm"), actor=TESTER)

    with dg.DagsterInstance.ephemeral() as instance:
        key = look().batch
        assert key is not None
        for names in (["Dr. Ada Byron"], ["Dr. Ada Byron", "Mr. Ben Babbage"]):
            with hq.transaction() as connection:
                outlook = outlooks(connection, [key])[key]
            assets = assets_of_run(outlook, [step_key(slug) for slug in outlook.planned])
            made = materialised(run_batch_job(simulated, instance, key, [asset.to_user_string() for asset in assets]))
            assert made["raw_apollo_uploads"]["dagster/row_count"] == len(names)
            assert made["batch_items"]["rows"] == len(names)
            assert made["final_leads"]["dagster/row_count"] == len(names)
            leads = workspace.execute("select full_name from final_leads order by item_id").fetchall()
            assert [name for (name,) in leads] == [name.split(". ")[1] for name in names]
            assert look().ended == {RowEnd.DONE: 1}
            workspace.execute("insert into people (who, state) values ('Mr. Ben Babbage', 'new')")
            assert look().batch == key
    assert workspace.execute("select state, count(*) from people group by 1 order by 1").fetchall() == [
        ("done", 2),
        ("new", 1),
    ]


def test_who_was_erased_stays_out_of_rows_that_come_later_and_old_rows_are_taken_out(
    desk: Desk, simulated: Settings
) -> None:
    hq, ada = hq_of(simulated), {"full_name": "Ada Byron", "email": "ada@e.example"}
    into = replace(desk.into, pipeline="normalise-only")
    first = add_leads(hq, simulated, into, [ada, {"full_name": "Ben", "email": "ben@e.example"}], actor=TESTER)
    scope = scope_of(hq, simulated, open_databases(simulated).dagster, None)
    whom = Whom(frozenset({read_identity("ada@e.example")}))
    carry_out(scope, ask(scope, whom, "asked", actor=TESTER))
    second = add_leads(hq, simulated, into, [{**ada, "full_name": "Ada B."}], actor=TESTER)
    assert second.batch_id == first.batch_id
    cells = [row["cells"] for row in desk.rows("select cells from upload_rows order by row_number")]
    assert cells == [{}, {"full_name": "Ben", "email": "ben@e.example"}, {"full_name": "[redacted]"}]
    rows = [row for part in read_rows(hq, simulated, first.upload_id) for row in part.to_pylist()]
    assert [row["row_number"] for row in rows] == [1, 2, 3]

    desk.change("update batches set finished_at = now() - interval '40 days', extracted_at = now()")
    desk.change("update uploads set created_at = now() - interval '40 days'")
    with hq.transaction() as connection:
        assert [one.upload_ids for one in uploads.old_gathered(connection, 41)] == []
        (old,) = uploads.old_gathered(connection, 30)
        uploads.take_out_rows(connection, old.upload_ids)
    assert desk.rows("select 1 from upload_rows") == []
    kept = "select row_count, (select sum(rows) from upload_parts) as parts, bytes_removed_at is null as there"
    assert desk.rows(f"{kept} from uploads") == [{"row_count": 3, "parts": 3, "there": False}]
    with pytest.raises(InfrastructureError, match="being old"):
        list(read_rows(hq, simulated, first.upload_id))
