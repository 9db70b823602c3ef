"""No table is forgotten: each says whose its rows are, and is protected as it says, in a migrated database."""

from __future__ import annotations

import psycopg
from sqlalchemy import BigInteger, Column, MetaData, Table

from enrichment_assets.installation.databases import Databases
from enrichment_assets.store.tables import metadata
from enrichment_assets.store.tables.tenants import OWN, Tenant, tenant_of
from enrichment_assets.store.tenancy.policies import READERS

NO_CLIENTS = ("alembic_version", "schema_revision")
"""Numbers of migrations."""

PROTECTED = """
    select c.relname, c.relrowsecurity and c.relforcerowsecurity,
      array(select p.polname::text from pg_policy p where p.polrelid = c.oid order by 1)
    from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1
"""


def undeclared(tables: MetaData) -> list[str]:
    """Tables that do not say whose their rows are, or say it of a column or table that is not there."""
    found = []
    for table in tables.tables.values():
        tenant = tenant_of(table)
        named = tenant is not None and (tenant.column is None or tenant.column in table.columns)
        reached = tenant is None or tenant.parent is None or tenant.parent in tables.tables
        if not (named and reached):
            found.append(table.name)
    return found


def test_every_table_says_whose_its_rows_are() -> None:
    assert undeclared(metadata) == [], "declare them: CONTRIBUTING.md, Changing the schema"


def test_a_table_that_says_nothing_or_names_no_column_of_its_own_is_found() -> None:
    made = MetaData()
    Table("silent", made, Column("client_id", BigInteger))
    Table("elsewhere", made, Column("owner", BigInteger), info=OWN)
    Table("said", made, Column("client_id", BigInteger), info=OWN)
    assert undeclared(made) == ["silent", "elsewhere"]


def test_a_table_that_names_a_client_is_the_clients() -> None:
    """No table with a client's id passes for one of the platform's."""
    for table in metadata.tables.values():
        if "client_id" in table.columns:
            assert tenant_of(table) == Tenant("client_id"), table.name


def test_a_table_of_no_client_says_why() -> None:
    said = {table.name: tenant_of(table) for table in metadata.tables.values()}
    assert [name for name, tenant in said.items() if tenant and tenant.column is None and len(tenant.why) < 10] == []


def test_every_table_of_hq_is_protected_as_it_is_declared(databases: Databases) -> None:
    with psycopg.connect(databases.hq) as connection:
        found = {name: (forced, policies) for name, forced, policies in connection.execute(PROTECTED)}
    assert set(found) == {*metadata.tables, *NO_CLIENTS}
    for name, (forced, policies) in found.items():
        if name in NO_CLIENTS:
            continue
        tenant = tenant_of(metadata.tables[name])
        of_a_client = name == READERS or (tenant is not None and tenant.column is not None)
        assert forced, name
        assert policies == (["enrich_reads", "enrich_works"] if of_a_client else ["enrich_works"]), name
