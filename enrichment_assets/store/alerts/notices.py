"""The statements on `alert_notices`: taken by one process at a time, sent, and noted.

Who dies between sending and noting leaves its claim behind; when that is over, the notice is taken again and counts one
attempt without an answer more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enrichment_assets.domain.alerts.kinds import Action, Kind
from enrichment_assets.domain.alerts.notices import ChannelKind, Notice
from enrichment_assets.domain.alerts.patience import CLAIM_SECONDS
from enrichment_assets.store.database import Connection

_ONE_BY_ONE = [kind.value for kind in ChannelKind if kind.at_once == 1]
_MANY = max(kind.at_once for kind in ChannelKind)

_TAKE = """
with waiting as materialized (
  select n.id, n.due_at, r.channel_id, h.kind
  from alert_notices n join alert_incidents i on i.id = n.incident_id join alert_rules r on r.id = i.rule_id
  join alert_channels h on h.id = r.channel_id
  where n.sent_at is null and n.given_up_at is null and n.due_at <= clock_timestamp()
    and (n.claimed_until is null or n.claimed_until <= clock_timestamp())
    and (h.rests_until is null or h.rests_until <= clock_timestamp())
    and (n.action = 'trigger' or not exists (
           select 1 from alert_notices t
           where t.incident_id = n.incident_id and t.action = 'trigger'
             and t.sent_at is null and t.given_up_at is null))
), first as materialized (
  select channel_id, kind from waiting order by due_at, id limit 1
), taken as materialized (
  select w.id from waiting w join first f on f.channel_id = w.channel_id
  order by w.due_at, w.id limit (select case when kind = any(%(single)s) then 1 else %(many)s end from first)
)
update alert_notices n
set attempts = n.attempts + 1, unsure = n.unsure + (n.claimed_until is not null)::int,
    claimed_until = clock_timestamp() + make_interval(secs => %(claim)s)
from taken t, alert_incidents i, alert_rules r, alert_channels h
where n.id = t.id and i.id = n.incident_id and r.id = i.rule_id and h.id = r.channel_id
returning n.id, n.attempts, n.unsure, n.action, n.due_at, i.key, i.summary, i.opened_at, r.kind,
          (select slug from clients c where c.id = i.client_id) as client,
          h.kind as channel_kind, h.variable, h.failures
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A notice that this process may send now.

    Attributes:
        id: Its number.
        attempts: Which attempt it is; whoever notes what became of it names it.
        unsure: Attempts so far that gave no answer.
        notice: What to say.
    """

    id: int
    attempts: int
    unsure: int
    notice: Notice


@dataclass(frozen=True, slots=True)
class Load:
    """Notices of one channel that are sent together; `failures`: its attempts in a row that failed."""

    channel_kind: ChannelKind
    variable: str
    failures: int
    taken: Sequence[Taken]


def take(connection: Connection) -> Load | None:
    """Take what is due longest, with what else its channel is told in the same message; None: nothing is due.

    The caller holds the lock of `incidents.locked`.
    """
    rows = connection.execute(_TAKE, {"single": _ONE_BY_ONE, "many": _MANY, "claim": CLAIM_SECONDS}).fetchall()
    if not rows:
        return None
    taken = [
        Taken(
            row["id"],
            row["attempts"],
            row["unsure"],
            Notice(
                str(row["key"]),
                Action(row["action"]),
                Kind(row["kind"]),
                row["client"],
                row["summary"],
                row["opened_at"],
            ),
        )
        for row in sorted(rows, key=lambda row: (row["due_at"], row["id"]))
    ]
    return Load(ChannelKind(rows[0]["channel_kind"]), rows[0]["variable"], rows[0]["failures"], taken)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is noted of an attempt.

    Attributes:
        id: Of the notice.
        attempts: Which attempt it was.
        sent: The channel has it.
        given_up: It will not be sent.
        pause: Otherwise: seconds until it may be tried again.
        unsure: The attempt gave no answer.
    """

    id: int
    attempts: int
    sent: bool
    given_up: bool
    pause: float
    unsure: bool


_SETTLE = """
with ended as (
  select * from unnest(%(ids)s::bigint[], %(attempts)s::int[], %(sent)s::bool[], %(given_up)s::bool[],
                       %(pauses)s::float8[], %(unsure)s::bool[]) as e(id, attempts, sent, given_up, pause, unsure)
)
update alert_notices n
set claimed_until = null, said = %(said)s,
    sent_at = case when e.sent then clock_timestamp() end,
    given_up_at = case when e.given_up then clock_timestamp() end,
    due_at = case when e.sent or e.given_up then n.due_at
                  else clock_timestamp() + make_interval(secs => e.pause) end,
    unsure = n.unsure + e.unsure::int
from ended e
where n.id = e.id and n.attempts = e.attempts and n.sent_at is null and n.given_up_at is null
"""


def settle(connection: Connection, endings: Sequence[Ending], said: str) -> None:
    """Note what became of an attempt. Whoever was overtaken by another process notes nothing."""
    connection.execute(
        _SETTLE,
        {
            "ids": [one.id for one in endings],
            "attempts": [one.attempts for one in endings],
            "sent": [one.sent for one in endings],
            "given_up": [one.given_up for one in endings],
            "pauses": [one.pause for one in endings],
            "unsure": [one.unsure for one in endings],
            "said": said,
        },
    )
