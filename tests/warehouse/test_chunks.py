"""A large batch is built part by part: the same rows as in one go, whatever answers the parts share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
import pytest

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import build_models, load_project, open_warehouse, publish_batch_sources
from enrichment_assets.warehouse.batch_session import open_session
from enrichment_assets.warehouse.building import build_in
from enrichment_assets.warehouse.chunks import item_ranges
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.session import attach, connect
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Answer, Lead, seed_batch

LEADS = 11


def rows(settings: Settings, models: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each of the models."""
    with open_warehouse(settings, client_slug="acme", batch_key="b") as warehouse:
        return {name: sorted(warehouse.sql(f'select * from "{name}"').fetchall(), key=repr) for name in models}


def leads() -> list[Lead]:
    """Histories of every kind, e-mail candidates with verdicts, and companies that several leads share."""
    made = []
    for n in range(LEADS):
        history = [{"id": f"j{n}-{k}", "organization_name": f"Org {k}", "start_date": f"201{k}"} for k in range(n % 4)]
        history += [{"degree": "BA", "organization_name": "State University"}, {"id": f"j{n}-0", "title": None}]
        made.append(
            Lead(
                {"full_name": f"Lead {n}", "email": f"l{n}@acme.com", "company_name": f"Org {n % 3}"},
                [
                    Answer(
                        "match", {"person": {"employment_history": history}}, {"title": f"T{n}", "email": f"m{n}@x.org"}
                    ),
                    Answer("verify", {"data": {"email": f"m{n}@x.org"}}, {"email_status": "valid"}, provider="hunter"),
                ],
                company_key=f"company_name:org {n % 3}",
            )
        )
    return made


@pytest.fixture
def batch(settings: Settings, hq: psycopg.Connection[Any]) -> Settings:
    """A batch in which lead 1 answers for the leads 4, 7 and 10, and lead 5's answer is one of an earlier batch."""
    seed_batch(hq, [Lead({"full_name": "Earlier"}, [Answer("match", {"person": {"employment_history": [
        {"organization_name": "Before"}]}}, {"title": "Earlier"})])], batch_key="earlier")  # fmt: skip
    seeded = seed_batch(hq, leads(), batch_key="b")
    share = (
        "update workflow_states set result_id = (select result_id from workflow_states where item_id = %s and "
        "workflow_slug = 'match') where workflow_slug = 'match' and item_id = any(%s)"
    )
    items = seeded.item_ids
    hq.execute(share, [items[1], [items[4], items[7], items[10]]])
    hq.execute(share, [items[0] - 1, [items[5]]])
    hq.commit()
    publish_batch_sources(hq_of(settings), settings, "b")
    return settings


def without_mentions(name: str) -> bool:
    return name != "organisation_mentions"


@pytest.mark.parametrize("size", [1, 4, 10])
def test_parts_of_any_size_give_the_rows_of_one_go(batch: Settings, size: int) -> None:
    models = [m.name for m in load_project().of_system(None).models.values() if m.partitioned]
    whole = {report.name: report.rows for report in build_models(batch, "b")}
    expected = rows(batch, models)
    parts = {report.name: report.rows for report in build_models(batch, "b", items_a_chunk=size)}
    found = rows(batch, models)
    for name in filter(without_mentions, models):
        assert found[name] == expected[name], name
        assert parts[name] == whole[name], name
    assert len(expected["person_work_history"]) > LEADS
    assert [row for row in expected["person_work_history"] if "Before" in row]


def test_views_that_several_read_are_worked_out_once_and_are_gone_with_the_session(batch: Settings) -> None:
    with open_session(batch, "b", items_a_chunk=4) as session:
        counted = {report.name: report.rows for report in build_in(session)}
        held = dict(session.held)
        assert set(held) == {"stg_contact_verdicts", "stg_field_values"}
        shown = {name: session.connection.sql(f'select * from "{name}"').fetchall() for name in held}
        read = {name: session.connection.sql(f"select * from '{path}'").fetchall() for name, path in held.items()}
    computed = rows(batch, held)
    for name in held:
        assert sorted(shown[name], key=repr) == sorted(read[name], key=repr) == computed[name]
        assert counted[name] == len(computed[name]) > 0
    assert list((Layout.of(batch).root / "spill").iterdir()) == []


def test_mentions_of_the_parts_add_up_to_those_of_the_whole(batch: Settings) -> None:
    build_models(batch, "b")
    total = "select client_slug, source, name, provider_id, sum(mentions) from organisation_mentions group by all"
    with open_warehouse(batch) as warehouse:
        expected = sorted(warehouse.sql(total).fetchall(), key=repr)
    build_models(batch, "b", items_a_chunk=5)
    with open_warehouse(batch) as warehouse:
        assert sorted(warehouse.sql(total).fetchall(), key=repr) == expected


def test_ranges_hold_every_item_once(batch: Settings) -> None:
    layout = Layout.of(batch)
    connection = connect(layout)
    attach(connection, load_project(), layout, client_slug="acme", batch_key="b", models=())
    ranges = item_ranges(connection, 5)
    items = [row[0] for row in connection.sql("select item_id from hq.batch_items order by 1").fetchall()]
    assert [item for part in ranges for item in items if part.low <= item <= part.high] == items
    assert [sum(part.low <= item <= part.high for item in items) for part in ranges] == [5, 5, 1]


NESTED_LOOPS = {"lead_values": 1}
"""Joins by nested loops that a model may have: of the kinds of values with the rules, both of which are few."""


def test_no_model_of_a_batch_compares_every_row_with_every_row(batch: Settings) -> None:
    build_models(batch, "b")
    project, layout = load_project(), Layout.of(batch)
    connection = connect(layout)
    attach(connection, project, layout, client_slug="acme", batch_key="b")
    found = {}
    for model in project.models.values():
        plan = connection.execute(f"explain (format json) {model.sql}").fetchall()[0][1]
        loops = plan.count("_NL_JOIN") + plan.count("NESTED_LOOP_JOIN") + plan.count("CROSS_PRODUCT")
        if model.partitioned and loops:
            found[model.name] = loops
    connection.close()
    assert found == NESTED_LOOPS
