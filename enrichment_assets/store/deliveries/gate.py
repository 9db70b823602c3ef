"""The statements behind the send gate: rules, lists, consents, passes and contacts, each for many leads at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.domain.delivery_events import CONTACTS
from enrichment_assets.store.database import Connection

_WENT = """(select max(d.delivered_at) from deliveries d
      where d.item_id = c.item_id and d.destination = c.workflow_slug and d.first_delivered_at is not null)"""
"""When the lead of a contact `c` was delivered last; null: it never was."""

_COUNTS = f"""(s.status in ('COMPLETED', 'PENDING', 'IN_PROGRESS', 'AMBIGUOUS') or {_WENT} is not null
    or (s.item_id is null and c.reserved_at > clock_timestamp() - interval '1 hour'))"""
"""Condition on a contact `c` with its state `s`: somebody was contacted, or is about to be.

Who was contacted, and is left alone since by a later plan, has been contacted. Without a state the plan that noted it
is being written; one that died within the hour counts for that hour.
"""

_AT = f"""case when s.status = 'COMPLETED' then s.advanced_at
    when s.status not in ('PENDING', 'IN_PROGRESS', 'AMBIGUOUS') then {_WENT} end"""

_CONTACTS = f"""
    from gate_contacts c
    left join workflow_states s on s.item_id = c.item_id and s.workflow_slug = c.workflow_slug
    where c.client_id = %(client)s and c.simulated = %(simulated)s and {_COUNTS}
"""
_SEAT = "c.item_id, c.workflow_slug, c.person, c.hosts, c.company_name"
_RECENT = f"coalesce({_AT}, clock_timestamp()) > clock_timestamp() - make_interval(days => %(days)s)"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """An entry of a client's list."""

    kind: str
    key: str
    label: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Somebody who was contacted, or is about to be (`at` None)."""

    item_id: int
    workflow_slug: str
    person: bytes
    profile: bytes | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody of a company who was contacted, or is about to be."""

    item_id: int
    workflow_slug: str
    person: bytes
    hosts: list[str]
    company_name: str | None


@dataclass(frozen=True, slots=True)
class NewContact:
    """A lead that passed the gate."""

    item_id: int
    person: bytes
    profile: bytes | None
    hosts: Sequence[str]
    above: Sequence[str]
    company_name: str | None
    keys: Sequence[str]
    accepts: Sequence[str] | None


def lock(connection: Connection, client_id: int) -> None:
    """Let leads of a client pass one after another until the transaction ends: two batches count each other's."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended('gate:' || %s::text, 0))", (client_id,))


def entries_of(connection: Connection, client_id: int, keys: Sequence[str]) -> list[ListEntry]:
    """The entries of a client's lists with one of these keys."""
    with connection.cursor(row_factory=class_row(ListEntry)) as cursor:
        return cursor.execute(
            "select kind, key, label, owner from gate_entries "
            "where client_id = %s and key = any(%s::text[]) order by id",
            (client_id, list(keys)),
        ).fetchall()


def consents_of(connection: Connection, client_id: int, hashes: Sequence[bytes]) -> dict[bytes, set[str]]:
    """Hash -> kinds of the consents that are in force."""
    rows = connection.execute(
        """
        select hash, kind from contact_consents
        where client_id = %s and hash = any(%s::bytea[]) and withdrawn_at is null
          and (expires_at is null or expires_at > clock_timestamp())
        """,
        (client_id, list(hashes)),
    ).fetchall()
    found: dict[bytes, set[str]] = {}
    for row in rows:
        found.setdefault(bytes(row["hash"]), set()).add(row["kind"])
    return found


def passes_of(connection: Connection, client_id: int, items: Sequence[int]) -> dict[int, set[str]]:
    """Item -> rules that a person lets it pass."""
    rows = connection.execute(
        "select item_id, rule from gate_passes where client_id = %s and item_id = any(%s::bigint[])",
        (client_id, list(items)),
    ).fetchall()
    found: dict[int, set[str]] = {}
    for row in rows:
        found.setdefault(row["item_id"], set()).add(row["rule"])
    return found


def contacted(
    connection: Connection,
    client_id: int,
    hashes: Sequence[bytes],
    days: int,
    without: Sequence[str],
    *,
    simulated: bool,
) -> list[ContactRow]:
    """Contacts of people by any of these hashes within so many days, those of the deliveries `without` left out."""
    with connection.cursor(row_factory=class_row(ContactRow)) as cursor:
        return cursor.execute(
            f"""
            select * from (
              select c.item_id, c.workflow_slug, c.person, c.profile, {_AT} as at {_CONTACTS}
                and (c.person = any(%(hashes)s::bytea[]) or c.profile = any(%(hashes)s::bytea[]))
                and not c.workflow_slug = any(%(without)s::text[])
              union all
              select 0, coalesce(e.destination, e.source), e.hash, null, max(e.happened_at)
              from delivery_events e
              where e.client_id = %(client)s and e.hash = any(%(hashes)s::bytea[]) and e.kind = any(%(kinds)s::text[])
                and (e.destination is null or not e.destination = any(%(without)s::text[]))
              group by 2, 3
            ) found
            where at is null or at > clock_timestamp() - make_interval(days => %(days)s)
            order by at desc nulls last
            """,
            {
                "client": client_id,
                "hashes": list(hashes),
                "days": days,
                "without": list(without),
                "simulated": simulated,
                "kinds": [kind.value for kind in CONTACTS],
            },
        ).fetchall()


