"""The statements by which a client's rules, lists, consents and passes are changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class LeadOf:
    """Where a lead belongs."""

    item_id: int
    batch_id: int
    client_id: int


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry for a client's list."""

    key: str
    label: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class ListRow:
    """An entry of a client's list as it is shown."""

    kind: str
    key: str
    label: str
    owner: str | None
    source: str
    actor: str
    added_at: datetime


def authors(connection: Connection, client_id: int) -> dict[str, tuple[str, datetime]]:
    """Rule -> who changed it last, and when."""
    rows = connection.execute(
        "select rule, actor, changed_at from gate_rules where client_id = %s", (client_id,)
    ).fetchall()
    return {row["rule"]: (row["actor"], row["changed_at"]) for row in rows}


def set_rule(connection: Connection, client_id: int, rule: str, settings: Mapping[str, Any], actor: str) -> None:
    """Write what a client changed of a rule. The caller commits."""
    connection.execute(
        """
        insert into gate_rules (client_id, rule, settings, actor) values (%s, %s, %s, %s)
        on conflict (client_id, rule) do update
        set settings = excluded.settings, actor = excluded.actor, changed_at = clock_timestamp()
        """,
        (client_id, rule, Jsonb(dict(settings)), actor),
    )


def reset_rule(connection: Connection, client_id: int, rule: str) -> None:
    """Forget what a client changed of a rule. The caller commits."""
    connection.execute("delete from gate_rules where client_id = %s and rule = %s", (client_id, rule))


def lead(connection: Connection, item_id: int) -> LeadOf | None:
    """Where a lead belongs; None: there is none of that number."""
    with connection.cursor(row_factory=class_row(LeadOf)) as cursor:
        return cursor.execute(
            "select id as item_id, batch_id, client_id from batch_items where id = %s", (item_id,)
        ).fetchone()


def add_passes(connection: Connection, of: LeadOf, rules: Sequence[str], reason: str, actor: str) -> list[str]:
    """Let a lead pass rules; those that it did not pass before. The caller commits."""
    rows = connection.execute(
        """
        insert into gate_passes (item_id, rule, client_id, batch_id, reason, actor)
        select %s, r, %s, %s, %s, %s from unnest(%s::text[]) as r
        on conflict (item_id, rule) do nothing returning rule
        """,
        (of.item_id, of.client_id, of.batch_id, reason, actor, list(dict.fromkeys(rules))),
    ).fetchall()
    return [row["rule"] for row in rows]


def remove_passes(connection: Connection, item_id: int) -> list[str]:
    """Let a lead pass nothing; what it was let pass. The caller commits."""
    rows = connection.execute("delete from gate_passes where item_id = %s returning rule", (item_id,)).fetchall()
    return sorted(row["rule"] for row in rows)


def record_consent(
    connection: Connection,
    client_id: int,
    hashed: bytes,
    kind: str,
    evidence: str,
    actor: str,
    obtained_at: datetime,
    expires_at: datetime | None,
) -> bool:
    """Write down a consent, or a newer one of its kind, also after one that was withdrawn. False: nothing is new."""
    row = connection.execute(
        """
        insert into contact_consents as c (client_id, hash, kind, evidence, actor, obtained_at, expires_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (client_id, hash, kind) do update
        set evidence = excluded.evidence, actor = excluded.actor, obtained_at = excluded.obtained_at,
            expires_at = excluded.expires_at, recorded_at = clock_timestamp(), withdrawn_at = null
        where c.obtained_at < excluded.obtained_at and (c.withdrawn_at is null or c.withdrawn_at < excluded.obtained_at)
        returning id
        """,
        (client_id, hashed, kind, evidence, actor, obtained_at, expires_at),
    ).fetchone()
    return row is not None


def withdraw_consents(connection: Connection, client_id: int, hashed: bytes) -> int:
    """Count no consent of somebody any more; how many there were. The caller commits."""
    return connection.execute(
        "update contact_consents set withdrawn_at = clock_timestamp() "
        "where client_id = %s and hash = %s and withdrawn_at is null",
        (client_id, hashed),
    ).rowcount


def add_entries(
    connection: Connection, client_id: int, kind: str, entries: Sequence[NewEntry], source: str, actor: str
) -> int:
    """Add entries to a list; of one that is there label and owner change. How many are new. The caller commits."""
    row = connection.execute(
        """
        with given as (
          select distinct on (g.key) g.* from unnest(%(keys)s::text[], %(labels)s::text[], %(owners)s::text[])
            with ordinality as g(key, label, owner, ord)
          order by g.key, g.ord desc
        ), written as (
          insert into gate_entries as e (client_id, kind, key, label, owner, source, actor)
          select %(client)s, %(kind)s, key, label, owner, %(source)s, %(actor)s from given order by key
          on conflict (client_id, key, kind) do update
          set label = excluded.label, owner = excluded.owner, source = excluded.source, actor = excluded.actor
          returning xmax = 0 as is_new
        )
        select count(*) filter (where is_new) as new from written
        """,
        {
            "client": client_id,
            "kind": kind,
            "keys": [one.key for one in entries],
            "labels": [one.label for one in entries],
            "owners": [one.owner for one in entries],
            "source": source,
            "actor": actor,
        },
    ).fetchone()
    return int(row["new"]) if row else 0


def remove_entries(
    connection: Connection, client_id: int, kind: str, *, source: str | None, keys: Sequence[str] | None
) -> int:
    """Take entries out of a list: all, those of a source, or those of these keys. How many. The caller commits."""
    return connection.execute(
        """
        delete from gate_entries
        where client_id = %(client)s and kind = %(kind)s and (%(source)s::text is null or source = %(source)s)
          and (%(keys)s::text[] is null or key = any(%(keys)s))
        """,
        {"client": client_id, "kind": kind, "source": source, "keys": None if keys is None else list(keys)},
    ).rowcount


def list_entries(connection: Connection, client_id: int, kind: str | None, limit: int) -> list[ListRow]:
    """Entries of a client's lists, the newest first."""
    with connection.cursor(row_factory=class_row(ListRow)) as cursor:
        return cursor.execute(
            """
            select kind, key, label, owner, source, actor, added_at from gate_entries
            where client_id = %s and (%s::text is null or kind = %s) order by id desc limit %s
            """,
            (client_id, kind, kind, limit),
        ).fetchall()


def keys_of(connection: Connection, client_id: int, kind: str, source: str) -> list[str]:
    """Keys of the entries that a source made in a client's list."""
    rows = connection.execute(
        "select key from gate_entries where client_id = %s and kind = %s and source = %s", (client_id, kind, source)
    ).fetchall()
    return [row["key"] for row in rows]
