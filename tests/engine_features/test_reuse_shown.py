"""What a reused answer looks like downstream: leads, provenance, statistics, destinations, log and configuration."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from enrichment_assets.cli.hints import worded
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import apply_config
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.event_log import JsonLines, logger
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch, plan_launch
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.catalog.configuration import (
    add_client,
    add_pipeline,
    add_workflow,
    get_client_config,
    set_client_config,
)
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.services.operations.statistics import batch_statistics
from enrichment_assets.services.shapes.shape import plain
from enrichment_assets.services.shapes.statistics import WorkflowStatistics
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import build_analytics, build_models, open_warehouse, publish_batch_sources
from enrichment_assets.warehouse.publishing import publish_marts
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, people, step
from tests.harness.handles import hq_of

DESTINATION = {"table": "found_titles", "create": True, "columns": {"title": "fields.title", "n": "item.row_number"}}


def titles(**fields: Any) -> WorkflowDefinition:
    """Finds a person's title, for a cent; reused for a month."""
    return step("match", **{"reuse_for": "30d", "provides": {"title": "person.title"}, **fields})


def extract(batch: Launched) -> None:
    """Make the batch's leads and publish them."""
    publish_batch_sources(hq_of(batch.settings), batch.settings, batch.key)
    build_models(batch.settings, batch.key)
    publish_marts(hq_of(batch.settings), batch.settings, batch.key)


def test_leads_of_a_second_batch_have_the_same_values_and_say_where_and_when_they_were_fetched(
    harness: BatchHarness,
) -> None:
    first, second = harness.launch(people(3), titles()), harness.launch([*people(3), *people(1)], titles())
    first.run()
    first.change("update provider_calls set received_at = now() - interval '9 days'")
    second.run()
    for batch in (first, second):
        extract(batch)
    warehouse = open_warehouse(harness.settings)
    leads = warehouse.execute("select batch_key, first_name, title, cost from final_leads order by item_id").fetchall()
    values = {name: title for key, name, title, _ in leads if key == first.key}
    assert len(values) == 3 and all(values.values())
    assert [(name, title) for key, name, title, _ in leads if key == second.key] == [*values.items(), *values.items()][
        :4
    ]
    assert [cost for key, *_, cost in leads if key == second.key] == [Decimal(0)] * 4
    calls = {call["received_at"] for call in first.calls()}
    with connect(harness.settings.workspace_database_url or "") as workspace:
        rows = workspace.execute(
            "select batch_key, source_workflow, source_provider, fetched_at, reused_from_batch "
            "from final_leads_provenance where field = 'title' order by item_id"
        ).fetchall()
    assert {row["source_workflow"] for row in rows} == {"match"} and {row["source_provider"] for row in rows} == {
        "http"
    }
    assert [row["reused_from_batch"] for row in rows] == [None] * 3 + [first.key] * 4
    assert {row["fetched_at"] for row in rows if row["batch_key"] == second.key} == calls
    item = second.rows("select min(item_id) as id from workflow_states where batch_id = %s", second.batch_id)[0]["id"]
    (link,) = explain_lead(hq_of(harness.settings), harness.settings, second.key, item, "title")[0].links
    assert link.reused_from_batch == first.key and link.fetched_at in calls
    build_analytics(harness.settings)
    performance = open_warehouse(harness.settings).execute(
        "select batch_key, answered, calls, retries, reused, cost from provider_performance order by batch_key"
    )
    assert performance.fetchall() == [
        (first.key, 3, 3, 0, 0, Decimal("0.03")),
        (second.key, 4, 0, 0, 3, Decimal(0)),
    ]


def test_statistics_count_a_reused_answer_as_reused_and_say_what_it_saved(harness: BatchHarness) -> None:
    harness.launch(people(2), titles()).run()
    batch = harness.launch([*people(3), *people(2)], titles(price={"estimate": "0.07", "not_found": "0"}))
    batch.run()
    (row,) = batch_statistics(hq_of(harness.settings), batch.key)
    assert (row.calls, row.reused, row.saved, row.cost) == (1, 2, Decimal("0.14"), Decimal("0.07"))
    assert row.found_rate == 1.0
    assert plain(WorkflowStatistics.of(row), worded)["saved"] == "0.14"