def seats_of(
    connection: Connection,
    client_id: int,
    hosts: Sequence[str],
    above: Sequence[str],
    names: Sequence[str],
    days: int,
    *,
    simulated: bool,
) -> list[Seat]:
    """People who were contacted within so many days, or are about to be, at companies of these hosts and names.

    Args:
        connection: HQ database.
        client_id: Whose contacts count.
        hosts: Those whose people count, and everybody below them.
        above: Those whose people count for somebody below them.
        names: As compared.
        days: How far back.
        simulated: Contacts at the simulator; else real ones.
    """
    with connection.cursor(row_factory=class_row(Seat)) as cursor:
        return cursor.execute(
            f"""
            select {_SEAT} {_CONTACTS} and c.above && %(all)s::text[] and {_RECENT}
            union
            select {_SEAT} {_CONTACTS} and c.company_name = any(%(names)s::text[]) and {_RECENT}
            """,
            {
                "client": client_id,
                "all": list({*hosts, *above}),
                "names": list(names),
                "days": days,
                "simulated": simulated,
            },
        ).fetchall()


# crash point: gate-contacts-are-written
def reserve(
    connection: Connection,
    client_id: int,
    batch_id: int,
    workflow: str,
    contacts: Sequence[NewContact],
    *,
    simulated: bool,
) -> None:
    """Note leads that passed; of one that passes again the latest counts. The caller holds `lock`, and commits."""
    connection.execute(
        """
        insert into gate_contacts (item_id, workflow_slug, client_id, batch_id, person, profile, hosts, above,
                                   company_name, simulated, keys, accepts)
        select g.item_id, %(workflow)s, %(client)s, %(batch)s, decode(g.person, 'hex'), decode(g.profile, 'hex'),
               g.hosts, g.above, g.company_name, %(simulated)s, g.keys, g.accepts
        from jsonb_to_recordset(%(rows)s) as g(item_id bigint, person text, profile text, hosts text[], above text[],
                                               company_name text, keys text[], accepts text[])
        order by g.item_id
        on conflict (item_id, workflow_slug) do update
        set person = excluded.person, profile = excluded.profile, hosts = excluded.hosts, above = excluded.above,
            company_name = excluded.company_name, simulated = excluded.simulated, keys = excluded.keys,
            accepts = excluded.accepts, reserved_at = clock_timestamp()
        """,
        {
            "client": client_id,
            "batch": batch_id,
            "workflow": workflow,
            "simulated": simulated,
            "rows": Jsonb(
                [
                    {
                        "item_id": one.item_id,
                        "person": one.person.hex(),
                        "profile": None if one.profile is None else one.profile.hex(),
                        "hosts": list(one.hosts),
                        "above": list(one.above),
                        "company_name": one.company_name,
                        "keys": list(one.keys),
                        "accepts": None if one.accepts is None else list(one.accepts),
                    }
                    for one in contacts
                ]
            ),
        },
    )


def changed_rules(connection: Connection, client_id: int) -> dict[str, dict[str, Any]]:
    """Rule -> what the client changed of it."""
    rows = connection.execute("select rule, settings from gate_rules where client_id = %s", (client_id,)).fetchall()
    return {row["rule"]: row["settings"] for row in rows}


def has_lists(connection: Connection, client_id: int) -> bool:
    """Whether the client has any entry in any list."""
    row = connection.execute(
        "select exists (select from gate_entries where client_id = %s) as has", (client_id,)
    ).fetchone()
    return bool(row and row["has"])


def has_stops(connection: Connection, client_id: int) -> bool:
    """Whether anything of the client was ever stopped."""
    row = connection.execute(
        "select exists (select from delivery_stops where client_id = %s and lifted_at is null) as has", (client_id,)
    ).fetchone()
    return bool(row and row["has"])


def sequence_of(connection: Connection, batch_id: int) -> Mapping[str, str]:
    """Delivery -> the one that it follows, of those that a batch has."""
    rows = connection.execute(
        """
        select workflow_slug, step #>> '{workflow,delivery,follows,delivery}' as before from batch_deliveries
        where batch_id = %s and step #>> '{workflow,delivery,follows,delivery}' is not null
        """,
        (batch_id,),
    ).fetchall()
    return {row["workflow_slug"]: row["before"] for row in rows}


REFUSED_SINCE = """
    select case when e.kind is not null then r.rule || ': ' || e.label
                else 'country: no consent is recorded any more' end as why
    from gate_contacts c
    left join lateral (
      select e.kind, e.label from gate_entries e
      where e.client_id = c.client_id and e.key = any(c.keys) and e.kind <> 'owners'
        and not exists (select 1 from gate_passes x where x.item_id = c.item_id and x.rule = {rule})
        and not exists (select 1 from gate_rules o where o.client_id = c.client_id and o.rule = {rule}
                        and o.settings ->> 'on' = 'false')
      order by e.id limit 1
    ) e on true
    left join lateral (select {rule} as rule) r on true
    where c.item_id = p.item_id and c.workflow_slug = p.workflow_slug
      and (e.kind is not null
           or c.accepts is not null
           and not exists (select 1 from gate_rules o where o.client_id = c.client_id and o.rule = 'country'
                           and o.settings ->> 'on' = 'false')
           and not exists (select 1 from contact_consents k
                           where k.client_id = c.client_id and k.hash in (c.person, c.profile)
                             and k.kind = any(c.accepts) and k.withdrawn_at is null
                             and (k.expires_at is null or k.expires_at > clock_timestamp())))
""".format(rule="case e.kind when 'customers' then 'customer' when 'open_deals' then 'open_deal' else 'competitor' end")
"""Why a planned lead `p` that passed may not go any more: a list means it now, or its consent was withdrawn.

At most one row. Owners are compared when leads are planned alone: which column names them is the client's.
"""
