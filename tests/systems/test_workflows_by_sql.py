"""`homepage.db_driven_enrichment_workflows`: a workflow written there is registered, or refused with a reason."""

from __future__ import annotations

from hashlib import md5
from typing import Any
from uuid import UUID

import dagster as dg
import psycopg
import pytest
from psycopg.types.json import Jsonb

from enrichment_assets.code_location import build_definitions
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sensors.drafts import draft_sensor
from enrichment_assets.services.catalog.configuration import get_workflow, list_workflows
from enrichment_assets.services.catalog.drafts import settle_drafts
from enrichment_assets.settings import Settings
from enrichment_assets.store.catalog.drafts import LONGEST_REASON
from enrichment_assets.store.database import connect
from tests.assets.conftest import platform
from tests.harness.handles import hq_of

VIEW = "homepage.db_driven_enrichment_workflows"
COLUMNS = (
    "id workflow_slug title overall_step_number provider destination_db destination_table_name "
    "destination_field_mappings status reason"
)
SCRAPE = "scrape-homepage-via-zenrows"


def written(settings: Settings, query: str, *parameters: Any) -> list[dict[str, Any]]:
    with connect(settings.hq_database_url or "") as connection:
        found = connection.execute(query, parameters)  # type: ignore[arg-type]
        rows = found.fetchall() if found.description else []
        connection.commit()
    return rows


def inserted(settings: Settings, **values: Any) -> dict[str, Any]:
    names = ", ".join(values)
    places = ", ".join(["%s"] * len(values))
    given = [Jsonb(value) if isinstance(value, dict) else value for value in values.values()]
    (row,) = written(settings, f"insert into {VIEW} ({names}) values ({places}) returning *", *given)
    return row


def test_what_is_registered_reads_as_the_plays_users_know_it(settings: Settings) -> None:
    list_workflows(hq_of(settings))
    rows = {row["workflow_slug"]: row for row in written(settings, f"select * from {VIEW}")}
    assert set(rows) == set(builtin_workflows())
    one = rows["extract-case-studies-via-n8n"]
    assert " ".join(one) == COLUMNS
    assert (one["provider"], one["overall_step_number"], one["status"]) == ("n8n", 320, "active")
    assert (one["destination_db"], one["destination_table_name"]) == ("workspace", "company_case_studies")
    assert one["destination_field_mappings"] == {
        "item.company_domain": "company_domain",
        "case_study_urls": {"column": "urls", "type": "jsonb"},
    }
    assert rows[SCRAPE]["destination_field_mappings"] is None
    assert len({row["id"] for row in rows.values()}) == len(rows)
    assert rows[SCRAPE]["id"] == UUID(md5(f"workflow/{SCRAPE}".encode()).hexdigest())


def test_a_row_becomes_a_draft_and_then_a_workflow_with_its_providers_request(settings: Settings) -> None:
    row = inserted(
        settings,
        workflow_slug="scrape-pricing-page",
        title="Scrape the pricing page",
        overall_step_number=210,
        provider="zenrows",
        destination_db="workspace",
        destination_table_name="pricing_pages",
        destination_field_mappings={"homepage_text": "page", "payload.title": {"column": "title", "type": "text"}},
    )
    assert (row["status"], row["reason"]) == ("draft", None)
    settled = settle_drafts(hq_of(settings), settings)
    assert [(one.workflow, one.refused) for one in settled] == [("scrape-pricing-page", None)]
    made, template = get_workflow(hq_of(settings), "scrape-pricing-page").definition, builtin_workflows()[SCRAPE]
    assert (made.title, made.step, made.request) == ("Scrape the pricing page", 210, template.request)
    assert made.destination is not None
    assert (made.destination.key, made.destination.create) == (["company_domain"], True)
    assert {name: column.source for name, column in made.destination.columns.items()} == {
        "company_domain": "item.company_domain",
        "page": "fields.homepage_text",
        "title": "payload.title",
    }
    (again,) = written(settings, f"select * from {VIEW} where workflow_slug = 'scrape-pricing-page'")
    assert (again["id"], again["status"]) == (row["id"], "active")
    user = written(settings, "select session_user as name")[0]["name"]
    actions = written(settings, "select actor from operator_actions where action = 'workflow.save'")
    assert [action["actor"] for action in actions] == [f"sql:{user}"]
    assert settle_drafts(hq_of(settings), settings) == []


