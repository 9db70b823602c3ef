"""The statements by which mails get their places in mailboxes' days, lose them, and are known to have left.

Whoever gives places away holds the client's mailboxes (`mailboxes.listed(..., lock=True)`), and a place is a row that
nobody else can have (`uq_mail_messages_place`): two runs cannot give out more than a day has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from enrichment_assets.domain.mail.mailboxes import HOLDS_A_PLACE, MessageState
from enrichment_assets.domain.mail.schedule import Place
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.batches import AT_REST
from enrichment_assets.store.states.transitions import looking_at

HELD = [one.value for one in HOLDS_A_PLACE]


def now_of(connection: Connection) -> datetime:
    """When it is by the database's clock, which counts for all machines."""
    row = connection.execute("select clock_timestamp() as now").fetchone()
    assert row is not None  # noqa: S101 - a clock always says something
    now: datetime = row["now"]
    return now


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that is to leave and has no place.

    Attributes:
        item_id: The lead.
        slug: The delivery.
        batch_id: The lead's batch.
        recipient: Where it goes, as the lead has it.
        country: The recipient's, as the lead has it; likewise `state` and `city`.
        not_before: The earliest moment: a wait after the step before it.
        step: Of its sequence, from 1.
        mailbox_id: The one that has written to the address before; None: none has.
        thread: The first mail to the address from there; None: there was none.
    """

    item_id: int
    slug: str
    batch_id: int
    recipient: str
    country: str | None
    state: str | None
    city: str | None
    not_before: datetime
    step: int
    mailbox_id: int | None
    thread: int | None


_OF_A_HELD_BATCH = """a.retired_at is not null or a.given_up_at is not null
  or a.holds ? '*' or a.holds ? {slug}"""
"""Of a batch `a` that is put away or held nothing leaves, so that its mails have no places."""

_OF_THE_SAME_WORLD = """coalesce(o.blueprint ->> 'simulated' = a.blueprint ->> 'simulated', true)"""
"""What went from a batch `o` to the simulator is no earlier mail of a batch `a` whose mails leave, nor the reverse; a
batch that does not say it goes wherever this process goes."""

# A sequence's later steps first: who was written to hears the rest before somebody else hears the first.
_WAITING = """
with recursive mails as (
  select d.batch_id, d.workflow_slug, d.step #>> '{{workflow,delivery,follows,delivery}}' as follows,
         coalesce((d.step #>> '{{workflow,delivery,follows,wait}}')::float8, 0) as wait
  from batch_deliveries d
  where d.client_id = %(client)s and d.step #>> '{{workflow,provider}}' = any(%(providers)s::text[])
    and {at_rest} is null
), steps as (
  select batch_id, workflow_slug, follows, wait, 1 as step from mails where follows is null
  union all
  select m.batch_id, m.workflow_slug, m.follows, m.wait, s.step + 1 from mails m join steps s on s.batch_id = m.batch_id
    and s.workflow_slug = m.follows where s.step < 20
)
select p.item_id, p.workflow_slug as slug, p.batch_id, lower(p.lead ->> 'email') as recipient,
       p.lead ->> 'country' as country, p.lead ->> 'state' as state, p.lead ->> 'city' as city,
       greatest(coalesce(w.next_attempt_at, %(now)s), %(now)s, earlier.at + make_interval(secs => s.wait))
         as not_before, s.step,
       before.mailbox_id, before.thread
from steps s
join planned_deliveries p on p.batch_id = s.batch_id and p.workflow_slug = s.workflow_slug
join batches a on a.id = p.batch_id and not ({held_batch})
join workflow_states w on w.item_id = p.item_id and w.workflow_slug = p.workflow_slug and w.status = 'PENDING'
left join lateral (
  select m.mailbox_id, coalesce(m.thread, m.id) as thread from mail_messages m left join batches o on o.id = m.batch_id
  where m.client_id = %(client)s and m.recipient = lower(p.lead ->> 'email') and m.state = any(%(held)s::text[])
    and {same_world}
  order by m.id desc limit 1
) before on true
left join lateral (
  select max(m.sent_at) as at from mail_messages m left join batches o on o.id = m.batch_id
  where s.follows is not null and m.client_id = %(client)s and m.recipient = lower(p.lead ->> 'email')
    and m.workflow_slug = s.follows and m.state = 'sent' and {same_world}
) earlier on true
where p.lead ->> 'email' is not null and (s.follows is null or earlier.at is not null) {due}
  and not exists (select from mail_messages m where m.item_id = p.item_id and m.workflow_slug = p.workflow_slug
                    and m.state = any(%(held)s::text[]))
order by s.step desc, p.batch_id, p.item_id
limit %(most)s
"""
_DUE = "and coalesce(w.next_attempt_at <= %(now)s, true)"


def waiting(
    connection: Connection, client_id: int, providers: Sequence[str], now: datetime, most: int, *, due: bool = True
) -> list[Waiting]:
    """Mails of a client that are to leave by these providers and have no place, later steps first.

    `due`: only those whose time has come; False: all that are planned, for whoever looks ahead.
    """
    asked = {"client": client_id, "providers": list(providers), "now": now, "most": most, "held": HELD}
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        held_batch = _OF_A_HELD_BATCH.format(slug="p.workflow_slug")
        statement = _WAITING.format(
            due=_DUE if due else "", held_batch=held_batch, at_rest=AT_REST, same_world=_OF_THE_SAME_WORLD
        )
        return cursor.execute(statement, asked).fetchall()


@dataclass(frozen=True, slots=True)
class Held:
    """A place that is taken."""

    mailbox_id: int
    day: date
    slot: int
    moment: datetime
    domain: str


def held(connection: Connection, mailbox_ids: Sequence[int], since: datetime) -> list[Held]:
    """The places that are taken in these mailboxes' days from a day before this moment on."""
    with connection.cursor(row_factory=class_row(Held)) as cursor:
        return cursor.execute(
            """
            select mailbox_id, day, slot, scheduled_at as moment, receiving_domain as domain from mail_messages
            where mailbox_id = any(%s::bigint[]) and day >= (%s::timestamptz at time zone 'UTC')::date - 1
              and slot is not null
            """,
            (list(mailbox_ids), since),
        ).fetchall()


def take(connection: Connection, client_id: int, given: Sequence[tuple[Waiting, Place, str]]) -> None:
    """Write the places that mails were given, each with its receiving domain, and when each is due."""
    if not given:
        return
    connection.execute(
        f"""
        with given as (
          select * from unnest(%(items)b::bigint[], %(slugs)b::text[], %(batches)b::bigint[], %(steps)b::int2[],
                               %(recipients)b::text[], %(domains)b::text[], %(threads)b::bigint[],
                               %(mailboxes)b::bigint[], %(days)b::date[], %(slots)b::int2[], %(moments)b::timestamptz[])
            as g(item_id, slug, batch_id, step, recipient, domain, thread, mailbox_id, day, slot, moment)
        ), written as (
          insert into mail_messages (client_id, mailbox_id, batch_id, item_id, workflow_slug, step, recipient,
                                     receiving_domain, thread, day, slot, scheduled_at)
          select %(client)s, mailbox_id, batch_id, item_id, slug, step, recipient, domain, thread, day, slot, moment
          from given on conflict do nothing
          returning item_id, workflow_slug, scheduled_at
        )
        {looking_at("g.scheduled_at", "written")}
        """,
        {
            "client": client_id,
            "items": [one.item_id for one, _, _ in given],
            "slugs": [one.slug for one, _, _ in given],
            "batches": [one.batch_id for one, _, _ in given],
            "steps": [one.step for one, _, _ in given],
            "recipients": [one.recipient for one, _, _ in given],
            "domains": [domain for _, _, domain in given],
            "threads": [one.thread for one, _, _ in given],
            "mailboxes": [place.mailbox for _, place, _ in given],
            "days": [place.day for _, place, _ in given],
            "slots": [place.slot for _, place, _ in given],
            "moments": [place.moment for _, place, _ in given],
        },
    )


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that has, or had, its place; `mailbox` is an address."""

    item_id: int
    slug: str
    step: int
    recipient: str
    mailbox: str
    state: MessageState
    moment: datetime
    sent_at: datetime | None
    reason: str | None


def of_batch(connection: Connection, batch_id: int) -> list[Mail]:
    """The mails of a batch, by when they leave or have left; those that lost their place are not among them."""
    with connection.cursor(row_factory=class_row(Mail)) as cursor:
        return cursor.execute(
            """
            select x.item_id, x.workflow_slug as slug, x.step, x.recipient, m.address as mailbox, x.state,
                   x.scheduled_at as moment, x.sent_at, x.reason
            from mail_messages x join mailboxes m on m.id = x.mailbox_id
            where x.batch_id = %s and x.state <> 'dropped' order by x.scheduled_at, x.id
            """,
            (batch_id,),
        ).fetchall()


def look_later(connection: Connection, mails: Sequence[tuple[Waiting, datetime]]) -> None:
    """Look again at mails without a place at these moments."""
    connection.execute(
        looking_at(
            "g.at",
            "(select * from unnest(%s::bigint[], %s::text[], %s::timestamptz[]) as u(item_id, workflow_slug, at))",
        ),
        ([one.item_id for one, _ in mails], [one.slug for one, _ in mails], [at for _, at in mails]),
    )


# crash point: waiting-mails-are-woken
def wake(connection: Connection, client_id: int) -> None:
    """Look at once at all mails of a client that wait without a place: a mailbox has come, or has room."""
    connection.execute(
        f"""
        with waiting as (
          select s.item_id, s.workflow_slug from workflow_states s
          join batch_deliveries b on b.batch_id = s.batch_id and b.workflow_slug = s.workflow_slug
          where b.client_id = %s
            and exists (select from mailboxes m where m.client_id = b.client_id
                          and m.kind = b.step #>> '{{workflow,provider}}')
            and s.status = 'PENDING' and s.next_attempt_at > clock_timestamp()
            and not exists (select from mail_messages x where x.item_id = s.item_id
                              and x.workflow_slug = s.workflow_slug and x.state = any(%s::text[]))
        ), woken as (
          {looking_at("clock_timestamp()", "waiting")}
          returning s.batch_id, s.workflow_slug
        )
        update batch_deliveries b set resume_at = least(b.resume_at, clock_timestamp())
        from (select distinct batch_id, workflow_slug from woken) w
        where b.batch_id = w.batch_id and b.workflow_slug = w.workflow_slug
        """,
        (client_id, HELD),
    )


def give_back(connection: Connection, mailbox_ids: Sequence[int], now: datetime) -> int:
    """Take the places of mails back that were to leave from these mailboxes and wrote to nobody before; how many.

    Of whoever was written to from there, the mails wait for the mailbox.
    """
    return connection.execute(
        f"""
        with given as (
          update mail_messages set state = 'dropped', slot = null, message_id = null, reason = 'its mailbox is paused'
          where mailbox_id = any(%s::bigint[]) and state = 'planned' and thread is null
          returning item_id, workflow_slug
        )
        {looking_at("%s", "given")}
        """,
        (list(mailbox_ids), now),
    ).rowcount


def give_back_held(connection: Connection, client_id: int, now: datetime) -> int:
    """Take the places of mails back whose batch is paused, cancelled or put away; how many.

    Others leave in their places; once the batch goes on, its mails are given new ones.
    """
    return connection.execute(
        f"""
        with given as (
          update mail_messages m set state = 'dropped', slot = null, message_id = null, reason = 'its batch is held'
          from batches a
          where m.client_id = %(client)s and m.state = 'planned' and a.id = m.batch_id
            and ({_OF_A_HELD_BATCH.format(slug="m.workflow_slug")})
          returning m.item_id, m.workflow_slug, m.batch_id
        ), due as (
          update batch_deliveries b set resume_at = least(b.resume_at, %(now)s)
          from (select distinct batch_id, workflow_slug from given) g
          where b.batch_id = g.batch_id and b.workflow_slug = g.workflow_slug
        )
        {looking_at("%(now)s", "given")}
        """,
        {"client": client_id, "now": now},
    ).rowcount


def give_back_corrected(connection: Connection, client_id: int) -> None:
    """Take the places of mails back whose lead has another address by now: it hears from where it heard before."""
    connection.execute(
        """
        update mail_messages m set state = 'dropped', slot = null, message_id = null, reason = 'its address changed'
        from planned_deliveries p
        where m.client_id = %s and m.state = 'planned' and p.item_id = m.item_id and p.workflow_slug = m.workflow_slug
          and lower(p.lead ->> 'email') <> m.recipient
        """,
        (client_id,),
    )


def settle(connection: Connection, client_id: int) -> int:
    """Move the mails that have a place by what became of their deliveries; how many moved. The caller commits.

    What is COMPLETED has left; AMBIGUOUS is unknown; FAILED was refused, and keeps its place where a server was asked,
    for that has seen the mailbox today; SKIPPED and CANCELLED are over, and give their place back. What is PENDING
    again waits for another attempt. A mail whose item somebody works on now is left alone. One that has left is known
    by the Message-ID that it has there: Gmail may have changed it, and answers name that one.
    """
    return connection.execute(
        """
        with became as (
          select m.id, s.status, s.reason, s.next_attempt_at, s.advanced_at, c.http_status, c.received_at,
                 d.id as delivery_id, d.external_id,
                 case s.status when 'COMPLETED' then 'sent' when 'AMBIGUOUS' then 'unknown'
                   when 'PENDING' then 'planned' when 'FAILED' then 'refused' else 'dropped' end as state
          from mail_messages m
          join workflow_states s on s.item_id = m.item_id and s.workflow_slug = m.workflow_slug
          left join provider_calls c on c.id = s.call_id
          left join planned_deliveries p on p.item_id = m.item_id and p.workflow_slug = m.workflow_slug
          left join deliveries d on d.key = p.key
          where m.client_id = %s and s.status <> 'IN_PROGRESS' and (
            m.state = 'sending'
            or (m.state = 'planned' and s.status <> 'PENDING')
            or (m.state = 'unknown' and s.status <> 'AMBIGUOUS')
            or (m.state = 'refused' and s.status <> 'FAILED'))
            and not exists (select from item_leases l join runners r on r.id = l.runner_id
                            where l.item_id = m.item_id and r.ended_at is null and r.expires_at > clock_timestamp())
        )
        update mail_messages m
        set state = b.state, reason = b.reason, reply_code = b.http_status, delivery_id = b.delivery_id,
            message_id = case when b.state = 'sent' and b.external_id like '%%_@_%%' then '<' || b.external_id || '>'
                              when b.state <> 'dropped' then m.message_id end,
            slot = case when b.state = 'dropped' or (b.state = 'refused' and b.http_status is null) then null
                        else m.slot end,
            sent_at = case when b.state = 'sent' then coalesce(b.received_at, b.advanced_at) end,
            scheduled_at = case when b.state = 'planned' then coalesce(b.next_attempt_at, m.scheduled_at)
                                else m.scheduled_at end
        from became b where b.id = m.id
        """,
        (client_id,),
    ).rowcount
