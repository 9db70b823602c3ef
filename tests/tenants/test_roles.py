"""Reader roles and the platform's own: what each needs, what an upgrade leaves as it was, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from enrichment_assets.domain.client_slugs import SLUG_PATTERN
from enrichment_assets.domain.destination import Destination
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.catalog.readers import grant_reader, list_readers, revoke_reader
from enrichment_assets.settings import Settings
from enrichment_assets.store.loading import Stream, load
from enrichment_assets.store.results.destinations import BUILT_IN, ensure_table
from enrichment_assets.store.tenancy.policies import READERS
from enrichment_assets.store.tenancy.readers import LONGEST_NAME, role_name
from tests.actors import TESTER
from tests.harness.databases import PostgresServer
from tests.harness.handles import close_handles, hq_of
from tests.tenants.installation import PASSWORD, as_role, owned_databases, plain_role

FINAL_LEADS = "create table final_leads (client_slug text, batch_key text, item_id bigint, email text)"
COURSES = (
    "create table courses (client_slug text not null, batch_key text not null, item_id bigint not null, "
    "workflow_slug text not null, fetched_at timestamptz not null, title text)"
)


@pytest.fixture(scope="module")
def plain(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation of a role that may create no roles, with a workspace as a version without policies left it."""
    folder = tmp_path_factory.mktemp("plain") / "home"
    with (
        plain_role(postgres_server, rights="nocreaterole") as owner,
        owned_databases(postgres_server, owner, folder) as settings,
    ):
        open_databases(settings)
        with psycopg.connect(settings.workspace_database_url or "") as workspace:
            for table in (FINAL_LEADS, COURSES):
                workspace.execute(table)
            for client in ("acme", "globex"):
                workspace.execute("insert into final_leads values (%s, %s, 1, 'a@b.example')", [client, f"{client}-1"])
                workspace.execute("insert into courses values (%s, 'b', 1, 'w', now(), 'SQL')", [client])
        for client in ("acme", "globex"):
            add_client(hq_of(settings), client, actor=TESTER)
        yield settings


@pytest.fixture
def roles(postgres_server: PostgresServer, plain: Settings) -> Iterator[psycopg.Connection[Any]]:
    """An administrator of the server, in the workspace; what roles `made_...` it makes are gone afterwards."""
    name = urlsplit(plain.workspace_database_url or "").path[1:]
    with psycopg.connect(postgres_server.url(name), autocommit=True) as connection:
        yield connection
        close_handles()
        made = connection.execute("select rolname from pg_roles where rolname ~ '^(made_|enrich_reader_)'").fetchall()
        for (role,) in made:
            connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
        connection.execute(f"delete from {READERS}")  # type: ignore[arg-type]


def seen(settings: Settings, role: str, table: str = "final_leads") -> list[str]:
    """The clients whose rows a role sees."""
    with psycopg.connect(as_role(settings.workspace_database_url or "", role)) as connection:
        return [row[0] for row in connection.execute(f"select client_slug from {table} order by 1")]  # type: ignore[arg-type]


def test_a_slug_gives_a_name_that_needs_no_quotes_is_whole_and_is_no_others() -> None:
    slugs = ["acme", "acme-2", "a" * 63, "a" * 62 + "b", "a-" * 31 + "a", "a-" * 31 + "b", "0", "9-lives"]
    names = [role_name(slug) for slug in slugs]
    assert names[:2] == ["enrich_reader_acme", "enrich_reader_acme_2"]
    assert len(set(names)) == len(slugs)
    assert not re.fullmatch(SLUG_PATTERN, "acme_2"), "a slug has no underscore, so that a hyphen can become one"
    for name in names:
        assert len(name.encode()) <= LONGEST_NAME
        assert name.replace("_", "").isalnum() and name == name.lower()


