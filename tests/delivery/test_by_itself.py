"""Leads of a pipeline that says `deliver` go by themselves, and the steps of a sequence one after another."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from enrichment_assets.assets.instance import open_instance
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.assets.steps import step_key
from enrichment_assets.code_location import build_definitions
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.providers import build_providers
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.sensors.deliveries import delivery_sensor
from enrichment_assets.services.batches.advancing import mark_extracted
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.due import deliver_due
from enrichment_assets.store.deliveries.batches import due_deliveries
from tests.actors import TESTER
from tests.assets.test_definitions import platform
from tests.delivery.crm import contacts, destination
from tests.delivery.test_delivering import LOCAL, people
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of

FIRST = destination("first")
SECOND = destination("second", {"follows": {"delivery": "first", "wait": "3d"}, "target": "second"})


@pytest.fixture
def batch(harness: BatchHarness) -> Iterator[Launched]:
    hq = hq_of(harness.settings)
    for workflow in (FIRST, SECOND):
        add_workflow(hq, harness.settings, workflow, actor=TESTER)
    launched = harness.launch(people("Ann"), LOCAL, FIRST, SECOND, steps=["tidy"], deliver=["first", "second"])
    launched.run()
    yield launched


def test_what_a_pipeline_delivers_is_due_when_it_is_extracted_and_a_next_step_waits_for_its_time(
    batch: Launched,
) -> None:
    hq, settings = hq_of(batch.settings), batch.settings
    providers, actor = build_providers(batch.sandbox.url), Actor(ActorKind.SCHEDULE, "delivery")

    def due() -> list[str]:
        with hq.transaction() as connection:
            return [one.workflow_slug for one in due_deliveries(connection)]

    assert due() == []
    mark_extracted(hq, batch.key)
    assert due() == ["first", "second"]
    early = deliver_due(hq, settings, batch.key, "second", actor=actor, providers=providers)
    assert early == {"skipped": 1}, "the first was not delivered"
    assert batch.state("second")["reason"] == "out_of_sequence: first was not delivered"

    assert deliver_due(hq, settings, batch.key, "first", actor=actor, providers=providers) == {"delivered": 1}
    mark_extracted(hq, batch.key)
    assert deliver_due(hq, settings, batch.key, "second", actor=actor, providers=providers) == {"pending": 1}
    assert [one["list"] for one in contacts(batch.sandbox)] == [None]
    waits = batch.state("second")
    assert waits["reason"] == "waits after first"
    assert due() == ["first"], "the second step has its time"

    batch.change("update deliveries set first_delivered_at = now() - interval '4 days'")
    batch.change("update batch_deliveries set resume_at = now()")
    batch.due()
    assert deliver_due(hq, settings, batch.key, "second", actor=actor, providers=providers) == {"delivered": 1}
    assert [one["list"] for one in contacts(batch.sandbox)] == [None, "second"]
    asked_by = batch.rows("select distinct asked_by from batch_deliveries")
    assert asked_by == [{"asked_by": "schedule:delivery"}]


def test_a_first_step_that_went_to_the_other_world_is_none(batch: Launched) -> None:
    hq, settings = hq_of(batch.settings), batch.settings
    providers, actor = build_providers(batch.sandbox.url), Actor(ActorKind.SCHEDULE, "delivery")
    mark_extracted(hq, batch.key)
    assert deliver_due(hq, settings, batch.key, "first", actor=actor, providers=providers) == {"delivered": 1}
    # As if the lead had been delivered from a batch of the simulator, and this one were real; or the reverse.
    for table in ("deliveries", "delivery_identities"):
        batch.change(f"update {table} set simulated = not simulated")
    assert deliver_due(hq, settings, batch.key, "second", actor=actor, providers=providers) == {"skipped": 1}
    assert batch.state("second")["reason"] == "out_of_sequence: first was not delivered"
    assert [one["list"] for one in contacts(batch.sandbox)] == [None]


def test_the_sensor_asks_for_a_run_of_what_is_due_and_the_asset_takes_the_leads_there(batch: Launched) -> None:
    where = platform(batch.settings)
    where = PlatformResource(**{**where.model_dump(), "sandbox_url": batch.sandbox.url})
    definitions = build_definitions([LOCAL, FIRST, SECOND], where)
    with open_instance(batch.settings, keep_output=False) as instance:
        context = dg.build_sensor_context(
            instance, definitions=definitions, resources={"platform": where}, sensor_name="delivery_sensor"
        )
        assert isinstance(delivery_sensor(context), dg.SkipReason)
        mark_extracted(hq_of(batch.settings), batch.key)
        asked = delivery_sensor(context)
        assert isinstance(asked, dg.SensorResult)
        (request,) = asked.run_requests or []
        assert request.partition_key == batch.key
        assert request.asset_selection == [step_key("first"), step_key("second")]
        instance.add_dynamic_partitions(PARTITIONS_NAME, [batch.key])
        job = definitions.resolve_job_def("deliver")
        done = job.execute_in_process(
            instance=instance, partition_key=batch.key, asset_selection=request.asset_selection
        )
        assert done.success
        event = done.get_asset_materialization_events()[0]
        assert event.materialization.metadata["delivered"].value == 1
    assert [one["list"] for one in contacts(batch.sandbox)] == [None]
    assert batch.state("second")["reason"] == "waits after first"
