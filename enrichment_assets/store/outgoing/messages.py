"""The statements on `outgoing_messages`: made of events, claimed by who sends, and noted. Set-based throughout.

A claim is a time: whoever was killed while sending is succeeded when it is over, and the receiver is sent the same
message id again. At least once, never by two at a time as long as a round is shorter than a claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from enrichment_assets.domain.outgoing import LARGEST_MESSAGE, LEAD_TYPES, MessageState
from enrichment_assets.store.database import Connection
from enrichment_assets.store.outgoing.webhooks import SENT_TO, Webhook

CLAIM_SECONDS = 120.0
_AT_ONCE = 20_000
_LEADS = ", ".join(f"'{one.value}'" for one in sorted(LEAD_TYPES))

_MAKE = f"""
made as (
  insert into outgoing_messages (webhook_id, client_id, type, events)
  select p.webhook_id, p.client_id, p.type, array_agg(p.id order by p.id)
  from (
    select w.id as webhook_id, n.client_id, n.type, n.id,
           case when n.type in ({_LEADS})
             then (row_number() over (partition by w.id, n.type order by n.id) - 1) / w.leads_per_message
             else n.id end as place,
           (sum(n.bytes) over (partition by w.id, n.type order by n.id) - n.bytes) / {LARGEST_MESSAGE} as filled
    from new n join outgoing_webhooks w on w.client_id = n.client_id and w.events ? n.type
    where %(webhook)s::bigint is null and w.disabled_at is null or w.id = %(webhook)s
  ) p
  group by p.webhook_id, p.client_id, p.type, p.place, p.filled
  order by min(p.id)
  returning 1
)
"""
"""Messages of the events `new`: of leads as many in one as the webhook asks for and as fit, else one each."""


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do: events without messages, or messages whose time has come."""

    is_new: bool
    is_due: bool


_DUE = """
    m.webhook_id = w.id and m.state = 'waiting' and m.due_at <= clock_timestamp()
    and coalesce(m.claimed_until <= clock_timestamp(), true)
"""
_SERVED = "w.disabled_at is null and coalesce(w.rests_until <= clock_timestamp(), true)"


def look(connection: Connection) -> Work:
    """Whether there is anything to do: one statement, however much there is."""
    row = connection.execute(
        f"""
        select exists (select 1 from outgoing_events where laid_out_at is null) as is_new,
               exists (select 1 from outgoing_webhooks w
                       where {_SERVED} and exists (select 1 from outgoing_messages m where {_DUE})) as is_due
        """
    ).fetchone()
    assert row is not None  # noqa: S101
    return Work(**row)


def lay_out(connection: Connection) -> int:
    """Make messages of the oldest events that have none; an event is never overlooked, whenever it was committed.

    Returns how many events were looked at.
    """
    row = connection.execute(
        f"""
        with new as (
          select id, client_id, type, bytes from outgoing_events
          where laid_out_at is null order by id limit {_AT_ONCE} for update skip locked
        ), {_MAKE}, done as (
          update outgoing_events e set laid_out_at = clock_timestamp() from new n where e.id = n.id
          returning 1
        )
        select count(*) as events from done
        """,
        {"webhook": None},
    ).fetchone()
    return int(row["events"]) if row else 0


def recover(connection: Connection, webhook_id: int, since: datetime) -> tuple[int, int]:
    """Send again what did not arrive since a time: (messages that were given up, messages of events that had none)."""
    again = connection.execute(
        """
        update outgoing_messages
        set state = 'waiting', attempts = 0, due_at = clock_timestamp(), claimed_until = null, ended_at = null
        where webhook_id = %(webhook)s and state = 'given_up' and created_at >= %(since)s
          and exists (select 1 from outgoing_events e where e.id = any(outgoing_messages.events) and e.data is not null)
        """,
        {"webhook": webhook_id, "since": since},
    ).rowcount
    row = connection.execute(
        f"""
        with new as (
          select e.id, e.client_id, e.type, e.bytes
          from outgoing_events e
          join outgoing_webhooks w on w.id = %(webhook)s and w.client_id = e.client_id and w.events ? e.type
          where e.occurred_at >= %(since)s and e.laid_out_at is not null and e.data is not null
            and e.id not in (select unnest(m.events) from outgoing_messages m where m.webhook_id = %(webhook)s)
        ), {_MAKE}
        select count(*) as made from made
        """,
        {"webhook": webhook_id, "since": since},
    ).fetchone()
    return again, int(row["made"]) if row else 0