def test_an_upgrade_protects_what_is_there_and_blinds_nobody(plain: Settings, roles: psycopg.Connection[Any]) -> None:
    roles.execute(f"create role made_analyst login password '{PASSWORD}'")
    roles.execute("grant select on final_leads to made_analyst; grant select on final_leads, courses to public")
    roles.execute(f"create role enrich_reader_acme login noinherit password '{PASSWORD}'")
    granted = grant_reader(hq_of(plain), "acme", actor=TESTER, role="enrich_reader_acme")
    assert granted.relations == ["courses", "final_leads"]
    assert granted.password is None
    forced = roles.execute("select relname from pg_class where relforcerowsecurity order by 1").fetchall()
    assert [name for (name,) in forced] == ["courses", READERS, "final_leads"]
    assert seen(plain, "enrich_reader_acme") == seen(plain, "enrich_reader_acme", "courses") == ["acme"]
    assert seen(plain, "made_analyst") == ["acme", "globex"]
    roles.execute(f"create role made_anybody login password '{PASSWORD}'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):  # it is let at no list of readers, so it sees nothing
        seen(plain, "made_anybody")
    assert seen(plain, plain_owner(plain)) == ["acme", "globex"]


def plain_owner(settings: Settings) -> str:
    return urlsplit(settings.workspace_database_url or "").username or ""


def test_where_our_role_may_create_none_the_error_names_the_role_and_an_administrator_makes_it(
    plain: Settings, roles: psycopg.Connection[Any]
) -> None:
    with pytest.raises(ConfigurationError, match="may not create the role enrich_reader_globex") as refused:
        grant_reader(hq_of(plain), "globex", actor=TESTER)
    assert refused.value.code == "reader.may_not_create_roles"
    assert refused.value.hints[0].arguments == {"client": "globex", "role": "enrich_reader_globex"}
    roles.execute("create role made_group")
    for made, why in (
        ("bypassrls", "BYPASSRLS"),
        ("superuser", "superuser"),
        ("createrole", "create roles"),
        ("in role made_group", "member of another role"),
    ):
        roles.execute(f"create role made_reader login {made}")  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match=why):
            grant_reader(hq_of(plain), "globex", actor=TESTER, role="made_reader")
        roles.execute("drop role made_reader")
    with pytest.raises(ConfigurationError, match="there is no such role"):
        grant_reader(hq_of(plain), "globex", actor=TESTER, role="made_nobody")
    with pytest.raises(ConfigurationError, match="it owns tables here"):
        grant_reader(hq_of(plain), "globex", actor=TESTER, role=plain_owner(plain))
    assert list_readers(hq_of(plain)) == []


def test_a_role_that_is_made_anew_by_somebody_else_sees_nothing(
    plain: Settings, roles: psycopg.Connection[Any]
) -> None:
    """Its name is on the list of readers; its number is not."""
    roles.execute(f"create role enrich_reader_acme login password '{PASSWORD}'")
    grant_reader(hq_of(plain), "acme", actor=TESTER, role="enrich_reader_acme")
    roles.execute("drop owned by enrich_reader_acme")
    roles.execute("drop role enrich_reader_acme")
    roles.execute(f"create role enrich_reader_acme login password '{PASSWORD}'")
    roles.execute(f"grant select on final_leads, {READERS} to enrich_reader_acme")  # type: ignore[arg-type]
    assert seen(plain, "enrich_reader_acme") == []
    assert [(one.role, one.exists) for one in list_readers(hq_of(plain))] == [("enrich_reader_acme", False)]


def test_a_revoked_reader_sees_nothing_in_an_open_session_and_a_role_of_others_is_left(
    plain: Settings, roles: psycopg.Connection[Any]
) -> None:
    roles.execute(f"create role enrich_reader_acme login password '{PASSWORD}'")
    grant_reader(hq_of(plain), "acme", actor=TESTER, role="enrich_reader_acme")
    url = as_role(plain.workspace_database_url or "", "enrich_reader_acme")
    with psycopg.connect(url, autocommit=True) as session:
        assert session.execute("select count(*) from final_leads").fetchone() == (1,)
        revoked = revoke_reader(hq_of(plain), "acme", actor=TESTER)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select count(*) from final_leads")
    assert revoked.left == "it was made by somebody else, who has to drop it"
    assert list_readers(hq_of(plain)) == []
    with pytest.raises(NotFoundError, match="has no reader role"):
        revoke_reader(hq_of(plain), "acme", actor=TESTER)


