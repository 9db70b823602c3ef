"""An installation whose role is no superuser and has no BYPASSRLS, with two clients' rows in every table there is."""

from __future__ import annotations

import datetime
import decimal
import itertools
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import Table

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.catalog.readers import Granted, grant_reader, revoke_reader
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.tables import metadata
from enrichment_assets.store.tables.tenants import Tenant, tenant_of
from enrichment_assets.store.tenancy.policies import READERS
from enrichment_assets.warehouse import (
    build_analytics,
    build_models,
    publish_batch_sources,
    publish_marts,
    publish_organisations,
)
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, people, step
from tests.harness.databases import PostgresServer
from tests.harness.handles import close_handles, hq_of
from tests.warehouse.hq_data import Answer, Lead, seed_batch

CLIENTS = ("acme", "globex")
PASSWORD = "a password of the tests"
COLUMNS = {"id": {"from": "payload.id"}, "first_name": {"from": "item.first_name"}}

CONSTRAINTS = """
    select c.relname, o.conname from pg_constraint o join pg_class c on c.oid = o.conrelid
    where o.contype in ('c', 'f') and o.connamespace = 'public'::regnamespace order by o.contype desc
"""
BATCHES = """
    select c.id, min(b.id) from clients c join batches b on b.client_id = c.id where c.slug = any(%s)
    group by c.id, c.slug order by c.slug
"""

_numbers = itertools.count(1)


@dataclass
class Installation:
    """Settings of the plain role, the server's own URLs, and each client's reader."""

    settings: Settings
    hq: str
    workspace: str
    owner: str
    readers: dict[str, Granted]
    batches: dict[str, Launched]

    def hq_as(self, client: str) -> str:
        """HQ, as the client's reader."""
        return as_role(self.hq, self.readers[client].reader.role)

    def workspace_as(self, client: str) -> str:
        """The workspace, as the client's reader."""
        return as_role(self.workspace, self.readers[client].reader.role)


