"""The statements on `alert_rules` and `alert_channels`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from enrichment_assets.domain.alerts.kinds import Kind
from enrichment_assets.domain.alerts.notices import ChannelKind
from enrichment_assets.domain.alerts.quiet import QuietHours
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Rule:
    """What is watched, and where it is told.

    Attributes:
        id: Its number.
        kind: What it watches.
        client: Whose; None: every client's.
        threshold: In the kind's unit; None: it has none.
        channel_kind: How its channel is spoken to.
        variable: The variable with its channel's address.
        quiet: When nothing is said; None: there is no such time.
        open: Incidents of it that are open.
    """

    id: int
    kind: Kind
    client: str | None
    threshold: Decimal | None
    channel_kind: ChannelKind
    variable: str
    quiet: QuietHours | None
    open: int


_RULES = """
select r.id, r.kind, c.slug as client, r.threshold, h.kind as channel_kind, h.variable, r.quiet_from, r.quiet_until,
       r.time_zone,
       (select count(*) from alert_incidents i where i.rule_id = r.id and i.closed_at is null) as open
from alert_rules r join alert_channels h on h.id = r.channel_id left join clients c on c.id = r.client_id
where r.removed_at is null
order by r.id
"""


def list_rules(connection: Connection) -> list[Rule]:
    """All rules in force, the oldest first."""
    return [
        Rule(
            row["id"],
            Kind(row["kind"]),
            row["client"],
            row["threshold"],
            ChannelKind(row["channel_kind"]),
            row["variable"],
            _quiet(row["quiet_from"], row["quiet_until"], row["time_zone"]),
            row["open"],
        )
        for row in connection.execute(_RULES).fetchall()
    ]


def _quiet(start: time | None, end: time | None, zone: str | None) -> QuietHours | None:
    return None if start is None or end is None or zone is None else QuietHours(start, end, zone)


def add_channel(connection: Connection, kind: ChannelKind, variable: str) -> int:
    """The channel's number; it is added where it is new."""
    row = connection.execute(
        "insert into alert_channels (kind, variable) values (%s, %s) "
        "on conflict (kind, variable) do update set variable = excluded.variable returning id",
        (kind.value, variable),
    ).fetchone()
    assert row is not None  # noqa: S101 - an upsert with `returning`
    return int(row["id"])


def add_rule(
    connection: Connection,
    kind: Kind,
    client_id: int | None,
    threshold: Decimal | None,
    channel_id: int,
    quiet: QuietHours | None,
) -> int | None:
    """Add a rule; its number, or None: there is one that watches the same and tells it there."""
    row = connection.execute(
        """
        insert into alert_rules (kind, client_id, threshold, channel_id, quiet_from, quiet_until, time_zone)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (kind, client_id, threshold, channel_id) where removed_at is null do nothing
        returning id
        """,
        (
            kind.value,
            client_id,
            threshold,
            channel_id,
            quiet and quiet.start,
            quiet and quiet.end,
            quiet and quiet.zone,
        ),
    ).fetchone()
    return None if row is None else int(row["id"])


def remove_rule(connection: Connection, rule_id: int) -> bool:
    """End a rule; its open incidents are closed by whoever watches next. False: there is no such rule."""
    return (
        connection.execute(
            "update alert_rules set removed_at = clock_timestamp() where id = %s and removed_at is null", (rule_id,)
        ).rowcount
        == 1
    )


@dataclass(frozen=True, slots=True)
class Channel:
    """Where alerts go, and how that went.

    Attributes:
        kind: How it is spoken to.
        variable: The variable with its address.
        rules: Rules in force that tell it.
        failures: Attempts in a row that failed.
        rests_until: Nothing is sent before; None: it does not rest.
        said: What it answered last.
        said_at: When.
        sent_at: When it last took a message.
        waiting: Notices that are to be sent.
        given_up: Notices of the last week that it was not told.
    """

    kind: ChannelKind
    variable: str
    rules: int
    failures: int
    rests_until: datetime | None
    said: str | None
    said_at: datetime | None
    sent_at: datetime | None
    waiting: int
    given_up: int


_CHANNELS = """
with told as materialized (
  select r.channel_id, count(*) filter (where n.sent_at is null and n.given_up_at is null) as waiting,
         count(*) filter (where n.given_up_at > clock_timestamp() - interval '7 days' and n.attempts > 0) as given_up
  from alert_notices n join alert_incidents i on i.id = n.incident_id join alert_rules r on r.id = i.rule_id
  group by r.channel_id
)
select h.kind, h.variable,
       (select count(*) from alert_rules r where r.channel_id = h.id and r.removed_at is null) as rules,
       h.failures, case when h.rests_until > clock_timestamp() then h.rests_until end as rests_until, h.said, h.said_at,
       h.sent_at, coalesce(t.waiting, 0) as waiting, coalesce(t.given_up, 0) as given_up
from alert_channels h left join told t on t.channel_id = h.id
order by h.kind, h.variable
"""


def list_channels(connection: Connection) -> list[Channel]:
    """All channels that rules have named."""
    rows = connection.execute(_CHANNELS).fetchall()
    return [Channel(**{**row, "kind": ChannelKind(row["kind"])}) for row in rows]


def note_answer(
    connection: Connection, kind: ChannelKind, variable: str, said: str, *, taken: bool, rest: float | None
) -> None:
    """Note what a channel answered; `rest`: seconds that it is left in peace."""
    connection.execute(
        """
        update alert_channels
        set said = %(said)s, said_at = clock_timestamp(),
            sent_at = case when %(taken)s then clock_timestamp() else sent_at end,
            failures = case when %(taken)s then 0 else failures + 1 end,
            rests_until = case when %(taken)s then null else clock_timestamp() + make_interval(secs => %(rest)s) end
        where kind = %(kind)s and variable = %(variable)s
        """,
        {"said": said, "taken": taken, "rest": rest, "kind": kind.value, "variable": variable},
    )


def kinds_in_force(connection: Connection) -> tuple[Sequence[Kind], bool]:
    """The kinds that rules watch, and whether anything is open, or to be said: the one question of an idle tick."""
    row = connection.execute(
        """
        select (select coalesce(array_agg(distinct kind), '{}') from alert_rules where removed_at is null) as kinds,
               exists (select 1 from alert_incidents where closed_at is null)
                 or exists (select 1 from alert_notices where sent_at is null and given_up_at is null) as is_open
        """
    ).fetchone()
    assert row is not None  # noqa: S101 - one row always
    return [Kind(kind) for kind in row["kinds"]], bool(row["is_open"])
