"""A batch with nothing left to do is not run: no Dagster is loaded, and none of its history is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from enrichment_assets.installation.warm_commands import TOLD
from enrichment_assets.services.batches.freshness import nothing_left
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse
from enrichment_assets.warehouse.files import Layout
from tests.actors import TESTER
from tests.assets.test_batch_run import launched
from tests.harness.handles import hq_of

PROGRAM = """
import sys
from enrichment_assets.cli import main
try:
    main()
finally:
    print("loaded:", sorted(m for m in ("dagster", "aiohttp", "pandas") if sys.modules.get(m)), file=sys.stderr)
"""
Row = dict[str, object]


def run(settings: Settings, batch: str, *options: str, **more: str) -> str:
    """`enrich run` in a process of its own; what it says beside its answer."""
    environment = {
        **os.environ,
        **more,
        "ENRICH_HOME": str(settings.home),
        "ENRICH_SANDBOX_URL": settings.sandbox_url or "",
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "DAGSTER_DATABASE_URL": settings.dagster_database_url or "",
    }
    command = [sys.executable, "-c", PROGRAM, "run", batch, *options]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stderr


def runs_of(settings: Settings) -> int:
    """Runs in Dagster's history."""
    with psycopg.connect(settings.dagster_database_url or "") as dagster:
        found = dagster.execute("select count(*) from runs").fetchone()
    return int(found[0]) if found else 0


def test_a_batch_is_run_until_nothing_is_left_and_again_when_something_is(
    simulated: Settings, people: Path, hq: psycopg.Connection[Row]
) -> None:
    batch, handle = launched(simulated, people, "normalise-name"), hq_of(simulated)
    assert not nothing_left(handle, simulated, batch)
    assert "dagster" in run(simulated, batch)
    assert nothing_left(handle, simulated, batch)

    before = runs_of(simulated)
    said = run(simulated, batch)
    assert f"Nothing is left to do for {batch}" in said and f"enrich run {batch} --again" in said
    assert "'dagster'" not in said and "'pandas'" not in said
    assert runs_of(simulated) == before

    run(simulated, batch, "--again")
    assert runs_of(simulated) > before
    assert nothing_left(handle, simulated, batch)

    layout = Layout.of(simulated)
    leads, organisations = layout.model("final_leads", "acme", batch), layout.analytics("organisations")
    for path in (leads, organisations):
        kept = path.stat().st_mtime_ns
        os.utime(path, ns=(0, 0))  # older than the SQL, or than the batch's own tables
        assert not nothing_left(handle, simulated, batch), path
        os.utime(path, ns=(kept, kept))
    written = [path for room in ("sources", "models") for path in layout.root.glob(f"{room}/*/*/{batch}.parquet")]
    assert len(written) > 15
    for path in (*written, organisations, layout.analytics("organisation_aliases"), layout.root / "lead_columns.json"):
        path.rename(path.with_suffix(".gone"))
        assert not nothing_left(handle, simulated, batch), path
        path.with_suffix(".gone").rename(path)
        assert nothing_left(handle, simulated, batch), path

    column = (
        "update enrichment_registry set definition = jsonb_set(definition, '{columns}', %s) where workflow_slug = %s"
    )
    declared = '{"normal_name": {"type": "text", "description": "A name."}}'
    for columns, is_left in ((declared, True), ("{}", False)):
        hq.execute(column, [columns, "normalise-name"])
        hq.commit()
        assert nothing_left(handle, simulated, batch) is not is_left

    for change in (
        "update batches set finished_at = null",
        "update batches set extracted_at = finished_at - interval '1 s'",
        "insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256) "
        "select client_id, id, 0, '{}', '', '' from batches",
    ):
        hq.execute(change)
        hq.commit()
        assert not nothing_left(handle, simulated, batch), change
        hq.execute("update batches set finished_at = now() - interval '1 hour', extracted_at = now()")
        hq.execute("delete from callback_inbox")
        hq.commit()
        assert nothing_left(handle, simulated, batch), change

    item = hq.execute("select min(item_id) as id from workflow_states").fetchone()
    assert item is not None
    edit_lead(handle, simulated, batch, int(str(item["id"])), "title", "Countess", actor=TESTER, by="test")
    assert not nothing_left(handle, simulated, batch)


def test_the_next_run_of_a_home_is_given_to_the_copy_that_the_first_one_left(simulated: Settings, people: Path) -> None:
    first, handle = launched(simulated, people, "normalise-name"), hq_of(simulated)
    second = launch(
        handle, simulated, 1, "steps", client="acme", batch_key="second", add_partition=lambda _: None, actor=TESTER
    ).batch_key
    assert "dagster" in run(simulated, first, ENRICH_WARM_MINUTES="5")
    copy = json.loads((simulated.home / TOLD).read_text())["pid"]
    try:
        given = run(simulated, second, "--json", ENRICH_WARM_MINUTES="5")
        assert given.splitlines()[-1] == "loaded: []"
        assert nothing_left(handle, simulated, second)
        assert os.getpgid(copy)
    finally:
        (simulated.home / TOLD).unlink()
    with open_warehouse(simulated) as warehouse:
        counted = warehouse.execute("select batch_key, count(*) from final_leads group by 1 order by 1").fetchall()
    assert dict(counted) == {first: 4, second: 4}
