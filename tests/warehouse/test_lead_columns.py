"""`column:` on a provided field: `final_leads` has it from the next extraction on, typed, as long as it is declared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.lead_columns import DUCKDB_TYPES, ColumnType, fits, patterns
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.catalog.configuration import add_workflow, get_workflow
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.services.insight.queries import export_model
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import (
    build_models,
    load_project,
    open_warehouse,
    publish_batch_sources,
    publish_marts,
    reconcile,
)
from enrichment_assets.warehouse.lead_columns import reserved
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Answer, Lead, seed_batch

TYPES = {
    "icp_score": "integer", "funding": "bigint", "fee": "numeric", "growth": "double", "is_fit": "boolean",
    "founded_on": "date", "seen_at": "timestamptz", "tier": "text",
}  # fmt: skip


def scorer(slug: str = "score-it", **columns: str) -> WorkflowDefinition:
    """A workflow that provides every field, and declares columns of these types for some."""
    named = {name: {"type": kind, "description": f"The {name}."} for name, kind in columns.items()}
    provides = {name: {"from": name, **({"column": named[name]} if name in named else {})} for name in TYPES}
    return WorkflowDefinition.model_validate(
        {"slug": slug, "title": slug, "step": 50, "provider": "http", "operation": "score", "mode": "sync",
         "request": {"url": "/score"}, "provides": provides}
    )  # fmt: skip


GOOD = {
    "icp_score": 87, "funding": 12_000_000_000, "fee": "19.90", "growth": 1.5, "is_fit": True,
    "founded_on": "2020-02-29", "seen_at": "2026-03-31T14:00:00+02:00", "tier": "A", "mood": "fine",
}  # fmt: skip
AS_COLUMNS = {
    "icp_score": 87, "funding": 12_000_000_000, "fee": Decimal("19.900000"), "growth": 1.5, "is_fit": True,
    "founded_on": date(2020, 2, 29), "seen_at": datetime(2026, 3, 31, 12, tzinfo=UTC), "tier": "A",
}  # fmt: skip
OFF = {
    "icp_score": "3.5", "funding": "12 M", "fee": "1.23456789", "growth": "NaN", "is_fit": "yes",
    "founded_on": "2021-02-29", "seen_at": "2026-03-31T14:00:00", "tier": "", "mood": None,
}  # fmt: skip
"""Values that are none of their columns' types: rounded, guessed or moved to another time zone they would be others."""


def extract(settings: Settings, key: str = "b1") -> None:
    publish_batch_sources(hq_of(settings), settings, key)
    build_models(settings, key)


def leads(settings: Settings, key: str | None = "b1") -> list[dict[str, Any]]:
    client = "acme" if key else None
    with open_warehouse(settings, client_slug=client, batch_key=key) as warehouse:
        return warehouse.execute("select * from final_leads order by batch_key, item_id").to_arrow_table().to_pylist()


def published(settings: Settings) -> dict[str, str]:
    with connect(settings.workspace_database_url or "") as workspace:
        rows = workspace.execute("select column_name as name, data_type as type from information_schema.columns "
                                 "where table_name = 'final_leads'").fetchall()  # fmt: skip
    return {row["name"]: row["type"] for row in rows}


@pytest.fixture
def items(settings: Settings) -> Iterator[list[int]]:
    with connect(settings.hq_database_url or "") as hq:
        seeded = seed_batch(hq, [Lead({}, [Answer("score-it", {}, f, provider="http")]) for f in (GOOD, OFF)])
        seed_batch(hq, [Lead({}, [Answer("score-it", {}, GOOD, provider="http")])], batch_key="b0")
    yield seeded.item_ids


def test_a_workflow_that_is_a_row_has_its_columns_from_the_next_extraction_on(
    settings: Settings, items: list[int], tmp_path: Any
) -> None:
    for key in ("b0", "b1"):
        extract(settings, key)
        publish_marts(hq_of(settings), settings, key)
    assert json.loads(leads(settings)[0]["other_fields"])["icp_score"] == "87", "what has no column"
    before = list(leads(settings)[0])

    add_workflow(hq_of(settings), settings, scorer(**TYPES), actor=TESTER)
    assert list(leads(settings)[0]) == before, "not before the next extraction"
    extract(settings)
    good, off = leads(settings)
    assert {name: good[name] for name in TYPES} == AS_COLUMNS
    assert json.loads(good["other_fields"]) == {"mood": "fine"}
    assert {name: off[name] for name in TYPES} == dict.fromkeys(TYPES)
    assert json.loads(off["other_fields"]) == {name: v for name, v in OFF.items() if v}, "nothing is lost, nor bent"
    old = leads(settings, None)[0]
    assert old["batch_key"] == "b0" and {old[name] for name in TYPES} == {None}
    assert "87" in old["other_fields"], "a batch that was extracted before shows its values where they were"

    publish_marts(hq_of(settings), settings, "b1")
    assert {name: published(settings)[name] for name in TYPES} == {
        "icp_score": "integer", "funding": "bigint", "fee": "numeric", "growth": "double precision",
        "is_fit": "boolean", "founded_on": "date", "seen_at": "timestamp with time zone", "tier": "text",
    }  # fmt: skip
    assert all(check.passed for check in reconcile(hq_of(settings), settings, "b1"))
    export_model(hq_of(settings), settings, "b1", "final_leads", tmp_path / "leads.csv")
    assert "87" in (tmp_path / "leads.csv").read_text() and "icp_score" in (tmp_path / "leads.csv").read_text()
    assert explain_lead(hq_of(settings), settings, "b1", items[0], "icp_score")[0].final == "87"


