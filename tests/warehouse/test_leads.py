"""`leads`: people are counted once, however many batches their file went through."""

from __future__ import annotations

import psycopg

from enrichment_assets.services.insight.work_history import worked_at
from enrichment_assets.warehouse import build_analytics, open_warehouse, publish_batch_sources
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


def person(name: str, title: str | None, status: str = "COMPLETED") -> Lead:
    history = [{"organization_name": "Acme Works", "title": title, "current": True}]
    payload = {"person": {"employment_history": history}} if title else None
    outcome = "found" if title else None
    return Lead(
        {"full_name": name},
        [Answer("match", payload, {"title": title} if title else {}, status=status, outcome=outcome)],
    )


def test_a_file_that_went_through_three_batches_has_its_people_once(
    build: Build, hq: psycopg.Connection[dict[str, object]]
) -> None:
    build([person("Ada", "CTO"), person("Ben", "CFO")], batch_key="first")
    build([person("Ada", "CEO"), person("Ben", None, "PENDING")], batch_key="second")
    build([person("Cid", "COO")], batch_key="other")
    build([person("Ada", "wrong"), person("Ben", "wrong")], batch_key="dropped")
    hq.execute(
        "update batches set upload_id = (select upload_id from batches where batch_key = 'first') "
        "where batch_key in ('second', 'dropped')"
    )
    hq.execute("update batches set retired_at = now() where batch_key = 'dropped'")
    hq.commit()
    for key in ("first", "second", "dropped"):
        publish_batch_sources(hq_of(build.settings), build.settings, key, only=["batches"])
    warehouse = open_warehouse(build.settings)
    assert warehouse.execute("select count(*) from final_leads").fetchall() == [(7,)]
    found = warehouse.execute("select full_name, title, batch_key from leads order by full_name").fetchall()
    assert found == [("Ada", "CEO", "second"), ("Ben", "CFO", "first"), ("Cid", "COO", "other")]
    warehouse.close()
    build_analytics(build.settings, ["organisations", "organisation_aliases"])
    there = worked_at(hq_of(build.settings), build.settings, "Acme Works")
    place = there.columns.index("person_name")
    assert sorted(row[place] for row in there.rows) == ["Ada", "Ben", "Cid"], "careers count people too"
