"""The statements on `mailboxes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.domain.mail.mailboxes import HOLDS_A_PLACE, JUDGED_DAYS, MailboxKind, Ramp
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address that a client's mail leaves from.

    Attributes:
        id: Its number.
        client_id: Whose it is.
        client: The client's slug.
        address: In lower case.
        kind: How mail leaves it.
        name: As readers see it; may be empty.
        settings: Of its kind (`domain.mail.mailboxes.SETTINGS`).
        secrets: Purpose -> NAME of the variable.
        postal_address: Below each mail.
        opt_out: The sentence below each mail.
        reply_to: Where replies go; None: to the mailbox.
        html: Whether mails are HTML, too.
        time_zone: By whose clocks its window and its days are.
        country: Whose holidays count where the recipient's country is not known; None: weekends alone.
        window_from: When the first mail of a day may leave.
        window_until: When the last one has left.
        daily_cap: Mails a day.
        domain_cap: Mails a day to one receiving domain.
        ramp_from: On the first day of sending; None: `daily_cap` from the start.
        ramp_step: More on each further day of sending.
        created_at: Since when it is known.
        judged_from: What came back before does not count; None: all of the last days does.
        paused_at: Since when nothing leaves; None: mail leaves.
        paused_reason: Why.
    """

    id: int
    client_id: int
    client: str
    address: str
    kind: MailboxKind
    name: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    postal_address: str
    opt_out: str
    reply_to: str | None
    html: bool
    time_zone: str
    country: str | None
    window_from: time
    window_until: time
    daily_cap: int
    domain_cap: int
    ramp_from: int | None
    ramp_step: int | None
    created_at: datetime
    judged_from: datetime | None
    paused_at: datetime | None
    paused_reason: str | None

    @property
    def ramp(self) -> Ramp | None:
        """How it comes to its cap; None: it has it from the start."""
        if self.ramp_from is None or self.ramp_step is None:
            return None
        return Ramp(self.ramp_from, self.ramp_step)


COLUMNS = """
    m.id, m.client_id, c.slug as client, m.address, m.kind, m.name, m.settings, m.secrets, m.postal_address, m.opt_out,
    m.reply_to, m.html, m.time_zone, m.country, m.window_from, m.window_until, m.daily_cap, m.domain_cap, m.ramp_from,
    m.ramp_step, m.created_at, m.judged_from, m.paused_at, m.paused_reason
"""
_MAILBOX = f"select {COLUMNS} from mailboxes m join clients c on c.id = m.client_id"


def listed(connection: Connection, client_id: int | None = None, *, lock: bool = False) -> list[Mailbox]:
    """All of them, or a client's, by address; locked until the transaction ends, where places are given out."""
    query = f"{_MAILBOX} where %(client)s::bigint is null or m.client_id = %(client)s order by c.slug, m.address"
    with connection.cursor(row_factory=class_row(Mailbox)) as cursor:
        return cursor.execute(query + (" for no key update of m" if lock else ""), {"client": client_id}).fetchall()


def find(connection: Connection, address: str, *, lock: bool = False) -> Mailbox | None:
    """One by its address; locked until the transaction ends, where it is to be changed."""
    with connection.cursor(row_factory=class_row(Mailbox)) as cursor:
        query = f"{_MAILBOX} where m.address = %s{' for no key update of m' if lock else ''}"
        return cursor.execute(query, (address,)).fetchone()


def insert(connection: Connection, client_id: int, values: Mapping[str, Any]) -> bool:
    """Write a new one; `values`: column -> value. False: there is one of that address."""
    row = connection.execute(
        """
        insert into mailboxes (client_id, address, kind, name, settings, secrets, postal_address, opt_out, reply_to,
            html, time_zone, country, window_from, window_until, daily_cap, domain_cap, ramp_from, ramp_step)
        values (%(client_id)s, %(address)s, %(kind)s, %(name)s, %(settings)s, %(secrets)s, %(postal_address)s,
            %(opt_out)s, %(reply_to)s, %(html)s, %(time_zone)s, %(country)s, %(window_from)s, %(window_until)s,
            %(daily_cap)s, %(domain_cap)s, %(ramp_from)s, %(ramp_step)s)
        on conflict (address) do nothing returning id
        """,
        {
            **values,
            "client_id": client_id,
            "settings": Jsonb(values["settings"]),
            "secrets": Jsonb(values["secrets"]),
        },
    ).fetchone()
    return row is not None


def set_caps(connection: Connection, mailbox_id: int, daily_cap: int, domain_cap: int) -> None:
    """Send so many a day from now on; what has a place already moves when its turn comes."""
    connection.execute(
        "update mailboxes set daily_cap = %s, domain_cap = %s where id = %s", (daily_cap, domain_cap, mailbox_id)
    )


def pause(connection: Connection, mailbox_id: int, reason: str) -> bool:
    """Let nothing more leave; False: it was paused already, and keeps its reason."""
    changed = connection.execute(
        "update mailboxes set paused_at = clock_timestamp(), paused_reason = %s where id = %s and paused_at is null",
        (reason, mailbox_id),
    )
    return changed.rowcount > 0


def resume(connection: Connection, mailbox_id: int) -> None:
    """Let mail leave again; what came back until now is not held against it any more."""
    connection.execute(
        "update mailboxes set paused_at = null, paused_reason = null, judged_from = clock_timestamp() where id = %s",
        (mailbox_id,),
    )


@dataclass(frozen=True, slots=True)
class Usage:
    """What a mailbox has done.

    Attributes:
        mailbox_id: Which.
        today: Mails that have their place today, sent or not.
        sent_today: Those of them that have left.
        days_sent: Earlier days on which mail left.
        planned: Mails that have a place today or later, and have not left.
        sent: Mails that left in the days by which it is judged.
        bounced: Those of them that bounced for good.
        complained: Those of them that were reported as spam.
        replied: Those of them that were answered.
    """

    mailbox_id: int
    today: int
    sent_today: int
    days_sent: int
    planned: int
    sent: int
    bounced: int
    complained: int
    replied: int


def usage(connection: Connection, mailbox_ids: list[int], now: datetime) -> dict[int, Usage]:
    """Mailbox -> what it has done; `now` says which day it is in each mailbox's zone."""
    with connection.cursor(row_factory=class_row(Usage)) as cursor:
        rows = cursor.execute(
            """
            select b.id as mailbox_id,
                count(*) filter (where m.day = b.today and m.state = any(%(held)s)) as today,
                count(*) filter (where m.day = b.today and m.sent_at is not null) as sent_today,
                count(distinct m.day) filter (where m.day < b.today and m.sent_at is not null) as days_sent,
                count(*) filter (where m.state = 'planned') as planned,
                count(*) filter (where coalesce(m.sent_at, m.bounced_at) > b.since) as sent,
                count(*) filter (where coalesce(m.sent_at, m.bounced_at) > b.since and m.bounced_at is not null)
                  as bounced,
                count(*) filter (where m.sent_at > b.since and m.complained_at is not null) as complained,
                count(*) filter (where m.sent_at > b.since and m.replied_at is not null) as replied
            from (select id, (%(now)s::timestamptz at time zone time_zone)::date as today,
                    greatest(judged_from, %(now)s::timestamptz - make_interval(days => %(days)s)) as since
                  from mailboxes where id = any(%(ids)s)) b
            left join mail_messages m on m.mailbox_id = b.id
            group by b.id
            """,
            {"ids": mailbox_ids, "now": now, "days": JUDGED_DAYS, "held": [one.value for one in HOLDS_A_PLACE]},
        ).fetchall()
    return {one.mailbox_id: one for one in rows}