def test_a_column_that_nobody_declares_any_more_breaks_nothing_and_comes_back_with_its_type(
    settings: Settings, items: list[int]
) -> None:
    add_workflow(hq_of(settings), settings, scorer(**TYPES), actor=TESTER)
    extract(settings)
    publish_marts(hq_of(settings), settings, "b1")
    add_workflow(hq_of(settings), settings, scorer(tier="text"), actor=TESTER)
    extract(settings)
    row = leads(settings)[0]
    assert row["tier"] == "A" and "icp_score" not in row
    assert json.loads(row["other_fields"])["icp_score"] == "87"
    publish_marts(hq_of(settings), settings, "b1")
    with connect(settings.workspace_database_url or "") as workspace:
        kept = workspace.execute("select icp_score, tier from final_leads order by item_id").fetchall()
    assert kept[0] == {"icp_score": None, "tier": "A"}, "the published column stays, empty"

    with pytest.raises(ConfigurationError, match=r"provides.icp_score.column: .*declare `type: integer`"):
        add_workflow(hq_of(settings), settings, scorer(icp_score="text"), actor=TESTER)
    with connect(settings.hq_database_url or "") as hq:  # whoever writes rows by SQL finds the type kept all the same
        hq.execute(
            "update enrichment_registry set definition = jsonb_set(definition, '{columns,icp_score}', "
            """'{"type": "text", "description": "x"}') where workflow_slug = 'score-it'"""
        )
        for name in ("cost", 'a"b; drop table x --'):  # what no workflow could be saved with is no column either
            hq.execute(
                "update enrichment_registry set definition = jsonb_set(definition, array['columns', %s], "
                """'{"type": "text", "description": "x"}') where workflow_slug = 'score-it'""",
                [name],
            )
    extract(settings)
    assert leads(settings)[0]["icp_score"] == 87
    assert publish_marts(hq_of(settings), settings, "b1")


def test_a_person_corrects_a_declared_column_by_its_type(settings: Settings, items: list[int]) -> None:
    add_workflow(hq_of(settings), settings, scorer(**TYPES), actor=TESTER)
    with connect(settings.hq_database_url or "") as hq:
        hq.execute("update batches set blueprint = jsonb_set(blueprint, '{steps}', '[]')")
        hq.commit()
    extract(settings)
    for column, value in (("icp_score", "3.5"), ("icp_score", "many"), ("founded_on", "1 May 2020"), ("fee", "1e3")):
        with pytest.raises(ConfigurationError, match=f"`{column}` cannot be"):
            edit_lead(hq_of(settings), settings, "b1", items[1], column, value, by="ada", actor=TESTER)
    for column, value in (("icp_score", "12"), ("is_fit", "true"), ("founded_on", "2020-05-01"), ("tier", "B")):
        edit_lead(hq_of(settings), settings, "b1", items[1], column, value, by="ada", actor=TESTER)
    with pytest.raises(ConfigurationError, match="did you mean 'icp_score'"):
        edit_lead(hq_of(settings), settings, "b1", items[1], "icp_scor", "1", by="ada", actor=TESTER)
    extract(settings)
    row = leads(settings)[1]
    assert (row["icp_score"], row["is_fit"], row["founded_on"], row["tier"]) == (12, True, date(2020, 5, 1), "B")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"cost": "text"}, "final_leads has a column 'cost' of its own"),
        ({"email": "text"}, "final_leads has a column 'email' of its own"),
        ({"row_status": "text"}, "'row_status' of its own"),
        ({"xmin": "integer"}, "'xmin' of its own"),  # a system column of every table: PostgreSQL manual, 5.6
        ({"ctid": "text"}, "'ctid' of its own"),
        ({"company_founded_year": "bigint"}, "is integer in workflow enrich-organization-via-apollo"),
        ({"tier": "boolean"}, "is text in workflow score-it: declare `type: text`, or give the field another name"),
    ],
)
def test_a_column_that_would_mean_two_things_is_refused_when_its_workflow_is_saved(
    settings: Settings, columns: dict[str, str], said: str
) -> None:
    add_workflow(hq_of(settings), settings, scorer(tier="text"), actor=TESTER)
    (name, kind), *_ = columns.items()
    other = scorer("other").model_dump(mode="json", exclude={"types", "columns"})
    other["provides"] = {name: {"from": "x", "column": {"type": kind, "description": "x"}}}
    with pytest.raises(ConfigurationError) as refused:
        add_workflow(hq_of(settings), settings, WorkflowDefinition.model_validate(other), actor=TESTER)
    assert said in str(refused.value) and f"provides.{name}.column" in str(refused.value)
    other["provides"][name]["column"]["type"] = "text"
    if name == "tier":
        saved = add_workflow(hq_of(settings), settings, WorkflowDefinition.model_validate(other), actor=TESTER)
        assert saved.change == "added", "of the same type"


