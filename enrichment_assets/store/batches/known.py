"""Leads that a client has already: the statements on `known_identities` and `known_batches`.

The index is made of rows that are there, so it may be made again at any time; it is brought up to date when a batch
asks (`services.batches.known`), and costs batches that do not ask nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.domain.known_policy import CELLS
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import SkipReason
from enrichment_assets.store.database import Connection
from enrichment_assets.store.suppressions.suppressions import IN_FORCE

Row = dict[str, Any]

CHUNK = 5_000
"""Items read, hashed and written at once."""

_CELLS = ", ".join(f"i.{name}" for name in CELLS)

_COUNTS = f"""(s.status not in ('FAILED', 'CANCELLED', 'SKIPPED')
               or s.status = 'SKIPPED' and split_part(s.reason, ':', 1) = '{SkipReason.INHERITED.value}')"""
"""Condition on a state `s` of an earlier lead: something of it was answered, is under way or is still to be asked."""

EARLIER = f"""
    select e.batch_id from (
      select k.batch_id, k.item_id from known_identities k
      where k.client_id = %(client)s and k.hash = a.hash and k.batch_id <> %(batch)s order by k.item_id offset 0
    ) e
    join known_batches r on r.batch_id = e.batch_id and r.simulated = %(simulated)s
    join batches b on b.id = e.batch_id and b.given_up_at is null
    where exists (select 1 from workflow_states s where s.item_id = e.item_id and {_COUNTS})
    order by e.item_id limit 1
"""
"""The batch of the earliest lead of the client that has the hash `a.hash`, in another batch of the same world.

`offset 0`: the hash is looked up before anything is joined, also where Postgres knows nothing of a table yet.
"""

NOT_SUPPRESSED = f"""not exists (
      select 1 from suppressions s
      where s.hash = a.hash and (s.client_id is null or s.client_id = %(client)s) and {IN_FORCE})"""
"""Condition on `a.hash`: who said no is skipped for that by the run, and not as known."""

REASON = f"""
    select '{SkipReason.KNOWN.value}: in batch ' || b.batch_key
    from hashes a cross join lateral ({EARLIER}) e join batches b on b.id = e.batch_id
    where {NOT_SUPPRESSED}
    order by b.id limit 1
"""
"""Why a lead is skipped that has one of the `hashes` (a CTE or subquery with a column `hash`); no row: it is not known.

Looked up for one lead at a time, by index, however little Postgres knows of the tables.
"""


@dataclass(frozen=True, slots=True)
class ToRead:
    """A batch of which the index lacks something.

    Attributes:
        after_item: Items up to this one are in it.
        since: Answers that came before are in it; None: no answers are, or they may have changed.
        anew: It was made with another pepper.
    """

    batch_id: int
    client_id: int
    simulated: bool
    blueprint: Blueprint
    after_item: int
    since: datetime | None
    anew: bool


def take_turn(connection: Connection, client_id: int) -> None:
    """Wait until nobody else reads the client's leads or lays out a batch that asks; held until the transaction ends.

    Of two batches that are laid out at once the second knows the first one's leads.
    """
    connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('leads known of client ' || %s::text, 0))", (client_id,)
    )


def batches_to_read(connection: Connection, client_id: int, mark: bytes) -> list[ToRead]:
    """The client's batches that were laid out, but for tries and those given up, where something may be new.

    A batch that is not finished is always among them: of its answers those of the last minutes are read once more.
    """
    rows = connection.execute(
        """
        select b.id, b.client_id, b.blueprint, coalesce(k.mark <> %(mark)s, false) as anew,
               case when k.mark = %(mark)s then k.last_item else 0 end as after_item,
               case when k.mark = %(mark)s and b.finished_at is null then k.read_at - interval '10 minutes' end as since
        from batches b left join known_batches k on k.batch_id = b.id
        where b.client_id = %(client)s and b.items_created_at is not null and not b.is_try and b.given_up_at is null
          and (k.batch_id is null or k.mark <> %(mark)s or b.finished_at is null or b.finished_at >= k.read_at
               or exists (select 1 from item_edits e where e.batch_id = b.id and e.edited_at >= k.read_at))
        order by b.id
        """,
        {"client": client_id, "mark": mark},
    ).fetchall()
    return [
        ToRead(
            batch_id=row["id"],
            client_id=row["client_id"],
            simulated=bool(row["blueprint"].get("simulated")),
            blueprint=Blueprint.model_validate(row["blueprint"]),
            after_item=row["after_item"],
            since=row["since"],
            anew=row["anew"],
        )
        for row in rows
    ]


def items_after(connection: Connection, batch_id: int, after_item: int) -> Iterator[list[Row]]:
    """The cells of a batch's items behind one of them, streamed by chunks, in the order of their ids."""
    query = f"""
        select i.id, {_CELLS}, i.details -> 'email_records' as email_records from batch_items i
        where i.batch_id = %(batch)s and i.id > %(after)s order by i.id
    """
    yield from _streamed(connection, query, {"batch": batch_id, "after": after_item})


