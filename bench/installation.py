"""What the benchmarks stand on: a home with databases of its own, batches laid out in it."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import embedded_server, open_databases, open_hq
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import insert_batch, uploads_by_id
from enrichment_assets.store.database import connect

CLIENT = "bench"


@contextmanager
def installation() -> Iterator[Settings]:
    """A fresh home on an embedded, durable server of its own; all of it is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="enrich-bench-", dir="/tmp"))
    folder.chmod(0o755)  # the server runs as another user where we are root
    settings = Settings(home=folder)
    try:
        with connect(open_databases(settings).hq) as connection:
            connection.execute("insert into clients (slug, name) values (%s, 'Bench')", (CLIENT,))
        yield settings
    finally:
        embedded_server(settings).remove()
        shutil.rmtree(folder, ignore_errors=True)


def launch(
    settings: Settings, batch_key: str, items: int, workflows: Sequence[WorkflowDefinition], client: str = CLIENT
) -> None:
    """Upload `items` people of a client and lay out their batch; a client that is not there is added."""
    with connect(open_databases(settings).hq) as connection:
        connection.execute(
            "insert into clients (slug, name) values (%s, %s) on conflict (slug) do nothing", (client, client)
        )
    path = settings.home / f"{batch_key}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["first_name", "last_name", "company_name", "company_website", "batch"])
        for n in range(items):
            writer.writerow([f"Ann{n}", f"Smith{n}", f"Company {n}", f"https://c{n}.example.com", batch_key])
    with open_hq(settings) as hq:
        upload_id = upload_file(hq, settings, path, client, actor=Actor(ActorKind.CLI, "bench")).upload_id
    pipeline = PipelineDefinition(slug="bench", steps=[workflow.slug for workflow in workflows])
    blueprint = build_blueprint(client, pipeline, {workflow.slug: workflow for workflow in workflows}, {})
    with open_hq(settings) as hq:
        with hq.transaction() as connection:
            insert_batch(connection, batch_key, uploads_by_id(connection, upload_id, client)[0], blueprint)
        create_items(hq, settings, batch_key)


def at(settings: Settings, *, sandbox_url: str, receiver_url: str) -> Settings:
    """The same home with the peers' addresses."""
    return replace(settings, sandbox_url=sandbox_url, receiver_url=receiver_url)