def due_webhooks(connection: Connection) -> list[Webhook]:
    """Webhooks that have messages whose time has come, whoever waits longest first."""
    rows = connection.execute(
        f"""
        {SENT_TO}
        join lateral (select min(m.due_at) as since from outgoing_messages m where {_DUE}) d on d.since is not null
        where {_SERVED} order by d.since
        """
    ).fetchall()
    return [Webhook(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class ClaimedEvent:
    """An event of a message. `data` None: it was taken out, or the event is gone."""

    id: int
    occurred_at: datetime
    item_id: int | None
    data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that this process sends now. `attempts`: how often it was sent before."""

    id: int
    message_id: UUID
    type: str
    attempts: int
    events: Sequence[ClaimedEvent]


def claim(connection: Connection, webhook_id: int, limit: int) -> list[ClaimedMessage]:
    """Take the messages of a webhook that are due, in the order of their time; others leave them alone meanwhile."""
    rows = connection.execute(
        f"""
        with taken as (
          select m.id from outgoing_messages m join outgoing_webhooks w on w.id = %(webhook)s and {_SERVED}
          where {_DUE} order by m.due_at, m.id limit %(limit)s for update of m skip locked
        ), claimed as (
          update outgoing_messages m
          set claimed_until = clock_timestamp() + make_interval(secs => {CLAIM_SECONDS})
          from taken t where m.id = t.id
          returning m.id, m.message_id, m.type, m.attempts, m.due_at, m.events
        )
        select c.id, c.message_id, c.type, c.attempts, u.event_id, e.occurred_at, e.item_id, e.data
        from claimed c cross join unnest(c.events) with ordinality as u(event_id, place)
        left join outgoing_events e on e.id = u.event_id
        order by c.due_at, c.id, u.place
        """,
        {"webhook": webhook_id, "limit": limit},
    ).fetchall()
    messages: dict[int, ClaimedMessage] = {}
    for row in rows:
        message = messages.setdefault(
            row["id"], ClaimedMessage(row["id"], row["message_id"], row["type"], row["attempts"], [])
        )
        if row["occurred_at"] is not None:
            message.events.append(  # type: ignore[attr-defined]
                ClaimedEvent(row["event_id"], row["occurred_at"], row["item_id"], row["data"])
            )
    return list(messages.values())


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message that was claimed.

    Attributes:
        id: Its number.
        state: Where it stands now.
        was_sent: Whether an attempt was made.
        again_in: Seconds until it is due again; None: it is not.
        status: HTTP status of the answer.
        error: Why it did not arrive.
    """

    id: int
    state: MessageState
    was_sent: bool = True
    again_in: float | None = None
    status: int | None = None
    error: str | None = None


def note(connection: Connection, fates: Sequence[Fate]) -> None:
    """Write what became of messages; one that has arrived by another's hand meanwhile stays so."""
    connection.execute(
        """
        update outgoing_messages m
        set state = t.state, attempts = m.attempts + t.sent::int, claimed_until = null,
            due_at = coalesce(clock_timestamp() + make_interval(secs => t.again_in * (1 + random() / 10)), m.due_at),
            ended_at = case when t.state <> 'waiting' then clock_timestamp() end,
            last_status = case when t.sent then t.status else m.last_status end,
            last_error = t.error
        from unnest(%(ids)s::bigint[], %(states)s::text[], %(sent)s::bool[], %(again)s::float8[],
                    %(statuses)s::smallint[], %(errors)s::text[]) as t(id, state, sent, again_in, status, error)
        where m.id = t.id and m.state = 'waiting'
        """,
        {
            "ids": [fate.id for fate in fates],
            "states": [fate.state.value for fate in fates],
            "sent": [fate.was_sent for fate in fates],
            "again": [fate.again_in for fate in fates],
            "statuses": [fate.status for fate in fates],
            "errors": [fate.error for fate in fates],
        },
    )


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as it is shown; `due_at` None: it is not sent again."""

    id: UUID
    type: str
    events: int
    state: str
    attempts: int
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    status: int | None
    error: str | None


def listed(connection: Connection, webhook_id: int, state: str | None, limit: int) -> list[MessageRow]:
    """The latest messages of a webhook, the latest first; of one state, or of all."""
    rows = connection.execute(
        """
        select message_id as id, type, cardinality(events) as events, state, attempts, created_at,
               case when state = 'waiting' then due_at end as due_at, ended_at, last_status as status,
               last_error as error
        from outgoing_messages
        where webhook_id = %(webhook)s and (%(state)s::text is null or state = %(state)s)
        order by id desc limit %(limit)s
        """,
        {"webhook": webhook_id, "state": state, "limit": limit},
    ).fetchall()
    return [MessageRow(**row) for row in rows]
