"""Leads that nobody has verified for a while are asked about again, and what is found reaches them."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
from typer.testing import CliRunner

from enrichment_assets.assets.freshness import CLIENTS, freshness_batches, freshness_schedule
from enrichment_assets.cli import build_app
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.providers import build_providers
from enrichment_assets.resources.no_values import no_values
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.advancing import advance_batch, mark_extracted
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.freshness.carrying import carry_over_batch
from enrichment_assets.services.freshness.gathering import launch_freshness, plan_freshness
from enrichment_assets.services.people.suppressing import Terms, suppress
from enrichment_assets.services.systems.arriving import EXAMPLES
from enrichment_assets.services.uploads.raw_uploads import write_raw_upload
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import build_models, publish_batch_sources, publish_marts
from tests.actors import TESTER
from tests.assets.conftest import platform, run_batch_job
from tests.harness.handles import hq_of

TODAY = datetime.now(UTC).date()
KNOWN = "normalise-only"


def listed(folder: Path, names: list[str] | None = None) -> Path:
    """The sample's people as an ordinary list: what is known of them, and nothing of freshness."""
    with (EXAMPLES / "freshness.csv").open() as sample:
        people = [row for row in csv.DictReader(sample) if names is None or row["full_name"] in names]
    columns = [name for name in people[0] if not name.startswith("freshness_")]
    file = folder / f"people-{len(people)}.csv"
    with file.open("w", newline="") as made:
        writer = csv.DictWriter(made, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(people)
    return file


def launched(hq: Hq, settings: Settings, file: Path, client: str, instance: dg.DagsterInstance) -> str:
    upload = upload_file(hq, settings, file, client, actor=TESTER)
    done = launch(hq, settings, upload.upload_id, KNOWN, client=client, add_partition=adding(instance), actor=TESTER)
    return done.batch_key


def worked_on_long_ago(settings: Settings, hq: Hq, batch: str) -> None:
    """What a run does, without Dagster: items, steps, and the tables; as if it had ended 40 days ago."""
    create_items(hq, settings, batch)
    advance_batch(hq, settings, batch, providers=build_providers(settings.sandbox_url))
    write_raw_upload(hq, settings, batch)
    with hq.transaction() as connection:
        connection.execute(
            "update workflow_states set advanced_at = advanced_at - interval '40 days' "
            "where batch_id = (select id from batches where batch_key = %s)",
            [batch],
        )
    extracted(settings, hq, batch)


def extracted(settings: Settings, hq: Hq, batch: str) -> None:
    """The tables of a batch, in the warehouse and in the workspace."""
    publish_batch_sources(hq, settings, batch)
    build_models(settings, batch)
    publish_marts(hq, settings, batch)
    mark_extracted(hq, batch)


def adding(instance: dg.DagsterInstance) -> Any:
    return lambda key: instance.add_dynamic_partitions("batches", [key])


def leads(settings: Settings, batch: str) -> dict[str, tuple[bool | None, Any]]:
    """Name -> `is_active` and `last_verified` of a batch's leads, as they are published."""
    with connect(settings.workspace_database_url or "") as connection:
        rows = connection.execute(
            "select coalesce(full_name, first_name || ' ' || last_name) as name, is_active, last_verified "
            "from final_leads where batch_key = %s",
            [batch],
        ).fetchall()
    return {row["name"]: (row["is_active"], row["last_verified"]) for row in rows}


def said_by_command(settings: Settings, words: str) -> str:
    """What a command prints, of an installation without a sandbox."""
    databases = {"HQ_DATABASE_URL": settings.hq_database_url, "WORKSPACE_DATABASE_URL": settings.workspace_database_url}
    runner = CliRunner(env={"ENRICH_HOME": str(settings.home), **databases})
    return runner.invoke(build_app(), words.split()).stdout


def test_old_leads_form_a_batch_and_what_it_finds_reaches_them(
    simulated: Settings, sandbox: SandboxProcess, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    settings, hq = simulated, hq_of(simulated)
    add_client(hq, "globex", actor=TESTER)
    first = launched(hq, settings, listed(tmp_path), "acme", instance)
    second = launched(hq, settings, listed(tmp_path, ["Jakub Murphy", "Zara Santos"]), "acme", instance)
    foreign = launched(hq, settings, listed(tmp_path, ["Jakub Murphy"]), "globex", instance)
    for batch in (first, second):
        worked_on_long_ago(settings, hq, batch)
    create_items(hq, settings, foreign)
    assert plan_freshness(hq, settings, "acme", TODAY, days=41).leads == 0
    said = said_by_command(settings, "freshness --client acme --days 41")
    assert said == f"0 leads were not verified since {TODAY - timedelta(days=41)}\n", "no price, no missing key"
    suppress(hq, settings, read_identity("paula.takahashi@harborlabs.com"), Terms("said no"), actor=TESTER)

    # Two people are in both lists: they are asked about once. What it may cost is said before.
    key = f"acme-freshness-{TODAY:%Y-%m}"
    plan = plan_freshness(hq, settings, "acme", TODAY)
    assert (plan.leads, plan.batch, plan.exists, plan.until) == (12, key, False, TODAY - timedelta(days=30))
    each = {step.slug: step.cost_at_most for step in plan.steps if step.cost_at_most}
    assert each["recheck-profile"] == 12 * Decimal("0.04")
    assert plan.cost_at_most == {"USD": sum(each.values())}
    made = launch_freshness(hq, settings, "acme", TODAY, actor=TESTER, add_partition=adding(instance))
    assert made is not None and (made.batch_key, made.items, made.created) == (key, 12, True)
    assert not list(settings.home.glob("freshness-*")), "the list was kept as an upload, and nowhere else"
    run_batch_job(settings, instance, key)

    # Of the 12 leads, by the sandbox's profiles: three moved, two have another role; one person said no.
    changes = lead_changes(settings, key)
    assert changes[("Jakub Murphy", "company_name")] == ("Redwood Consulting Ltd", "Summit Labs", "enrichlayer")
    assert changes[("Jakub Murphy", "title")] == ("Operations Analyst", "Marketing Manager", "enrichlayer")
    assert changes[("Jakub Murphy", "is_active")] == ("true", "false", "local")
    assert changes[("Jakub Murphy", "replacement")][0] == "Jakub Murphy"
    assert changes[("Fatima Schmidt", "title")] == ("Regional Analyst", "Co-Founder & CEO", "enrichlayer")
    assert Counter(field for _, field in changes) >= Counter(company_name=3, replacement=3)
    assert not [name for name, _ in changes if name == "Paula Takahashi"], "who said no is not asked about"
    calls = [call for call in sandbox.calls() if call["operation"] in ("profile", "validate")]
    assert Counter(call["operation"] for call in calls) == {"profile": 9, "validate": 11}

    # Leads of both lists are told, once their tables are made anew; globex's, of the same name, are not.
    with hq.transaction() as connection:
        waiting = connection.execute("select batch_key from batches where extracted_at is null order by 1").fetchall()
    assert {row["batch_key"] for row in waiting} >= {first, second}
    extracted(settings, hq, first)
    told = leads(settings, first)
    assert told["Jakub Murphy"] == (False, TODAY) and told["Zara Santos"] == (True, TODAY)
    assert told["Paula Takahashi"] == (None, None)
    assert edits_of(hq) == {("acme", first), ("acme", second)}

    # Again: no second batch this month, nothing told twice; who is inactive, or was verified, is not due.
    again = launch_freshness(hq, settings, "acme", TODAY, actor=TESTER, add_partition=adding(instance))
    assert again is not None and (again.batch_key, again.created) == (key, False)
    assert carry_over_batch(hq, key) == 0
    left = plan_freshness(hq, settings, "acme", TODAY)
    silent = {name for name, (_, day) in told.items() if day is None}
    assert (left.exists, left.leads) == (True, len(silent))

    # A row that names leads of another client is anybody's to upload: they are not touched.
    with hq.transaction() as connection:
        connection.execute(
            "update batch_items f set original_data = f.original_data || jsonb_build_object('freshness_leads', "
            "b.batch_key || '#' || i.id) from batch_items i join batches b on b.id = i.batch_id "
            "where b.batch_key = %s and f.batch_id = (select id from batches where batch_key = %s)",
            (foreign, key),
        )
    assert carry_over_batch(hq, key) == 0
    assert edits_of(hq) == {("acme", first), ("acme", second)}


def lead_changes(settings: Settings, batch: str) -> dict[tuple[str, str], tuple[str | None, str | None, str]]:
    """(lead, field) -> old, new, and whose word it is, as published; every row says when."""
    with connect(settings.workspace_database_url or "") as connection:
        rows = connection.execute("select * from lead_changes where batch_key = %s", [batch]).fetchall()
    assert all(row["seen_at"] is not None and row["client_slug"] == "acme" for row in rows)
    return {(row["lead"], row["field"]): (row["old_value"], row["new_value"], row["source_provider"]) for row in rows}


def edits_of(hq: Hq) -> set[tuple[str, str]]:
    """Clients and batches at whose leads something was noted by freshness."""
    with hq.transaction() as connection:
        rows = connection.execute(
            "select distinct c.slug, b.batch_key from item_edits e join clients c on c.id = e.client_id "
            "join batches b on b.id = e.batch_id where e.edited_by = 'freshness'"
        ).fetchall()
    return {(row["slug"], row["batch_key"]) for row in rows}


def test_the_schedule_asks_for_every_client_of_the_month_and_another_month_makes_no_batch(
    simulated: Settings,
) -> None:
    with dg.instance_for_test() as instance:
        schedule_asks(simulated, instance)


def schedule_asks(simulated: Settings, instance: dg.DagsterInstance) -> None:
    add_client(hq_of(simulated), "globex", actor=TESTER)
    at = datetime(2026, 12, 1, 5, 20, tzinfo=UTC)
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, resources={"platform": platform(simulated)}
    )
    asked = freshness_schedule(context)
    assert isinstance(asked, list)
    keys = [request.partition_key for request in asked]
    assert keys == ["acme|2026-12-01", "globex|2026-12-01"]
    assert set(instance.get_dynamic_partitions(CLIENTS)) == {"acme", "globex"}
    assert freshness_schedule.default_status is dg.DefaultScheduleStatus.STOPPED

    def made(month: str) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [freshness_batches],
            partition_key=dg.MultiPartitionKey({"client": "acme", "month": month}),
            instance=instance,
            resources={"platform": platform(simulated), "io_manager": no_values()},
            raise_on_error=False,
        )

    now = made(TODAY.replace(day=1).isoformat())
    [event] = now.asset_materializations_for_node("freshness_batches")
    assert event.metadata["leads"].value == 0, "a client without leads has nobody to ask about"
    assert not made("2026-01-01").success
