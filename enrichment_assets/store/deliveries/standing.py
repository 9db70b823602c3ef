"""What stands for leads at destinations: the statements on `deliveries` that go with intents and with their endings.

They are parts of the ledger's own statements (`store.calls.intents`, `store.calls.ledger`): what stands there moves in
the transaction in which its call is intended, and in which it ends. Of two runs that mean the same lead one has the
call, by its key; the other finds that more was done meanwhile, and looks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.deliveries import DeliveryState
from enrichment_assets.domain.delivery_courses import There
from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.deliveries.stops import STOPPED_BY

# Not frozen, as intents are not: a frozen one takes several times as long to make.


@dataclass(slots=True)
class DeliveryIntent:
    """What a call means to do at a destination.

    Attributes:
        key: Of `deliveries`.
        generation: Calls about it that had ended when this run looked.
        identities: Hashes of all by whom the lead is known, one behind the other; the first is `identity`.
        fields: JSON text: remote name -> value that is written.
        content: Hash of all that the lead says, where this call says the last of it.
        read: Hash of what templates read beside the fields, where this call says it.
        approvals: What it was approved by; None: it needs none.
        contacts: People are written to by it: whoever has answered is not.
    """

    key: str
    generation: int
    destination: str
    target: str
    identity: bytes
    identity_field: str
    identities: bytes
    fields: str
    content: bytes | None
    read: bytes | None
    approvals: Sequence[int] | None
    version: str
    actor: str
    contacts: bool
    simulated: bool


@dataclass(slots=True)
class DeliveryEnd:
    """What became of a call at a destination.

    Attributes:
        state: Where it stands now.
        success: What was intended is there.
        ends: The call is over: the next one has another key.
    """

    key: str
    state: DeliveryState
    success: bool = False
    ends: bool = True
    external_id: str | None = None
    reason: str | None = None


# crash point: identities-are-claimed
async def claim_identities(connection: AsyncConnection, client_id: int, intents: Sequence[DeliveryIntent]) -> None:
    """Note by whom leads are known, before their intents are written: of two keys for one person the first counts.

    In the order of their hashes, so that two runs wait for each other in one direction only.
    """
    rows = sorted(
        {
            (intent.destination, intent.target, intent.simulated, intent.identities[at : at + HASH_BYTES], intent.key)
            for intent in intents
            for at in range(0, len(intent.identities), HASH_BYTES)
        },
        key=lambda row: (row[3], row[0], row[1], row[4]),
    )
    await connection.execute(
        """
        insert into delivery_identities (client_id, destination, target, simulated, identity_sha256, key)
        select %(client)s, g.* from unnest(%(destinations)b::text[], %(targets)b::text[], %(simulated)b::bool[],
                                           %(hashes)b::bytea[], %(keys)b::text[]) as g
        on conflict do nothing
        """,
        {
            "client": client_id,
            "destinations": [row[0] for row in rows],
            "targets": [row[1] for row in rows],
            "simulated": [row[2] for row in rows],
            "hashes": [row[3] for row in rows],
            "keys": [row[4] for row in rows],
        },
        prepare=True,
    )


ASKED = """%(dkey)b::text[], %(generation)b::int4[], %(destination)b::text[], %(target)b::text[], %(simulated)b::bool[],
    %(identity)b::bytea[], %(identity_field)b::text[], %(identities)b::bytea[], %(fields)b::text[],
    %(content)b::bytea[], %(read)b::bytea[], %(approvals)b::text[], %(version)b::text[], %(actor)b::text[],
    %(contacts)b::bool[]"""
ASKED_AS = """delivery_key, generation, destination, target, simulated, identity, identity_field, identities, fields,
    content, read, approvals, version, actor, contacts"""
"""What an intent's statement is told of its delivery, and how it calls that."""

REFUSED = f"""
    select case when coalesce(a.stands, 0) <> a.generation or a.stands_as in ('deleted', 'stopped') then 'moved'
                when known.key is not null then 'known'
                when withdrawn.id is not null then 'withdrawn'
                when stop.reason is not null then 'stopped' end as refused,
           stop.reason as stopped, extract(epoch from stop.until - clock_timestamp())::float8 as stopped_for
    from (values (1)) as one
    left join lateral (
      select i.key from generate_series(1, length(a.identities), {HASH_BYTES}) as at
      join delivery_identities i on i.client_id = %(client)s and i.destination = a.destination and i.target = a.target
        and i.simulated = a.simulated and i.identity_sha256 = substring(a.identities from at for {HASH_BYTES})
      where i.key <> a.delivery_key limit 1
    ) known on true
    left join lateral (
      select y.id from approvals x join approvals y on y.batch_id = x.batch_id and y.item_id = x.item_id
        and y.workflow_slug = x.workflow_slug and y.id > x.id
      where x.id = any(a.approvals::bigint[]) and (y.decision <> 'approved' or y.draft_sha256 <> x.draft_sha256) limit 1
    ) withdrawn on true
    left join lateral ({STOPPED_BY}) stop on a.contacts
"""
"""Why a delivery `a` may not leave: more was done meanwhile, the person has another key, an approval was withdrawn, or
nothing more is sent to them."""