def found_since(
    connection: Connection,
    batch_id: int,
    slugs: Sequence[str],
    company_slugs: Sequence[str],
    names: Sequence[str],
    since: datetime | None,
) -> Iterator[list[Row]]:
    """Answers of these workflows and corrections, each with its item's cells, streamed by chunks.

    Columns: those of `items_after`, `fields` (only these names), and `of_company` (an answer about a company).
    """
    query = f"""
        select i.id, {_CELLS}, i.details -> 'email_records' as email_records,
               s.workflow_slug = any(%(firms)s) as of_company,
               (select jsonb_object_agg(f.key, f.value) from jsonb_each(r.fields) f
                where f.key = any(%(names)s)) as fields
        from workflow_states s
        join enrichment_results r on r.id = s.result_id
        join batch_items i on i.id = s.item_id
        where s.batch_id = %(batch)s and s.workflow_slug = any(%(slugs)s) and s.status = 'COMPLETED'
          and s.outcome = 'found' and (%(since)s::timestamptz is null or s.advanced_at >= %(since)s)
        union all
        select i.id, {_CELLS}, i.details -> 'email_records', false, jsonb_build_object(e.field, e.value)
        from item_edits e join batch_items i on i.id = e.item_id
        where e.batch_id = %(batch)s and e.field = any(%(names)s) and e.value is not null
    """
    given = {"batch": batch_id, "slugs": list(slugs), "firms": list(company_slugs), "names": list(names)}
    yield from _streamed(connection, query, {**given, "since": since})


def write(
    connection: Connection, client_id: int, batch_id: int, rows: Sequence[tuple[int, bytes]], *, compared: bool
) -> None:
    """Add identities: (item id, hashes of 32 bytes in a row) each. One that is there stays as it is."""
    connection.execute(
        f"""
        insert into known_identities (client_id, hash, item_id, batch_id, compared)
        select %(client)s, substring(g.hashes from at for {HASH_BYTES}), g.item_id, %(batch)s, %(compared)s
        from unnest(%(items)s::bigint[], %(hashes)b::bytea[]) as g(item_id, hashes)
        cross join lateral generate_series(1, length(g.hashes), {HASH_BYTES}) as at
        on conflict do nothing
        """,
        {
            "client": client_id,
            "batch": batch_id,
            "compared": compared,
            "items": [item_id for item_id, _ in rows],
            "hashes": [hashes for _, hashes in rows],
        },
    )


# one row: by its key
def note_reading(
    connection: Connection, batch_id: int, client_id: int, *, simulated: bool, mark: bytes, last: int
) -> None:
    """Say how far a batch was read; what was answered since the transaction began is read the next time."""
    connection.execute(
        """
        insert into known_batches (batch_id, client_id, simulated, mark, last_item, read_at)
        values (%s, %s, %s, %s, %s, now())
        on conflict (batch_id) do update
        set mark = excluded.mark, last_item = excluded.last_item, read_at = excluded.read_at
        """,
        (batch_id, client_id, simulated, mark, last),
    )


def forget_batch(connection: Connection, batch_id: int) -> None:
    """Take a batch out of the index, to be read anew."""
    connection.execute("delete from known_identities where batch_id = %s", (batch_id,))


def forget_person(connection: Connection, item_ids: Sequence[int], hashes: Sequence[bytes]) -> int:
    """Take an erased person out of the index: their items, and whatever else has one of their hashes."""
    return connection.execute(
        """
        delete from known_identities k using (
          select x.client_id, x.hash, x.item_id from known_identities x
          join batch_items i on i.batch_id = x.batch_id and i.id = x.item_id where i.id = any(%(items)s::bigint[])
          union
          select x.client_id, x.hash, x.item_id from clients c
          join known_identities x on x.client_id = c.id and x.hash = any(%(hashes)s::bytea[])
        ) g where k.client_id = g.client_id and k.hash = g.hash and k.item_id = g.item_id
        """,
        {"items": list(item_ids), "hashes": list(hashes)},
    ).rowcount


def known_places(
    connection: Connection, client_id: int, batch_id: int, simulated: bool, whos: Sequence[bytes]
) -> list[int]:
    """Which of these leads (hashes in a row each) the client has from other batches than this one: places from 0."""
    rows = connection.execute(
        f"""
        select g.place from unnest(%(whos)b::bytea[]) with ordinality as g(who, place)
        where exists (
          select 1 from generate_series(1, length(g.who), {HASH_BYTES}) as at
          cross join lateral (select substring(g.who from at for {HASH_BYTES}) as hash) a
          cross join lateral ({EARLIER}) e where {NOT_SUPPRESSED})
        order by g.place
        """,
        {"client": client_id, "batch": batch_id, "simulated": simulated, "whos": list(whos)},
    ).fetchall()
    return [row["place"] - 1 for row in rows]


def _streamed(connection: Connection, query: str, parameters: Row) -> Iterator[list[Row]]:
    with connection.cursor(name="known_leads") as cursor:
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(CHUNK):
            yield rows