def test_a_name_that_another_installation_has_is_left_to_it(
    postgres_server: PostgresServer, plain: Settings, roles: psycopg.Connection[Any]
) -> None:
    roles.execute("create role enrich_reader_acme")
    roles.execute(sql.SQL("alter role {} createrole").format(sql.Identifier(plain_owner(plain))))
    try:
        granted = grant_reader(hq_of(plain), "acme", actor=TESTER, password=PASSWORD)
        assert granted.reader.role.startswith("enrich_reader_acme_")
        assert seen(plain, granted.reader.role) == ["acme"]
        renewed = grant_reader(hq_of(plain), "acme", actor=TESTER, renew=True)
        assert renewed.reader.role == granted.reader.role
        assert renewed.password is not None and len(renewed.password) > 20
        roles.execute(sql.SQL("create table extra (x int)"))
        roles.execute(sql.SQL("grant select on extra to {}").format(sql.Identifier(granted.reader.role)))
        left = revoke_reader(hq_of(plain), "acme", actor=TESTER).left
        assert left is not None
        assert "extra" in left
        assert roles.execute(
            "select rolcanlogin from pg_roles where rolname = %s", [granted.reader.role]
        ).fetchone() == (False,)
    finally:
        roles.execute(sql.SQL("alter role {} nocreaterole").format(sql.Identifier(plain_owner(plain))))


def write_all(rows: Sequence[Sequence[Any]], stream: Stream) -> None:
    for row in rows:
        stream.write_row(row)


def test_one_role_migrates_and_another_works_and_lets_readers_in(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """In one database: the worker owns its results, reads and writes HQ's tables, and changes none of them."""
    name = postgres_server.create()
    with plain_role(postgres_server, rights="") as owner, plain_role(postgres_server) as worker:
        with psycopg.connect(postgres_server.url(name), autocommit=True) as admin:
            for statement in (
                "create schema hq authorization {0}",
                "create schema workspace authorization {1}",
                "create schema dagster authorization {1}",
                "alter role {0} in database {2} set search_path = hq",
                "alter role {1} in database {2} set search_path = workspace, hq",
            ):
                admin.execute(sql.SQL(statement).format(*map(sql.Identifier, (owner, worker, name))))
        url = as_role(postgres_server.url(name), worker)
        settings = Settings(
            home=tmp_path / "home", hq_database_url=url, hq_direct_url=as_role(postgres_server.url(name), owner)
        )
        open_databases(settings)
        columns = {"title": "fields.title"}
        destination = Destination.model_validate({"table": "courses", "create": True, "columns": columns})
        with hq_of(settings).workspace.transaction() as workspace:
            ensure_table(workspace, destination, "find")
        for client in ("acme", "globex"):
            add_client(hq_of(settings), client, actor=TESTER)
            with hq_of(settings).workspace.transaction() as workspace:
                rows = [(client, f"{client}-1", 1, "find", "now", "SQL")]
                load(workspace, "courses", [*BUILT_IN, "title"], partial(write_all, rows))
        reader = grant_reader(hq_of(settings), "acme", actor=TESTER, password=PASSWORD).reader.role
        with psycopg.connect(as_role(postgres_server.url(name), reader)) as connection:
            assert connection.execute("select client_slug from courses").fetchall() == [("acme",)]
            with pytest.raises(psycopg.errors.UndefinedTable):  # HQ's schema is not the reader's to use
                connection.execute("select * from clients")
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("alter table hq.clients disable row level security")
        assert revoke_reader(hq_of(settings), "acme", actor=TESTER).left is None
        close_handles()
        postgres_server.drop(name)