def test_a_column_of_a_field_that_is_not_provided_is_refused_with_what_was_meant(settings: Settings) -> None:
    wrong = scorer().model_dump(mode="json") | {"columns": {"teir": {"type": "text", "description": "x"}}}
    with pytest.raises(ConfigurationError, match=r"columns\.teir: .* not provide teir; did you mean 'tier'"):
        add_workflow(hq_of(settings), settings, WorkflowDefinition.model_validate(wrong), actor=TESTER)


def test_only_a_changed_description_is_saved_too(settings: Settings) -> None:
    """Columns change no version, so that no call of a running batch gets a new key; the row changes all the same."""
    first = scorer(tier="text")
    add_workflow(hq_of(settings), settings, first, actor=TESTER)
    described = first.model_copy(
        update={"columns": {"tier": first.columns["tier"].model_copy(update={"description": "A to C"})}}
    )
    assert described.version() == first.version() == scorer().version()
    assert add_workflow(hq_of(settings), settings, described, actor=TESTER).change == "updated"
    assert add_workflow(hq_of(settings), settings, described, actor=TESTER).change == "unchanged"


def test_an_installation_that_was_seeded_before_there_were_columns_gets_those_that_are_shipped(
    settings: Settings,
) -> None:
    slug = "enrich-organization-via-apollo"
    shipped = get_workflow(hq_of(settings), slug).definition
    with connect(settings.hq_database_url or "") as hq:
        hq.execute(
            "update enrichment_registry set definition = definition - 'columns', builtin_version = %s "
            "where workflow_slug = %s",
            [shipped.model_copy(update={"columns": {}}).content_version(), slug],
        )
        hq.commit()
    again = get_workflow(hq_of(settings), slug)
    assert (again.definition, again.origin) == (shipped, "built-in")
    assert again.definition.columns


TEXTS = (
    "0", "-1", "+7", "12", "12.0", "12.", "3.5", "1e3", "1E+400", "inf", "NaN", "", " 12", "12 ", "0x1f", "1_000",
    "2147483647", "2147483648", "-2147483648", "9223372036854775807", "9223372036854775808", "99999999999999999999",
    "123456789012.123456", "1234567890123", "0.1234567", "0.1000000", ".5", "true", "True", "TRUE", "f", "yes", "1",
    "2020-02-29", "2021-02-29", "2020-13-01", "2020-2-9", "29.02.2020", "2020-02-29T10:00:00Z", "20200229",
    "2020-02-29T10:00:00", "2020-02-29 10:00+02:00", "2020-02-29T24:00:00Z", "2021-02-30T10:00:00Z", "12:00Z", "٣",
)  # fmt: skip


def test_program_and_models_take_the_same_texts_for_values_of_a_type() -> None:
    renderer = load_project().model("final_leads").renderer
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for kind in ColumnType:
            name = DUCKDB_TYPES[kind]
            value = renderer.render(
                "{{ column_value('t', column) }}", column={"type": name, "written": patterns().get(name)}
            )
            rows = connection.execute(f"select t, {value} from (select unnest($1) as t)", [list(TEXTS)]).fetchall()
            taken = {text for text, found in rows if found is not None}
            assert taken == {text for text in TEXTS if fits(kind, text)}, kind


def test_reserved_names_are_the_columns_that_workflows_did_not_declare() -> None:
    ours = [column.name for column in load_project(lead_columns=()).model("final_leads").columns]
    assert set(ours) < reserved()
    assert "company_employee_count" not in ours and "email" in ours
    shipped = [c.name for c in load_project().model("final_leads").columns if c.name not in ours]
    assert shipped and set(shipped).isdisjoint(reserved())
