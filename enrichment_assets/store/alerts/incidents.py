"""The statements on `alert_incidents`: opened once, closed once, by whoever of several processes is first.

Whoever changes incidents or takes notices holds the lock of `locked` until their transaction ends: what is closed is
then never taken at the same moment. Nothing is held while a message is on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.alerts.patience import CLEAR_SECONDS, LONGEST_CLEAR_SECONDS
from enrichment_assets.store.database import Connection

OVER_BEFORE = "it was over before it was said"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a rule watches and that is so now.

    Attributes:
        rule_id: The rule.
        client_id: Whom it concerns; None: no single client.
        subject: What it is about, among what the rule finds.
        summary: A sentence.
        is_event: It happened, and is not over later.
        due_at: When it may be said.
        resolves: Where an event is told, whether it has to be ended there.
    """

    rule_id: int
    client_id: int | None
    subject: str
    summary: str
    is_event: bool
    due_at: datetime
    resolves: bool


def locked(connection: Connection) -> None:
    """Be the only one that changes incidents and takes notices until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended('enrich alerts', 0))")


_NOTE = """
with found as materialized (
  select * from unnest(%(rules)s::bigint[], %(clients)s::bigint[], %(subjects)s::text[], %(summaries)s::text[],
                       %(events)s::bool[], %(due)s::timestamptz[], %(resolves)s::bool[])
    as f(rule_id, client_id, subject, summary, is_event, due_at, resolves)
), opened as (
  insert into alert_incidents (rule_id, client_id, subject, summary, is_event, closed_at)
  select rule_id, client_id, subject, summary, is_event, case when is_event then clock_timestamp() end from found
  on conflict (rule_id, subject) where closed_at is null or is_event do nothing
  returning id, rule_id, subject
), kept as (
  update alert_incidents i set missing_since = null, summary = f.summary
  from found f
  where i.rule_id = f.rule_id and i.subject = f.subject and i.closed_at is null
    and (i.missing_since is not null or i.summary <> f.summary)
), missing as (
  update alert_incidents i set missing_since = clock_timestamp()
  where i.closed_at is null and i.missing_since is null
    and not exists (select 1 from found f where f.rule_id = i.rule_id and f.subject = i.subject)
)
insert into alert_notices (incident_id, action, due_at)
select o.id, 'trigger', f.due_at from opened o join found f using (rule_id, subject)
union all
select o.id, 'resolve', f.due_at + make_interval(secs => %(clear)s) from opened o join found f using (rule_id, subject)
where f.is_event and f.resolves
"""


def note(connection: Connection, found: Sequence[Condition]) -> int:
    """Open what is new, keep what is still so, and note what is not found any more. Returns how many notices are due.

    `found` is everything that all rules find now: what is not among it counts as missing.
    """
    return connection.execute(
        _NOTE,
        {
            "rules": [one.rule_id for one in found],
            "clients": [one.client_id for one in found],
            "subjects": [one.subject for one in found],
            "summaries": [one.summary for one in found],
            "events": [one.is_event for one in found],
            "due": [one.due_at for one in found],
            "resolves": [one.resolves for one in found],
            "clear": CLEAR_SECONDS,
        },
    ).rowcount


_CLOSE = """
with closed as materialized (
  update alert_incidents i set closed_at = clock_timestamp()
  from alert_rules r
  where r.id = i.rule_id and i.closed_at is null and (
    r.removed_at is not null
    or i.missing_since <= clock_timestamp() - make_interval(secs => least(%(longest)s, %(clear)s * 2 ^ (
         select least(count(*), 10) from alert_incidents b
         where b.rule_id = i.rule_id and b.subject = i.subject
           and b.closed_at > clock_timestamp() - interval '1 day'))::float8))
  returning i.id
), unsaid as (
  update alert_notices n set given_up_at = clock_timestamp(), said = %(over)s
  from closed c
  where n.incident_id = c.id and n.sent_at is null and n.given_up_at is null and n.attempts = 0
)
insert into alert_notices (incident_id, action, due_at)
select n.incident_id, 'resolve', greatest(n.due_at, clock_timestamp())
from alert_notices n join closed c on c.id = n.incident_id
where n.action = 'trigger' and n.given_up_at is null and (n.sent_at is not null or n.attempts > 0)
on conflict (incident_id, action) do nothing
"""


def close(connection: Connection) -> int:
    """Close what has been away long enough, or whose rule is gone. Returns how many resolves are due.

    The longer, the oftener the same was open within a day. What was not said yet is not said at all.
    """
    return connection.execute(
        _CLOSE, {"clear": CLEAR_SECONDS, "longest": LONGEST_CLEAR_SECONDS, "over": OVER_BEFORE}
    ).rowcount


@dataclass(frozen=True, slots=True)
class Incident:
    """What came to pass, as it is shown.

    Attributes:
        id: Its number.
        kind: What was watched.
        client: Whom it concerns; None: no single client.
        summary: A sentence.
        channel: Where it is told, `slack:OPS_SLACK_URL`.
        opened_at: When it was found.
        closed_at: When it was over; None: it is open.
        told: What became of saying that it began: `sent`, `waits`, `given up`.
        said: What the channel answered.
    """

    id: int
    kind: str
    client: str | None
    summary: str
    channel: str
    opened_at: datetime
    closed_at: datetime | None
    told: str
    said: str | None


def list_incidents(connection: Connection, client_id: int | None, limit: int, *, only_open: bool) -> list[Incident]:
    """The newest incidents, of one client or of all."""
    rows = connection.execute(
        """
        select i.id, r.kind, c.slug as client, i.summary, h.kind || ':' || h.variable as channel, i.opened_at,
               i.closed_at, n.said,
               case when n.sent_at is not null then 'sent' when n.given_up_at is not null then 'given up'
                    else 'waits' end as told
        from alert_incidents i join alert_rules r on r.id = i.rule_id join alert_channels h on h.id = r.channel_id
        left join clients c on c.id = i.client_id
        left join alert_notices n on n.incident_id = i.id and n.action = 'trigger'
        where (%(client)s::bigint is null or i.client_id = %(client)s)
          and (not %(open)s or i.closed_at is null)
        order by i.id desc limit %(limit)s
        """,
        {"client": client_id, "open": only_open, "limit": limit},
    ).fetchall()
    return [Incident(**row) for row in rows]
