"""The statements on `outgoing_webhooks`: clients' servers that are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from enrichment_assets.domain.outgoing import DISABLED_AFTER
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Webhook:
    """A client's server that is told.

    Attributes:
        id: Its number.
        client: Slug of the client.
        client_id: The client's number.
        name: By which it is known.
        url: Where messages go.
        events: Of which it is told.
        secret_variable: Name of the variable with its secret.
        previous_variable: Name of the variable with the secret before; None: there is none that still signs.
        leads_per_message: How many leads stand in one message at most.
        created_at: Since when it is told.
        disabled_at: Since when nothing is sent; None: it is sent.
        disabled_reason: Why.
        failing_since: Of the first failure after the last message that arrived; None: the last one arrived.
        rests_until: Until when it has asked to be left alone; None: it has not.
        arrived_at: When the last message arrived; None: none has.
        last_error: Why the last one did not; None: it did.
        waiting: Messages that are to be sent.
        given_up: Messages that never arrived.
    """

    id: int
    client: str
    client_id: int
    name: str
    url: str
    events: list[str]
    secret_variable: str
    previous_variable: str | None
    leads_per_message: int
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    rests_until: datetime | None
    arrived_at: datetime | None
    last_error: str | None
    waiting: int
    given_up: int


_COUNTED = "(select count(*) from outgoing_messages m where m.webhook_id = w.id and m.state = '{state}')"
_SELECT = """
    select w.id, c.slug as client, w.client_id, w.name, w.url, w.events, w.secret_variable,
           case when w.previous_until > clock_timestamp() then w.previous_variable end as previous_variable,
           w.leads_per_message, w.created_at, w.disabled_at, w.disabled_reason, w.failing_since,
           case when w.rests_until > clock_timestamp() then w.rests_until end as rests_until, w.arrived_at,
           w.last_error, {waiting} as waiting, {given_up} as given_up
    from outgoing_webhooks w join clients c on c.id = w.client_id
"""
_SHOWN = _SELECT.format(waiting=_COUNTED.format(state="waiting"), given_up=_COUNTED.format(state="given_up"))
SENT_TO = _SELECT.format(waiting="0", given_up="0")
"""The same without counts, for who sends."""


def listed(connection: Connection, client_id: int | None = None) -> list[Webhook]:
    """All of them, or a client's."""
    rows = connection.execute(
        f"{_SHOWN} where %(client)s::bigint is null or w.client_id = %(client)s order by c.slug, w.name",
        {"client": client_id},
    ).fetchall()
    return [Webhook(**row) for row in rows]


def find(connection: Connection, name: str, *, lock: bool = False) -> Webhook | None:
    """One by its name; locked until the transaction ends, where it is to be changed."""
    row = connection.execute(f"{_SHOWN} where w.name = %s{' for update of w' if lock else ''}", (name,)).fetchone()
    return None if row is None else Webhook(**row)


def add(
    connection: Connection,
    client_id: int,
    name: str,
    url: str,
    events: Sequence[str],
    secret_variable: str,
    leads_per_message: int,
) -> bool:
    """Write a new one; False: there is one of that name."""
    row = connection.execute(
        """
        insert into outgoing_webhooks (client_id, name, url, events, secret_variable, leads_per_message)
        values (%s, %s, %s, %s, %s, %s) on conflict (name) do nothing returning id
        """,
        (client_id, name, url, Jsonb(list(events)), secret_variable, leads_per_message),
    ).fetchone()
    return row is not None


def rotate(connection: Connection, webhook_id: int, variable: str, hours: float) -> None:
    """Sign by another secret from now on, and by the one before as well for so many hours."""
    connection.execute(
        """
        update outgoing_webhooks
        set previous_variable = secret_variable, secret_variable = %s,
            previous_until = clock_timestamp() + make_interval(secs => %s)
        where id = %s
        """,
        (variable, hours * 3600, webhook_id),
    )


def enable(connection: Connection, webhook_id: int) -> None:
    """Send again, and as if it had not failed."""
    connection.execute(
        "update outgoing_webhooks set disabled_at = null, disabled_reason = null, failing_since = null, "
        "rests_until = null where id = %s",
        (webhook_id,),
    )


def disable(connection: Connection, webhook_id: int, reason: str) -> None:
    """Send nothing more."""
    connection.execute(
        "update outgoing_webhooks set disabled_at = coalesce(disabled_at, clock_timestamp()), disabled_reason = %s "
        "where id = %s",
        (reason, webhook_id),
    )


def remove(connection: Connection, webhook: Webhook) -> None:
    """Delete it with its messages; with a client's last one goes what was to be told to them."""
    connection.execute("delete from outgoing_webhooks where id = %s", (webhook.id,))
    for table in ("outgoing_events", "outgoing_leads"):
        connection.execute(
            f"delete from {table} where client_id = %(client)s "
            "and not exists (select 1 from outgoing_webhooks where client_id = %(client)s)",
            {"client": webhook.client_id},
        )


def note_trouble(connection: Connection, webhook_id: int, error: str) -> None:
    """Say why nothing can be sent to it for a reason that is ours: no attempt was made."""
    connection.execute("update outgoing_webhooks set last_error = %s where id = %s", (error, webhook_id))


def note_round(
    connection: Connection, webhook_id: int, *, arrived: bool, error: str | None, rest: float | None
) -> bool:
    """Note how a webhook fared; True: it has failed for so long that it is to be disabled.

    Args:
        connection: HQ database, in the transaction that notes the messages.
        webhook_id: Which.
        arrived: Whether a message arrived.
        error: Why one did not; None: all did.
        rest: Seconds that it asks to be left alone.
    """
    row = connection.execute(
        """
        update outgoing_webhooks
        set failing_since = case when %(arrived)s then null
                                 when %(error)s::text is null then failing_since
                                 else coalesce(failing_since, clock_timestamp()) end,
            arrived_at = case when %(arrived)s then clock_timestamp() else arrived_at end,
            last_error = coalesce(%(error)s, case when not %(arrived)s then last_error end),
            rests_until = coalesce(clock_timestamp() + make_interval(secs => %(rest)s::float8), rests_until)
        where id = %(id)s
        returning disabled_at is null and failing_since < clock_timestamp() - %(patience)s as is_over
        """,
        {"id": webhook_id, "arrived": arrived, "error": error, "rest": rest, "patience": DISABLED_AFTER},
    ).fetchone()
    return bool(row and row["is_over"])
