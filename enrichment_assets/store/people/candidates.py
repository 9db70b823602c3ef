"""Items among which a person is looked for, and what is known of those that are theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.database import Connection

Row = dict[str, Any]

_CHUNK = 5_000
_FIELDS = ", ".join(f"i.{name}" for name in IDENTITY_FIELDS)


def items_like(
    connection: Connection, clients: Sequence[int] | None, pattern: str | None, batches: Sequence[int] | None = None
) -> Iterator[Row]:
    """Items that may be a person's, streamed: id, identity columns, details, and the fields of one result or null.

    Args:
        connection: HQ database.
        clients: Ids of the clients in question; None: all.
        pattern: What the person's cells or a result's fields match (`~*`); None: whoever is there.
        batches: Ids of the batches that alone count; None: all.
    """
    query = f"""
        select i.id, {_FIELDS}, i.details, null::jsonb as fields from batch_items i
        where (%(clients)s::bigint[] is null or i.client_id = any(%(clients)s))
          and (%(batches)s::bigint[] is null or i.batch_id = any(%(batches)s))
          and (%(pattern)s::text is null or concat_ws(' ', i.email, i.linkedin_url, i.details::text) ~* %(pattern)s)
        union all
        select i.id, {_FIELDS}, i.details, r.fields from enrichment_results r join batch_items i on i.id = r.item_id
        where (%(clients)s::bigint[] is null or r.client_id = any(%(clients)s))
          and (%(batches)s::bigint[] is null or r.batch_id = any(%(batches)s))
          and (%(pattern)s::text is null or r.fields::text ~* %(pattern)s) and r.fields <> '{{}}'
    """
    with connection.cursor(name="candidates") as cursor:
        cursor.itersize = _CHUNK
        given = {"clients": None if clients is None else list(clients), "pattern": pattern}
        cursor.execute(query, {**given, "batches": None if batches is None else list(batches)})
        yield from cursor


def known_of(connection: Connection, items: Sequence[int]) -> list[Row]:
    """All that is known of these items: id, batch, company, identity columns, original cells, and all fields found."""
    return connection.execute(
        f"""
        select i.id, i.client_id, i.batch_id, i.row_number, i.company_key, {_FIELDS}, i.details, i.original_data,
               (select coalesce(jsonb_agg(r.fields), '[]') from enrichment_results r where r.item_id = i.id) as found,
               (select coalesce(jsonb_agg(jsonb_build_object(e.field, e.value)), '[]')
                from item_edits e where e.item_id = i.id) as edited
        from batch_items i where i.id = any(%s) order by i.id
        """,
        (list(items),),
    ).fetchall()


def held_by_others(connection: Connection, values: Sequence[str], items: Sequence[int]) -> set[str]:
    """Which of these addresses and numbers (lower case) other items have too: a mailbox or a switchboard of many."""
    if not values:
        return set()
    rows = connection.execute(
        """
        select distinct v.value from batch_items i
        cross join lateral (values (lower(i.email)), (i.phone), (i.company_phone)) as v(value)
        where v.value = any(%s) and not i.id = any(%s)
        """,
        (list(values), list(items)),
    )
    return {row["value"] for row in rows}


def batches_of(connection: Connection, items: Sequence[int]) -> list[str]:
    """Keys of the batches that these items are in."""
    rows = connection.execute(
        "select distinct b.batch_key from batch_items i join batches b on b.id = i.batch_id where i.id = any(%s)",
        (list(items),),
    )
    return sorted(row["batch_key"] for row in rows)


def rows_in_uploads(connection: Connection, items: Sequence[int]) -> dict[int, set[int]]:
    """Upload id -> numbers of the rows that became these items."""
    found: dict[int, set[int]] = {}
    rows = connection.execute(
        """
        select b.upload_id, i.row_number from batch_items i join batches b on b.id = i.batch_id
        where i.id = any(%s) and i.row_number > 0 and b.upload_id is not null
        """,
        (list(items),),
    )
    for row in rows:
        found.setdefault(row["upload_id"], set()).add(row["row_number"])
    return found


def rows_in_batches(connection: Connection, items: Sequence[int]) -> dict[str, set[int]]:
    """Batch -> numbers of the uploaded rows that became these items."""
    found: dict[str, set[int]] = {}
    rows = connection.execute(
        """
        select b.batch_key, i.row_number from batch_items i join batches b on b.id = i.batch_id
        where i.id = any(%s) and i.row_number > 0
        """,
        (list(items),),
    )
    for row in rows:
        found.setdefault(row["batch_key"], set()).add(row["row_number"])
    return found