def test_a_reused_answer_is_stored_where_configuration_says_with_the_time_it_was_fetched(harness: BatchHarness) -> None:
    first = harness.launch(people(2), titles())
    first.run()
    second = harness.launch(people(2) * 2, titles(destination=DESTINATION))
    second.run()
    assert store_results(hq_of(harness.settings), second.key)["match"].rows == 4
    with connect(harness.settings.workspace_database_url or "") as workspace:
        rows = workspace.execute("select batch_key, title, fetched_at from found_titles order by n").fetchall()
    assert {row["batch_key"] for row in rows} == {second.key}
    fetched = [call["received_at"] for call in first.calls()]
    assert sorted({row["fetched_at"] for row in rows}) == sorted(fetched)
    assert store_results(hq_of(harness.settings), second.key)["match"].rows == 0


def test_the_log_has_a_line_for_a_reuse_and_none_for_a_call(harness: BatchHarness) -> None:
    harness.launch(people(1), titles()).run()
    batch = harness.launch(people(1) * 2, titles())
    lines: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonLines().format(record)))

    handler = Keep()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        batch.run()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    moves = [(line["action"], line.get("outcome"), line.get("cost")) for line in lines if "item" in line]
    assert moves == [("reuse", "found", "0"), ("share", "found", None)]
    reuse, share = batch.log()
    assert (reuse["status"], reuse["cost"], reuse["duration_ms"], share["cost"]) == ("COMPLETED", 0, None, None)
    assert reuse["message"].startswith("reused: batch")


def test_a_client_sets_reuse_for_for_itself_and_what_is_no_duration_is_refused(harness: BatchHarness) -> None:
    add_client(hq_of(harness.settings), "acme", "Acme", actor=TESTER)
    add_workflow(hq_of(harness.settings), harness.settings, titles(reuse_for=None), actor=TESTER)
    set_client_config(
        hq_of(harness.settings), harness.settings, "acme", "match", set_values={"reuse_for": "30d"}, actor=TESTER
    )
    config = get_client_config(hq_of(harness.settings), "acme", "match")
    assert apply_config("acme", titles(reuse_for=None), config).reuse_for == 30 * 86400
    set_client_config(
        hq_of(harness.settings), harness.settings, "acme", "match", set_values={"reuse_for": 0}, actor=TESTER
    )
    config = get_client_config(hq_of(harness.settings), "acme", "match")
    assert apply_config("acme", titles(reuse_for=None), config).reuse_for == 0
    for wrong in ("a month", -1, "5000d", float("inf")):
        with pytest.raises(ConfigurationError, match="reuse_for"):
            set_client_config(
                hq_of(harness.settings),
                harness.settings,
                "acme",
                "match",
                set_values={"reuse_for": wrong},
                actor=TESTER,
            )
    set_client_config(hq_of(harness.settings), harness.settings, "acme", "match", unset=["reuse_for"], actor=TESTER)
    config = get_client_config(hq_of(harness.settings), "acme", "match")
    assert apply_config("acme", titles(), config).reuse_for == 30 * 86400


def test_a_fresh_launch_takes_no_old_answers_and_its_own_are_taken_later(harness: BatchHarness) -> None:
    old = harness.launch(people(2), titles())
    old.change("update batches set blueprint = blueprint || '{\"simulated\": true}' where id = %s", old.batch_id)
    old.run()
    add_workflow(hq_of(harness.settings), harness.settings, titles(), actor=TESTER)
    add_workflow(hq_of(harness.settings), harness.settings, step("other"), actor=TESTER)
    add_pipeline(
        hq_of(harness.settings), PipelineDefinition(slug="p", steps=["match", "other"]), client="acme", actor=TESTER
    )
    upload = old.rows("select upload_id as id from batches where id = %s", old.batch_id)[0]["id"]
    assert [step.reuse_for for step in plan_launch(hq_of(harness.settings), harness.settings, upload, "p").steps] == [
        30 * 86400,
        None,
    ]
    keys = []
    for fresh in (True, False):
        launched = launch(
            hq_of(harness.settings),
            harness.settings,
            upload,
            "p",
            add_partition=lambda _key: None,
            fresh=fresh,
            actor=TESTER,
        )
        create_items(hq_of(harness.settings), harness.settings, launched.batch_key)
        keys.append(launched.batch_key)
    fresh, later = (replace(old, key=key, batch_id=load_batch(hq_of(harness.settings), key).batch_id) for key in keys)
    fresh.run()
    assert old.asked("match") == 4
    later.run()
    assert old.asked("match") == 4
    assert {c["reused_from"] for c in later.calls("match")} == {c["id"] for c in fresh.calls("match")}
