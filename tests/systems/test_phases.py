"""Phases of a system in Dagster: jobs over the same assets, backfilled over batches, with schedules that are off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import pytest

from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.assets.phases import phase_jobs
from enrichment_assets.assets.steps import step_key
from enrichment_assets.code_location import build_definitions
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.domain.system import SystemDefinition
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.registry.loader import builtin_pipelines, builtin_workflows, get_system, systems
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.sensors.phases import runs_of_phase
from enrichment_assets.sensors.sequencer import sequencer_sensor
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.catalog.profiles import set_profile
from enrichment_assets.services.operations.asking import Wanted, plan_asking
from enrichment_assets.services.systems.arriving import EXAMPLES
from enrichment_assets.services.uploads.search_plans import searches_of, upload_plan
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.assets.conftest import platform
from tests.harness.handles import hq_of

FS = get_system("fs")
REGIONS = ("Boston, MA", "Hartford, CT", "Albany, NY", "Dover, DE", "Reno, NV")
STEPS = builtin_pipelines()["fs-prospecting"].slugs()
WITH_PHASES = [system for system in systems().values() if system.phases]


@pytest.mark.parametrize("system", WITH_PHASES, ids=lambda system: system.slug)
def test_every_step_of_a_systems_pipelines_is_in_one_of_its_phases_in_an_order_that_can_work(
    system: SystemDefinition,
) -> None:
    phase_of = system.phase_of()
    assert set(phase_of) <= set(builtin_workflows())
    order = [phase.slug for phase in system.phases]
    for pipeline in (builtin_pipelines()[slug] for slug in system.pipelines):
        blueprint = build_blueprint("acme", pipeline, builtin_workflows(), {})
        place = {step.slug: order.index(phase_of[step.slug]) for step in blueprint.steps}
        later = [(step.slug, need) for step in blueprint.steps for need in step.needs if place[need] > place[step.slug]]
        assert later == [], pipeline.slug


def test_each_phase_is_a_job_over_the_assets_of_its_steps_and_its_schedule_is_off() -> None:
    definitions = build_definitions(list(builtin_workflows().values()))
    graph = definitions.resolve_asset_graph()
    repository = definitions.get_repository_def()
    for phase in FS.phases:
        job = repository.get_job(f"fs_{phase.slug.replace('-', '_')}")
        selected = set(job.asset_layer.selected_asset_keys)
        steps = {key for key in selected if graph.get(key).group_name == "enrichment"}
        assert steps - {dg.AssetKey("enrichment_results")} == {step_key(slug) for slug in phase.steps}
        assert {dg.AssetKey("fs_prospect_records"), dg.AssetKey("workspace_tables")} <= selected
        assert (dg.AssetKey("batch_items") in selected) is (phase is FS.phases[0])
        schedule = repository.get_schedule_def(f"{job.name}_schedule")
        assert (schedule.job_name, schedule.default_status) == (job.name, dg.DefaultScheduleStatus.STOPPED)
    whole = set(repository.get_job("fs_all_phases").asset_layer.selected_asset_keys)
    assert {step_key(slug) for phase in FS.phases for slug in phase.steps} <= whole


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def simulated(settings: Settings, sandbox: SandboxProcess) -> Settings:
    add_client(hq_of(settings), "acme", "Acme", actor=TESTER)
    set_profile(hq_of(settings), "acme", file=EXAMPLES / "fs_client_profile.yaml", actor=TESTER)
    return replace(settings, sandbox_url=sandbox.url)


def planned(settings: Settings, region: str) -> str:
    """A batch that goes phase by phase, of one industry in one region; it looks for two prospects."""
    hq = hq_of(settings)
    plan = upload_plan(
        hq, settings, searches_of("fs"), "acme", industries=["accounting"], regions=[region], target=2, actor=TESTER
    )
    launched = launch(
        hq, settings, plan.upload_id, "fs-prospecting", client="acme", target=2, by_phase=True,
        add_partition=lambda _key: None, actor=TESTER,
    )  # fmt: skip
    return launched.batch_key


def test_one_phase_is_backfilled_over_five_batches_and_its_schedule_would_do_the_same(
    simulated: Settings, sandbox: SandboxProcess, instance: dg.DagsterInstance
) -> None:
    keys = [planned(simulated, region) for region in REGIONS]
    instance.add_dynamic_partitions(PARTITIONS_NAME, keys)
    definitions = build_definitions(list(builtin_workflows().values()), platform(simulated))
    discovery = definitions.resolve_job_def("fs_discovery")
    assert asked_for(instance, simulated, "discovery") == keys
    for key in keys:  # the tables of two of them: they take most of a run's time
        steps = None if key in keys[:2] else [dg.AssetKey("batch_items"), *map(step_key, FS.phases[0].steps)]
        run_phase(discovery, instance, key, steps)
    assert workflows_called(simulated) <= set(FS.phases[0].steps)
    for key in keys:
        one = status(hq_of(simulated), simulated, key)
        open_steps = {row.slug for row in one.workflows if row.pending}
        assert open_steps == {slug for slug in STEPS if FS.phase_of()[slug] != "discovery"}
        assert not one.finished
    with connect(open_databases(simulated).workspace) as workspace:
        rows = workspace.execute(
            "select batch_key, status, count(*) as n from fs_prospect_records group by 1, 2 order by 1"
        ).fetchall()
    assert {row["batch_key"]: (row["status"], row["n"]) for row in rows} == dict.fromkeys(keys[:2], ("discovered", 2))
    # Nobody goes on with them by himself; the next phase's schedule would, and this one's would not again.
    assert asked_for(instance, simulated, "discovery") == []
    assert asked_for(instance, simulated, "contact-enrichment") == keys
    assert asked_for(instance, simulated, "qualification") == []
    context = dg.build_sensor_context(
        instance, resources={"platform": platform(simulated)}, repository_def=definitions.get_repository_def()
    )
    result = sequencer_sensor(context)
    assert isinstance(result, dg.SensorResult) and result.run_requests == []
    # Nor would what somebody asks of a step before its phase: the plan says that it waits for it.
    wanted = Wanted(["verify-email-via-zerobounce", "qualify-lead"])
    plan = plan_asking(hq_of(simulated), simulated, keys[0], wanted)
    assert plan.phases == ("contact-enrichment", "qualification")
    # By hand: the same run as the schedule's, which has the same job, selection and partition.
    run_phase(definitions.resolve_job_def("fs_contact_enrichment"), instance, keys[0])
    assert asked_for(instance, simulated, "contact-enrichment") == keys[1:]
    assert asked_for(instance, simulated, "intelligence") == keys[:1]


def run_phase(
    job: dg.JobDefinition, instance: dg.DagsterInstance, key: str, assets: list[dg.AssetKey] | None = None
) -> None:
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    assert job.execute_in_process(
        partition_key=key, instance=instance, asset_selection=assets, run_config=quiet
    ).success


def asked_for(instance: dg.DagsterInstance, settings: Settings, phase: str) -> list[str | None]:
    """The batches for which the schedule of a phase asks for a run of its job."""
    name = f"fs_{phase.replace('-', '_')}"
    job = next(one for one in phase_jobs(set(builtin_workflows())) if one.job.name == name)
    requests = runs_of_phase(job, instance, platform(settings), datetime.now(UTC))
    assert all(one.asset_selection is None and one.job_name is None for one in requests), "the job's own selection"
    return [one.partition_key for one in requests]


def workflows_called(settings: Settings) -> set[str]:
    with connect(settings.hq_database_url or "") as hq:
        return {row["workflow_slug"] for row in hq.execute("select workflow_slug from provider_calls").fetchall()}


def test_a_pipeline_without_phases_cannot_go_phase_by_phase(simulated: Settings) -> None:
    hq = hq_of(simulated)
    plan = upload_plan(
        hq,
        simulated,
        searches_of("fs"),
        "acme",
        industries=["accounting"],
        regions=["Erie, PA"],
        target=1,
        actor=TESTER,
    )
    with pytest.raises(ConfigurationError, match="cannot go phase by phase"):
        launch(
            hq, simulated, plan.upload_id, "normalise-only", client="acme", by_phase=True,
            add_partition=lambda _key: None, actor=TESTER,
        )  # fmt: skip
