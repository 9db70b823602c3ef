"""What a freshness batch found out, written at the leads that its rows stand for, as edits by the batch."""

from __future__ import annotations

from enrichment_assets.domain.freshness import LEADS
from enrichment_assets.store.database import Connection

BY = "freshness"
COMPARED = "compare-with-known"
FIELDS = ("is_active", "last_verified")

_ADDED = """
    with said as (
        select f.client_id, f.batch_id, split_part(known.lead, '#', 1) as batch_key,
            case when split_part(known.lead, '#', 2) ~ '^[0-9]{1,18}$' then split_part(known.lead, '#', 2)::bigint end
              as item_id,
            field.name, r.fields ->> field.name as value
        from batch_items f
        join workflow_states s on s.item_id = f.id and s.workflow_slug = %(compared)s and s.outcome = 'found'
        join enrichment_results r on r.id = s.result_id
        cross join lateral regexp_split_to_table(f.original_data ->> %(leads)s, ';') as known (lead)
        cross join unnest(%(fields)s::text[]) as field (name)
        where f.batch_id = %(batch)s and r.fields ->> field.name is not null
    )
    insert into item_edits (client_id, batch_id, item_id, field, value, edited_by, note)
    select distinct i.client_id, i.batch_id, i.id, said.name, said.value, %(by)s, %(note)s
    from said
    join batches b on b.batch_key = said.batch_key and b.client_id = said.client_id and b.id <> said.batch_id
    join batch_items i on i.batch_id = b.id and i.id = said.item_id
    where not exists (
        select from item_edits e where e.item_id = i.id and e.field = said.name and e.edited_by = %(by)s
          and e.note = %(note)s and e.value = said.value)
    returning batch_id
"""


def carry_over(connection: Connection, batch_id: int, batch_key: str) -> tuple[int, int]:
    """Write what the batch found out at its clients' leads, and have their batches' tables made anew.

    A row names leads by batch and item; only those of the batch's own client are meant. Doing it again adds nothing.

    Returns:
        How many edits were written, of how many batches.
    """
    rows = connection.execute(
        _ADDED,
        {
            "compared": COMPARED,
            "leads": LEADS,
            "fields": list(FIELDS),
            "batch": batch_id,
            "by": BY,
            "note": f"batch {batch_key}",
        },
    ).fetchall()
    changed = sorted({int(row["batch_id"]) for row in rows})
    if changed:
        connection.execute(
            "update batches set extracted_at = null where id = any(%s) and finished_at is not null "
            "and retired_at is null",
            (changed,),
        )
    return len(rows), len(changed)
