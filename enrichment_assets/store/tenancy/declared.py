"""Which rows of each table of HQ a client's reader may see, out of what `store/tables` declares."""

from __future__ import annotations

from psycopg import sql

from enrichment_assets.store.tables import metadata
from enrichment_assets.store.tables.tenants import Tenant, tenant_of
from enrichment_assets.store.tenancy.policies import READERS, Rows, own_entry, rows_of_client


def hq_tables() -> dict[str, Rows]:
    """Every table of HQ, `enrich_readers` first, for the others' policies name it."""
    tables = {name: _rows(tenant_of(table)) for name, table in metadata.tables.items() if name != READERS}
    return {READERS: own_entry(), **tables}


def _rows(tenant: Tenant | None) -> Rows:
    """A table that declares nothing shows nothing."""
    if tenant is None or tenant.column is None:
        return None
    if tenant.parent is None:
        return rows_of_client(tenant.column)
    above = tenant_of(metadata.tables[tenant.parent])
    rows = _rows(above)
    if rows is None:
        return None
    return sql.SQL("{} in (select p.id from {} p where p.{})").format(
        sql.Identifier(tenant.column), sql.Identifier(tenant.parent), rows
    )
