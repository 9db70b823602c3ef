"""An installation with a client, an upload and a sandbox, for tests that run assets and sensors."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from enrichment_assets.assets.jobs import BATCH_JOB
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.code_location import build_definitions
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of


@pytest.fixture
def sandbox(sandbox: SandboxProcess) -> SandboxProcess:
    """The session's sandbox; callbacks are held until a test lets them go."""
    sandbox.configure(hold_callbacks=True)
    return sandbox


@pytest.fixture
def simulated(settings: Settings, sandbox: SandboxProcess) -> Settings:
    """The test's installation, with every provider at the sandbox and the client `acme`."""
    add_client(hq_of(settings), "acme", "Acme", actor=TESTER)
    return replace(settings, sandbox_url=sandbox.url)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's own, kept in memory: storage in files writes each event to disk, which takes half of a run's time."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A list of four people at two companies."""
    path = tmp_path / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["First Name", "Last Name", "Company", "Website"])
        rows.writerows(
            [
                ["Ada", "Byron", "Analytical Engines", "https://engines.example"],
                ["Charles", "Babbage", "Analytical Engines", "https://engines.example"],
                ["Mary", "Somerville", "Mechanism Ltd", "https://mechanism.example"],
                ["Luigi", "Menabrea", "Mechanism Ltd", "https://mechanism.example"],
            ]
        )
    return path


def drop(settings: Settings, pipeline: str, name: str, content: bytes) -> Path:
    """Put a file into the inbox of the client `acme`; it has arrived whole."""
    path = settings.inbox_dir / "acme" / pipeline / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))
    return path


def platform(settings: Settings) -> PlatformResource:
    """The settings as the resource that assets and sensors are given."""
    return PlatformResource(
        home=str(settings.home),
        hq_database_url=settings.hq_database_url,
        workspace_database_url=settings.workspace_database_url,
        dagster_database_url=settings.dagster_database_url,
        receiver_url=settings.receiver_url,
        sandbox_url=settings.sandbox_url,
    )


def run_batch_job(
    settings: Settings,
    instance: dg.DagsterInstance,
    batch_key: str,
    assets: list[str] | None = None,
    *,
    raise_on_error: bool = True,
) -> dg.ExecuteInProcessResult:
    """Run the batch job (or some of its assets) on one batch, in this process, on a real instance."""
    instance.add_dynamic_partitions(PARTITIONS_NAME, [batch_key])
    job = build_definitions(platform=platform(settings)).resolve_job_def(BATCH_JOB)
    return job.execute_in_process(
        partition_key=batch_key,
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in assets] if assets else None,
        run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
        raise_on_error=raise_on_error,
    )


def materialised(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, object]]:
    """Asset -> metadata values of what a run materialised."""
    return {
        event.asset_key.to_user_string(): {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
