"""Which currency each workflow of each batch is paid in."""

from __future__ import annotations

from enrichment_assets.store.database import Connection


def currencies_of_batches(connection: Connection) -> dict[str, dict[str, str]]:
    """Batch key -> workflow slug -> currency, of steps that can cost something."""
    rows = connection.execute(
        """
        select b.batch_key, s -> 'workflow' ->> 'slug' as slug,
               coalesce(s -> 'workflow' -> 'price' ->> 'currency', 'USD') as currency
        from batches b cross join jsonb_array_elements(b.blueprint -> 'steps') as s
        where s -> 'workflow' ->> 'mode' <> 'local'
        """
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["batch_key"], {})[row["slug"]] = row["currency"]
    return found