STANDS = """, standing as (
  insert into deliveries (client_id, destination, target, simulated, identity_sha256, identity_field, key, state,
                          intended_sha256, intended_read_sha256, intended, item_id, batch_id, call_id, version,
                          approval_ids, actor)
  select %(client)s, a.destination, a.target, a.simulated, a.identity, a.identity_field, a.delivery_key, 'intended',
         a.content, a.read, a.fields::jsonb, a.item_id, %(batch)s, w.id, a.version, a.approvals::bigint[], a.actor
  from written w join asked a on a.call_key = w.call_key
  order by a.delivery_key
  on conflict (key) do update
  set state = 'intended', intended_sha256 = excluded.intended_sha256,
      intended_read_sha256 = excluded.intended_read_sha256, intended = excluded.intended,
      item_id = excluded.item_id, batch_id = excluded.batch_id, call_id = excluded.call_id,
      version = excluded.version, approval_ids = excluded.approval_ids, actor = excluded.actor, reason = null
)"""
"""The rows of `deliveries` that stand for what is intended."""

ENDED = """, stood as (
  update deliveries d
  set state = k.state, reason = k.reason, external_id = coalesce(k.external_id, d.external_id),
      generation = d.generation + case when k.ends then 1 else 0 end,
      written = case when k.success then coalesce(d.written, '{}'::jsonb) || coalesce(d.intended, '{}'::jsonb)
                     else d.written end,
      content_sha256 = case when k.success then coalesce(d.intended_sha256, d.content_sha256)
                            else d.content_sha256 end,
      read_sha256 = case when k.success then coalesce(d.intended_read_sha256, d.read_sha256) else d.read_sha256 end,
      intended = case when k.ends then null else d.intended end,
      intended_sha256 = case when k.ends then null else d.intended_sha256 end,
      intended_read_sha256 = case when k.ends then null else d.intended_read_sha256 end,
      first_delivered_at = case when k.success then coalesce(d.first_delivered_at, clock_timestamp())
                                else d.first_delivered_at end,
      delivered_at = case when k.success then clock_timestamp() else d.delivered_at end,
      ended_at = clock_timestamp()
  from moved m join unnest(%(ditem)b::bigint[], %(dslug)b::text[], %(dkey)b::text[], %(dstate)b::text[],
                           %(dsuccess)b::bool[], %(dends)b::bool[], %(dexternal)b::text[], %(dreason)b::text[])
    as k(item_id, slug, key, state, success, ends, external_id, reason) on k.item_id = m.item_id and k.slug = m.slug
  where d.key = k.key and d.call_id = m.call_id and d.state in ('intended', 'unknown')
)"""
"""What becomes of the rows of `deliveries` whose calls move."""


def asked_columns(intents: Sequence[DeliveryIntent]) -> dict[str, list[Any]]:
    """The parameters of `ASKED`."""
    return {
        "dkey": [i.key for i in intents],
        "generation": [i.generation for i in intents],
        "destination": [i.destination for i in intents],
        "target": [i.target for i in intents],
        "simulated": [i.simulated for i in intents],
        "identity": [i.identity for i in intents],
        "identity_field": [i.identity_field for i in intents],
        "identities": [i.identities for i in intents],
        "fields": [i.fields for i in intents],
        "content": [i.content for i in intents],
        "read": [i.read for i in intents],
        "approvals": [None if i.approvals is None else f"{{{','.join(map(str, i.approvals))}}}" for i in intents],
        "version": [i.version for i in intents],
        "actor": [i.actor for i in intents],
        "contacts": [i.contacts for i in intents],
    }


def ended_columns(ends: Sequence[tuple[int, str, DeliveryEnd]]) -> dict[str, list[Any]]:
    """The parameters of `ENDED`, of (item id, workflow, what became of it)."""
    return {
        "ditem": [item for item, _, _ in ends],
        "dslug": [slug for _, slug, _ in ends],
        "dkey": [end.key for _, _, end in ends],
        "dstate": [end.state.value for _, _, end in ends],
        "dsuccess": [end.success for _, _, end in ends],
        "dends": [end.ends for _, _, end in ends],
        "dexternal": [end.external_id for _, _, end in ends],
        "dreason": [end.reason for _, _, end in ends],
    }


THERE = """d.id as there_id, d.key as there_key, d.state as there_state, d.external_id, d.generation,
    d.first_delivered_at is null as is_new, d.content_sha256 as there_content, d.read_sha256 as there_read, d.written,
    d.intended, d.reason as there_reason, d.ended_at as there_since, d.item_id as there_item"""
"""Columns of a row `d` of `deliveries` that `there_of` reads."""


def there_of(row: Mapping[str, Any]) -> There | None:
    """What stands there by a row with the columns `THERE`; None: nothing."""
    if row["there_id"] is None:
        return None
    return There(
        id=row["there_id"],
        key=row["there_key"],
        state=DeliveryState(row["there_state"]),
        external_id=row["external_id"],
        generation=row["generation"],
        is_new=row["is_new"],
        content=None if row["there_content"] is None else bytes(row["there_content"]),
        read=None if row["there_read"] is None else bytes(row["there_read"]),
        written=row["written"] or {},
        intended=row["intended"] or {},
        reason=row["there_reason"],
        since=row["there_since"],
        item_id=row["there_item"],
    )
