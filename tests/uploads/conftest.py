"""Clients, uploads and batches for these tests, made by SQL where the platform has no smaller way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from enrichment_assets.services.uploads.upload import UploadReport, upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

Connection = psycopg.Connection[dict[str, Any]]

RULES = ["apollo_account_id", "company_linkedin_url", "name_and_host", "company_name", "company_host"]


@pytest.fixture
def client(hq: Connection) -> str:
    """A client `acme`."""
    hq.execute("insert into clients (slug, name) values ('acme', 'Acme')")
    hq.commit()
    return "acme"


@pytest.fixture
def upload(settings: Settings, client: str, tmp_path: Path) -> Callable[..., UploadReport]:
    """Upload bytes as a file of `acme`."""

    def upload_bytes(content: bytes, filename: str = "leads.csv") -> UploadReport:
        path = tmp_path / filename
        path.write_bytes(content)
        return upload_file(hq_of(settings), settings, path, client, actor=TESTER)

    return upload_bytes


@pytest.fixture
def batch(hq: Connection) -> Callable[..., str]:
    """Make a batch of an upload with two local steps; its key."""

    def make(upload_id: int, key: str = "acme-1", rules: list[str] | None = None) -> str:
        steps = [
            {
                "position": position,
                "workflow": {
                    "slug": slug, "title": slug, "step": position, "provider": "local", "operation": slug,
                    "mode": "local",
                },
                "registry_version": "1",
            }
            for position, slug in enumerate(("normalise-name", "normalise-domain"))
        ]  # fmt: skip
        blueprint = {"client": "acme", "pipeline": "p", "company_identity": rules or RULES, "steps": steps}
        hq.execute(
            """
            insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint)
            select %s, client_id, id, 'p', %s from uploads where id = %s
            """,
            (key, Jsonb(blueprint), upload_id),
        )
        hq.commit()
        return key

    return make


@pytest.fixture(scope="session")
def officials() -> Path:
    """The real people file of `shared/data`, which lies beside the repository."""
    return Path(__file__).parents[1] / "data" / "officials" / "people.csv"