def as_role(url: str, role: str) -> str:
    """The same database as another role."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(PASSWORD)}@{parts.netloc.rpartition('@')[2]}"))


@contextmanager
def plain_role(server: PostgresServer, *, rights: str = "createrole") -> Iterator[str]:
    """A role that logs in and has these rights, for as long as the block lasts."""
    name = f"test_{os.getpid()}_plain_{next(_numbers)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        made = sql.SQL("create role {} login nosuperuser nobypassrls {} password {}")
        connection.execute(made.format(sql.Identifier(name), sql.SQL(rights), sql.Literal(PASSWORD)))
        yield name
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


@contextmanager
def owned_databases(server: PostgresServer, owner: str, folder: Path) -> Iterator[Settings]:
    """Two empty databases of a role, and the settings of an installation that uses them as that role."""
    names = [server.create(), server.create()]
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for name in names:
            owned = sql.SQL("alter database {} owner to {}")
            connection.execute(owned.format(sql.Identifier(name), sql.Identifier(owner)))
    hq, workspace = (as_role(server.url(name), owner) for name in names)
    yield Settings(home=folder, hq_database_url=hq, workspace_database_url=workspace)
    close_handles()
    for name in names:
        server.drop(name)


@contextmanager
def two_clients(server: PostgresServer, sandbox: SandboxProcess, folder: Path) -> Iterator[Installation]:
    """Both clients with a batch that the engine ran, one that was extracted and published, and a reader."""
    with plain_role(server) as owner, owned_databases(server, owner, folder / "home") as made:
        settings = replace(made, sandbox_url=sandbox.url)
        open_databases(settings)
        urls = (made.hq_database_url, made.workspace_database_url)
        hq, workspace = (server.url(urlsplit(url or "").path[1:]) for url in urls)
        installation = Installation(settings, hq, workspace, owner, {}, {})
        handle = hq_of(settings)
        with connect(settings.hq_database_url or "") as connection:
            harness = BatchHarness(settings, connection, sandbox, folder)
            for client in CLIENTS:
                installation.batches[client] = _run(harness, client)
                _extract(installation, client)
        build_analytics(settings)
        publish_organisations(handle, settings)
        for client in CLIENTS:
            installation.readers[client] = grant_reader(handle, client, actor=TESTER, password=PASSWORD)
        yield installation
        for client in CLIENTS:
            assert revoke_reader(hq_of(settings), client, actor=TESTER).left is None


def _run(harness: BatchHarness, client: str) -> Launched:
    """Three people of a client through a step that stores what it finds in a table of its own."""
    destination = {"table": "found_people", "create": True, "columns": COLUMNS}
    batch = harness.launch(
        people(3, first_name=f"{client} person"), step("find", destination=destination), client=client
    )
    batch.run()
    store_results(hq_of(harness.settings), batch.key)
    return batch


def _extract(installation: Installation, client: str) -> None:
    """A batch with an answer that fills the marts, put into HQ as if it had run."""
    jobs = [{"organization_name": f"{client} works", "organization_id": client, "title": "CTO"}]
    schools = [{"organization_name": f"University of {client}", "degree": "BSc"}]
    payload = {"person": {"employment_history": jobs, "education_history": schools}}
    fields = {"email": f"ada@{client}.example", "phone": "+4930123456"}
    lead = Lead(
        {"full_name": f"Ada of {client}", "email": f"ada@{client}.example", "company_name": f"{client} works"},
        [Answer("match-person-via-apollo", payload, fields)],
    )
    key = f"{client}-seeded"
    with connect(installation.hq) as connection:
        seed_batch(connection, [lead, lead], batch_key=key, client=client)
    handle, settings = hq_of(installation.settings), installation.settings
    publish_batch_sources(handle, settings, key)
    build_models(settings, key)
    publish_marts(handle, settings, key)


def fill_every_table(hq: str) -> dict[str, dict[int, int]]:
    """A row of each client in every table of HQ that belongs to clients: table -> client id -> rows there are then.

    As a superuser, without checks and foreign keys: what a table means by its values does not matter here, and so a
    table that comes later is filled like all others.
    """
    with psycopg.connect(hq, autocommit=True) as connection:
        for table, constraint in connection.execute(CONSTRAINTS).fetchall():
            drop = sql.SQL("alter table {} drop constraint {}")
            connection.execute(drop.format(sql.Identifier(table), sql.Identifier(constraint)))
        batches: dict[int, int] = dict(connection.execute(BATCHES, [[*CLIENTS]]).fetchall())
        counts = {
            table.name: _fill(connection, table, tenant, batches)
            for table in metadata.tables.values()
            if (tenant := tenant_of(table)) and tenant.column and table.name not in ("clients", READERS)
        }
        connection.execute("analyze")
    return counts


def _fill(
    connection: psycopg.Connection[Any], table: Table, tenant: Tenant, batches: Mapping[int, int]
) -> dict[int, int]:
    """A row of each client (id -> id of a batch); client id -> its rows in the table."""
    counts = {}
    for client, batch in batches.items():
        owner = sql.Identifier(tenant.column or "")
        _insert(connection, table, tenant.column or "", client if tenant.parent is None else batch)
        mine = "{} = %s" if tenant.parent is None else "{} in (select id from batches where client_id = %s)"
        count = sql.SQL("select count(*) from {} where ").format(sql.Identifier(table.name))
        row = connection.execute(count + sql.SQL(mine).format(owner), [client]).fetchone()
        counts[client] = int(row[0]) if row else 0
    return counts


def _insert(connection: psycopg.Connection[Any], table: Table, owner: str, value: int) -> None:
    number = next(_numbers)
    values: dict[str, Any] = {owner: value}
    for column in table.columns:
        needed = not column.nullable and column.server_default is None and column.identity is None
        if column.name != owner and (needed or (column.unique and column.server_default is None)):
            values[column.name] = _value(column.type.python_type, number)
    columns = sql.SQL(", ").join(map(sql.Identifier, values))
    given = sql.SQL(", ").join(sql.Placeholder() for _ in values)
    insert = sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(table.name), columns, given)
    connection.execute(insert, list(values.values()))


def _value(kind: type, number: int) -> Any:
    """A value of a Python type that no other row has, where the type has so many."""
    made = {
        str: f"made-up-{number}",
        int: 1_000 + number,
        float: float(number),
        bool: True,
        bytes: f"made up {number}".encode(),
        decimal.Decimal: decimal.Decimal(1),
        uuid.UUID: uuid.UUID(int=number),
        datetime.datetime: datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        datetime.date: datetime.date(2026, 1, 1),
        dict: psycopg.types.json.Jsonb({"number": number}),
        list: [],
    }
    return made[kind]
