"""The fixtures that all other tests stand on."""

from __future__ import annotations

from typing import Any

import psycopg

from enrichment_assets.installation.databases import Databases, open_databases
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect


def _client_slugs(url: str) -> list[str]:
    with connect(url) as connection:
        return [row["slug"] for row in connection.execute("select slug from clients order by slug")]


def test_a_test_starts_with_the_migrated_schema_and_no_rows(databases: Databases) -> None:
    assert _client_slugs(databases.hq) == []
    with connect(databases.hq) as connection:
        connection.execute("insert into clients (slug, name) values ('acme', 'Acme')")
    assert _client_slugs(databases.hq) == ["acme"]


def test_what_one_test_wrote_is_not_there_in_the_next(hq: psycopg.Connection[dict[str, Any]]) -> None:
    hq.execute("insert into clients (slug, name) values ('acme', 'Acme')")
    hq.commit()
    assert hq.execute("select count(*) as n from clients").fetchone() == {"n": 1}


def test_the_settings_open_to_the_databases_of_the_test(settings: Settings, databases: Databases) -> None:
    opened = open_databases(settings)
    assert (opened.hq, opened.workspace, opened.dagster) == (databases.hq, databases.workspace, databases.dagster)
    assert opened.hq != opened.workspace
    with connect(opened.dagster) as connection:
        assert connection.execute("select current_schema() as name").fetchone() == {"name": "dagster"}
