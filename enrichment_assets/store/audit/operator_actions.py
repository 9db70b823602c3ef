"""The statements on `operator_actions`: one row for each change, in the transaction that makes it; and reading them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.operator_actions import Code, kept
from enrichment_assets.store.database import Connection
from enrichment_assets.store.outgoing.events import OF_ACTIONS, tell_of_action

LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """One change.

    Attributes:
        id: Its number; later ones have higher ones.
        at: When.
        actor: Who, as `cli:ada`.
        action: What was done, as `budget.set`.
        client: Slug of the client whom it concerns; None: no client, or one that was removed since.
        batch: Key of the batch that it concerns; None: no batch, or one that was removed since.
        kind: What was changed: `client`, `workflow`, `pipeline`, `upload`, `batch`, `budget`, `callback`, `lead`,
            `user` or `api_key`.
        name: Which one: a slug or a key; of uploads, callbacks and leads the number.
        before: What it was; None: it is new.
        after: What it is now; None: it is gone.
    """

    id: int
    at: datetime
    actor: str
    action: str
    client: str | None
    batch: str | None
    kind: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


# one row: inserted
def note_action(
    connection: Connection,
    actor: Actor,
    code: Code,
    name: str | int,
    *,
    client_id: int | None = None,
    batch_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down a change on the connection that makes it: both are committed, or neither.

    Of those that clients are told of, the event is written with it.

    Args:
        connection: HQ database, in the change's transaction.
        actor: Who changes it.
        code: What is done.
        name: What it is done to; the noun is the code's.
        client_id: Whom it concerns; None: no client.
        batch_id: Which batch it concerns; None: none.
        before: What it was, as far as it changes. Never a value of a person: the id of what holds one.
        after: What it is then.
    """
    row = connection.execute(
        """
        insert into operator_actions (actor, action, client_id, batch_id, kind, name, before, after)
        values (%s, %s, %s, %s, %s, %s, %s, %s) returning id
        """,
        (
            str(actor),
            code.value,
            client_id,
            batch_id,
            code.value.partition(".")[0],
            str(name)[:LONGEST_NAME],
            _json(before),
            _json(after),
        ),
    ).fetchone()
    if code in OF_ACTIONS and client_id is not None and row is not None:
        tell_of_action(connection, code, row["id"], str(name), client_id, batch_id, after)


# one row: of one batch's few actions
def has_decided(connection: Connection, batch_id: int, since: datetime) -> bool:
    """Whether somebody has decided since then that a batch is to run or to stop."""
    row = connection.execute(
        "select 1 from operator_actions where batch_id = %s and at >= %s and action = any(%s::text[]) limit 1",
        (batch_id, since, [code.value for code in _DECISIONS]),
    ).fetchone()
    return row is not None


_DECISIONS = (
    Code.BATCH_PAUSE,
    Code.BATCH_RESUME,
    Code.BATCH_CANCEL,
    Code.BATCH_RETRY,
    Code.BATCH_ASK,
    Code.BATCH_EXTEND,
)


def _json(value: Mapping[str, Any] | None) -> Jsonb | None:
    bounded = kept(value)
    return None if bounded is None else Jsonb(bounded)


def list_actions(
    connection: Connection,
    *,
    client_id: int | None = None,
    batch_id: int | None = None,
    actor: str | None = None,
    action: str | None = None,
    name: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[OperatorAction]:
    """Changes, the latest first; each of the filters only where it is given.

    `action`: a code, or its noun (`budget`); `before`: only those whose number is lower, to turn the page.
    """
    rows = connection.execute(
        """
        select o.id, o.at, o.actor, o.action, c.slug as client, b.batch_key as batch, o.kind, o.name, o.before, o.after
        from operator_actions o left join clients c on c.id = o.client_id left join batches b on b.id = o.batch_id
        where (%(client)s::bigint is null or o.client_id = %(client)s)
          and (%(batch)s::bigint is null or o.batch_id = %(batch)s)
          and (%(actor)s::text is null or o.actor = %(actor)s)
          and (%(action)s::text is null or %(action)s in (o.action, o.kind))
          and (%(name)s::text is null or o.name = %(name)s)
          and (%(since)s::timestamptz is null or o.at >= %(since)s)
          and (%(before)s::bigint is null or o.id < %(before)s)
        order by o.id desc limit %(limit)s
        """,
        {
            "client": client_id,
            "batch": batch_id,
            "actor": actor,
            "action": action,
            "name": name,
            "since": since,
            "before": before,
            "limit": limit,
        },
    ).fetchall()
    return [OperatorAction(**row) for row in rows]
