"""The officials' batch from HQ to the published tables: known answers, row for row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.services.insight.work_history import moves, worked_at
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import open_warehouse, publish_marts, reconcile, run_tests
from enrichment_assets.warehouse.project import load_project
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import expected_history


def test_work_history_equals_the_expected_rows_one_by_one(officials: Settings) -> None:
    rows = (
        open_warehouse(officials)
        .execute(
            "select row_number, person_name, organisation_name, title, start_date, end_date, is_current "
            "from person_work_history order by row_number, ordinal"
        )
        .fetchall()
    )
    expected = [
        (
            int(r["row"]),
            r["name"],
            r["organization_name"],
            r["title"],
            r["start_date"],
            r["end_date"] or None,
            r["current"] == "true",
        )
        for r in expected_history()
    ]
    assert rows == expected
    assert len(rows) == 2919


def test_the_known_answers_hold(officials: Settings) -> None:
    warehouse = open_warehouse(officials)

    def one(query: str) -> Any:
        return warehouse.execute(query).fetchall()[0][0]

    assert one("select count(*) from final_leads") == 537
    assert one("select count(*) from person_work_history where is_current") == 565
    assert one("select count(distinct organisation_key) from person_work_history") == 108
    ever_in = "select count(distinct item_id) from person_work_history where organisation_name = "
    assert one(ever_in + "'U.S. House of Representatives, Virginia Delegation'") == 11
    assert one(ever_in + "'U.S. House of Representatives, West Virginia Delegation'") == 3
    assert one(ever_in + "'U.S. House of Representatives, California Delegation'") == 52


def test_two_rows_that_differ_only_in_their_end_both_stay(officials: Settings) -> None:
    twice = (
        open_warehouse(officials)
        .execute(
            "select count(*), count(distinct end_date) from person_work_history "
            "group by item_id, organisation_name, title, start_date having count(*) > 1"
        )
        .fetchall()
    )
    assert twice == [(2, 2)]


def test_published_tables_hold_what_the_warehouse_holds_and_publishing_again_changes_nothing(
    officials: Settings,
) -> None:
    first = publish_marts(hq_of(officials), officials, "officials")
    assert {r.name: r.rows for r in first}["person_work_history"] == 2919
    publish_marts(hq_of(officials), officials, "officials")
    with connect(officials.workspace_database_url or "") as workspace:
        counts = workspace.execute(
            "select count(*) as n, count(*) filter (where is_current) as current, min(start_from)::text as first, "
            "(select count(*) from final_leads) as leads from person_work_history"
        ).fetchone()
    assert counts is not None
    assert (counts["n"], counts["current"], counts["leads"]) == (2919, 565, 537)
    assert counts["first"] == min(r["start_date"] for r in expected_history())
    assert all(r.passed for r in reconcile(hq_of(officials), officials, "officials")), reconcile(
        hq_of(officials), officials, "officials"
    )


def test_every_test_of_every_model_holds(officials: Settings) -> None:
    for model, tests in run_tests(officials, "officials", list(load_project().of_system(None).models)).items():
        assert tests, f"{model} has no test"
        assert [t for t in tests if not t.passed] == []


def test_organisations_resolve_to_108_and_virginia_is_not_west_virginia(officials: Settings) -> None:
    assert open_warehouse(officials).execute("select count(*) from organisations").fetchall() == [(108,)]
    virginia = worked_at(hq_of(officials), officials, "US house of representatives - VIRGINIA Delegation")
    assert [name for _, name in virginia.organisations] == ["U.S. House of Representatives, Virginia Delegation"]
    item = virginia.columns.index("item_id")
    assert len({row[item] for row in virginia.rows}) == 11


def test_44_people_served_in_both_chambers_of_one_state(officials: Settings) -> None:
    both = """
        select count(distinct house.item_id) from person_work_history as house
        join person_work_history as senate
            on senate.item_id = house.item_id
            and senate.organisation_name = replace(house.organisation_name, 'House of Representatives', 'Senate')
        where starts_with(house.organisation_name, 'U.S. House of Representatives, ')
    """
    assert open_warehouse(officials).execute(both).fetchall() == [(44,)]
    moved = moves(
        hq_of(officials),
        officials,
        "US House of Representatives, Washington Delegation",
        "U.S. Senate, Washington delegation",
    )
    assert [row[moved.columns.index("person_name")] for row in moved.rows] == ["Maria Cantwell"]


def test_the_notebook_in_the_docs_runs(officials: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENRICH_HOME", str(officials.home))
    notebook = json.loads((Path(__file__).parents[2] / "docs" / "analytics.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert len(names["history"]) == 2919
    assert names["history"]["starts"].min() == min(int(r["start_date"][:4]) for r in expected_history())
