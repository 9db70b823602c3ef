"""Views of systems: made where what they read is there, made anew when they change, and as whoever asks reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from enrichment_assets.installation.migrating import is_current, migrate
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection, connect
from enrichment_assets.store.views.making import View, digest, ensure_views, standing, views
from tests.harness.databases import PostgresServer
from tests.tenants.installation import owned_databases, plain_role

COUNTED = View("trial", "trial", "clients_counted", "select count(*) as clients from clients", "")


def columns(connection: Connection, name: str) -> list[str]:
    found = connection.execute(sql.SQL("select * from {} limit 0").format(sql.Identifier(*name.split("."))))
    return [column.name for column in found.description or []]


def test_a_view_is_made_once_and_again_when_its_file_changes(settings: Settings) -> None:
    with connect(settings.hq_database_url or "", autocommit=True) as connection:
        assert ensure_views(connection, [COUNTED]) == [COUNTED]
        assert ensure_views(connection, [COUNTED]) == []
        invoker = "select reloptions from pg_class where oid = 'trial.clients_counted'::regclass"
        assert connection.execute(invoker).fetchone() == {"reloptions": ["security_invoker=true"]}

        more = replace(COUNTED, query="select count(*) as clients, now() as at from clients")
        other = replace(COUNTED, query="select max(id) as newest from clients")
        for changed, shown in ((more, ["clients", "at"]), (other, ["newest"])):
            assert ensure_views(connection, [changed]) == [changed]
            assert columns(connection, "trial.clients_counted") == shown


def test_a_view_waits_for_what_it_reads_and_stands_in_nobodys_way(settings: Settings) -> None:
    later = View("trial", None, "trial_leads", "select name from trial_source", "")
    with connect(settings.hq_database_url or "", autocommit=True) as connection:
        assert ensure_views(connection, [later, COUNTED]) == [COUNTED]
        connection.execute("create table trial_source (title text)")
        assert ensure_views(connection, [later]) == [], "its column is not there yet"
        connection.execute("alter table trial_source add column name text")
        assert ensure_views(connection, [later]) == [later]
        assert columns(connection, "trial_leads") == ["name"]


def test_a_view_that_somebody_built_upon_is_not_taken_away(settings: Settings) -> None:
    other = replace(COUNTED, query="select max(id) as newest from clients")
    with connect(settings.hq_database_url or "", autocommit=True) as connection:
        ensure_views(connection, [COUNTED])
        connection.execute("create view mine as select clients from trial.clients_counted")
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            ensure_views(connection, [other])
        assert connection.execute("select clients from mine").fetchone() == {"clients": 0}


def test_a_role_that_may_make_no_schema_goes_without_until_an_administrator_makes_it(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with plain_role(postgres_server) as owner, owned_databases(postgres_server, owner, tmp_path) as made:
        url, role = made.hq_database_url or "", sql.Identifier(owner)
        superuser = postgres_server.url(urlsplit(url).path[1:])
        with psycopg.connect(superuser, autocommit=True) as admin, connect(url, autocommit=True) as connection:
            database = sql.Identifier(urlsplit(url).path[1:])
            admin.execute(sql.SQL("alter database {} owner to current_user").format(database))
            admin.execute(sql.SQL("grant create on schema public to {}").format(role))
            migrate(url)
            assert (standing(connection, "hq"), is_current(connection)) == ([], True)
            admin.execute(sql.SQL("create schema agency authorization {}").format(role))
            assert not is_current(connection), "it is seen at the next start"
            migrate(url)
            assert {view.schema for view in standing(connection, "hq")} == {"agency"}
            assert is_current(connection)
            admin.execute(sql.SQL("alter database {} owner to {}").format(database, role))
            admin.execute(sql.SQL("revoke create on schema public from {}").format(role))


def test_all_views_of_hq_are_there_after_migrating_and_a_changed_file_is_seen_at_the_next_start(
    settings: Settings,
) -> None:
    with connect(settings.hq_database_url or "", autocommit=True) as connection:
        assert standing(connection, "hq") == list(views("hq"))
        note = "select obj_description(oid, 'pg_policy') as note from pg_policy where polname = 'enrich_works'"
        notes: list[dict[str, Any]] = connection.execute(note).fetchall()
        assert any(digest("hq") in (row["note"] or "") for row in notes), "so that changed files are seen at the start"


def test_every_file_of_a_view_says_what_its_rows_are() -> None:
    for view in (*views("hq"), *views("workspace")):
        assert view.query.startswith("-- "), view.name
        assert (view.schema or view.system).isidentifier(), view.name