def test_an_update_changes_the_workflow_and_nothing_that_it_does_not_say(settings: Settings) -> None:
    list_workflows(hq_of(settings))
    before = get_workflow(hq_of(settings), "extract-case-studies-via-n8n").definition
    mappings = Jsonb({"item.company_domain": "company_domain", "case_study_urls": ["urls", "links"]})
    written(
        settings,
        f"update {VIEW} set title = 'Case studies', destination_field_mappings = %s where workflow_slug = %s",
        mappings,
        before.slug,
    )
    (row,) = written(settings, f"select title, status from {VIEW} where workflow_slug = %s", before.slug)
    assert row == {"title": "Case studies", "status": "draft"}
    assert get_workflow(hq_of(settings), before.slug).definition == before, "until it was checked"
    assert [one.refused for one in settle_drafts(hq_of(settings), settings)] == [None]
    after = get_workflow(hq_of(settings), before.slug).definition
    assert after.destination is not None
    assert {name: column.type for name, column in after.destination.columns.items()} == {
        "company_domain": "text",
        "urls": "jsonb",
        "links": "jsonb",
    }
    same = {"title": before.title, "destination": before.destination}
    assert after.model_copy(update=same) == before


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"provider": "zenrow"}, "did you mean 'zenrows'"),
    ({"provider": "openai"}, "has no template"),
    ({"destination_table_name": "t"}, "destination_field_mappings"),
    ({"destination_field_mappings": {"homepage_text": "page"}}, "destination_table_name"),
    ({"destination_table_name": "t", "destination_field_mappings": {"homepage_txt": "page"}}, "'homepage_text'"),
    ({"destination_table_name": "t", "destination_field_mappings": {"homepage_text": 1}}, "the name of a column"),
    ({"destination_table_name": "drop table", "destination_field_mappings": {"homepage_text": "page"}}, "table"),
    (
        {"destination_table_name": "asked_changes", "destination_field_mappings": {"homepage_text": "p"}},
        "cannot be used",
    ),
    ({"destination_table_name": "t", "destination_field_mappings": {"homepage_text": "item_id"}}, "the platform fills"),
    (
        {
            "destination_table_name": "t",
            "destination_field_mappings": {"homepage_text": "a", "item.company_domain": "a"},
        },
        "fills the column 'a' twice",
    ),
    ({"provider": "p" * 10_000}, "there is no provider"),
    ({"destination_table_name": "batches", "destination_field_mappings": {"homepage_text": "p"}}, "batches"),
    (
        {"destination_db": "elsewhere", "destination_table_name": "t", "destination_field_mappings": {"item.id": "i"}},
        "destination.database",
    ),
    ({"overall_step_number": -1}, "step"),
    ({"workflow_slug": "No Slug"}, "slug"),
]


def test_a_row_that_is_no_workflow_is_refused_and_says_why_until_it_is_mended(settings: Settings) -> None:
    for number, (values, _) in enumerate(REFUSED):
        inserted(settings, **({"workflow_slug": f"wrong-{number}", "provider": "zenrows"} | values))
    assert len(settle_drafts(hq_of(settings), settings)) == len(REFUSED)
    rows = written(settings, f"select workflow_slug, status, reason from {VIEW} where status <> 'active' order by id")
    assert {row["status"] for row in rows} == {"refused"}
    assert max(len(row["reason"]) for row in rows) == LONGEST_REASON
    reasons = {row["workflow_slug"]: row["reason"] for row in rows}
    for number, (values, said) in enumerate(REFUSED):
        assert said in reasons[values.get("workflow_slug", f"wrong-{number}")], values
    assert settle_drafts(hq_of(settings), settings) == [], "a refused one waits for a person"
    written(settings, f"update {VIEW} set provider = 'zenrows' where workflow_slug = 'wrong-0'")
    assert [one.refused for one in settle_drafts(hq_of(settings), settings)] == [None]


def test_what_cannot_be_meant_is_refused_at_once(settings: Settings) -> None:
    list_workflows(hq_of(settings))
    for statement, said in (
        (f"delete from {VIEW} where workflow_slug = '{SCRAPE}'", "is not deleted by SQL"),
        (f"delete from {VIEW}", "is not deleted by SQL"),
        (f"update {VIEW} set workflow_slug = 'other' where workflow_slug = '{SCRAPE}'", "keeps its slug"),
        (f"update {VIEW} set provider = 'jina' where workflow_slug = '{SCRAPE}'", "for another provider"),
        (f"update {VIEW} set status = 'switched off' where workflow_slug = '{SCRAPE}'", "said by the platform"),
        (f"update {VIEW} set id = gen_random_uuid() where workflow_slug = '{SCRAPE}'", "follows from its slug"),
        (f"insert into {VIEW} (workflow_slug, provider) values ('{SCRAPE}', 'zenrows')", "there is a workflow"),
        (f"insert into {VIEW} (workflow_slug) values ('new')", "needs workflow_slug and provider"),
        (f"insert into {VIEW} (workflow_slug, provider, reason) values ('n', 'clay', 'x')", "said by the platform"),
    ):
        with pytest.raises(psycopg.Error, match=said):
            written(settings, statement)
    assert written(settings, "select count(*) as n from workflow_drafts") == [{"n": 0}]


def test_whoever_may_write_to_the_view_alone_cannot_turn_it_to_another_table(settings: Settings) -> None:
    """The trigger works with its owner's rights: temporary tables of the writer's are not what it writes to."""
    with connect(settings.hq_database_url or "") as connection:
        connection.execute("create temporary table workflow_drafts (workflow_slug text)")
        connection.execute(f"insert into {VIEW} (workflow_slug, provider) values ('mine', 'clay')")
        connection.commit()
    assert written(settings, "select workflow_slug from workflow_drafts") == [{"workflow_slug": "mine"}]


def test_a_tick_of_the_sensor_registers_drafts_and_starts_nothing(settings: Settings) -> None:
    inserted(settings, workflow_slug="mine", provider="clay")
    where = platform(settings)
    with dg.instance_for_test() as instance:
        context = dg.build_sensor_context(
            instance=instance, definitions=build_definitions([], where), resources={"platform": where}
        )
        assert isinstance(draft_sensor(context), dg.SkipReason)
    assert written(settings, f"select status from {VIEW} where workflow_slug = 'mine'") == [{"status": "active"}]


def test_every_template_is_a_shipped_workflow_of_its_provider() -> None:
    for name, provider in PROVIDERS.items():
        if provider.template is not None:
            assert builtin_workflows()[provider.template].provider == name
