"""What is said of one delivery without a call: it is gone there, it was made after all, nothing more goes there."""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.states.transitions import ending, ends


async def mark_deleted(connection: AsyncConnection, delivery_id: int, reason: str) -> None:
    """Note that somebody took a record away there; one about which a call is under way stays as it is."""
    await connection.execute(
        "update deliveries set state = 'deleted', reason = %s, generation = generation + 1, "
        "ended_at = clock_timestamp() where id = %s and state = 'delivered'",
        (reason, delivery_id),
    )


# crash point: deliveries-are-told-to-be-deleted
def note_deleted(connection: Connection, client_id: int, reasons: Mapping[int, str]) -> set[int]:
    """Note that records were taken away there, as their destination tells: delivery -> why. Which of them were there.

    One about which a call is under way stays as it is: its answer says what became of it. The caller commits.
    """
    rows = connection.execute(
        """
        update deliveries d set state = 'deleted', reason = g.reason, generation = d.generation + 1,
               ended_at = clock_timestamp()
        from unnest(%s::bigint[], %s::text[]) as g(id, reason)
        where d.id = g.id and d.client_id = %s and d.state = 'delivered' returning d.id
        """,
        (list(reasons), list(reasons.values()), client_id),
    ).fetchall()
    return {row["id"] for row in rows}


_ENDS = ends(
    "c",
    "item_id call_id",
    {
        "slug": "s.workflow_slug",
        "client_id": "s.client_id",
        "batch_id": "s.batch_id",
        "status": "'COMPLETED'",
        "outcome": "'found'",
        "reason": "%(reason)s::text",
        "provider": "c.provider",
        "booked": "c.estimated_cost",
        "step_number": "0",
    },
)

_DELIVERED = f"""
with closed as (
  update provider_calls c
  set state = 'applied', cost = coalesce(c.cost, 0) + c.estimated_cost, applied_at = clock_timestamp(),
      error = %(reason)s, error_class = null
  from deliveries d join provider_calls before on before.id = d.call_id
  where d.id = %(delivery)s and c.id = d.call_id
    and (d.state = 'unknown' and c.state = 'ambiguous' or d.state = 'refused' and c.state = 'ready')
  returning c.id as call_id, c.item_id, c.workflow_slug, c.provider, c.estimated_cost, c.batch_id,
            before.state = 'ambiguous' as is_reserved
), stood as (
  update deliveries d
  set state = 'delivered', reason = %(reason)s, external_id = coalesce(%(external)s, d.external_id),
      generation = d.generation + 1,
      written = coalesce(d.written, '{{}}'::jsonb) || coalesce(d.intended, '{{}}'::jsonb),
      content_sha256 = coalesce(d.intended_sha256, d.content_sha256),
      read_sha256 = coalesce(d.intended_read_sha256, d.read_sha256), intended = null, intended_sha256 = null,
      intended_read_sha256 = null,
      first_delivered_at = coalesce(d.first_delivered_at, c.sent_at), delivered_at = c.sent_at,
      ended_at = clock_timestamp()
  from provider_calls c where d.id = %(delivery)s and c.id in (select call_id from closed)
  returning d.id
), ends as (
  select {_ENDS}
  from closed c join workflow_states s on s.item_id = c.item_id and s.workflow_slug = c.workflow_slug
), {ending("s.status in ('AMBIGUOUS', 'PENDING')")}
select c.batch_id, c.workflow_slug, c.estimated_cost, c.is_reserved, (select count(*) from stood) as stood,
       (select count(*) from moved) as moved
from closed c
"""


def say_delivered(
    connection: Connection, delivery_id: int, external_id: str | None, reason: str
) -> dict[str, object] | None:
    """A call of unknown fate was done: batch, workflow and what was reserved for it; None: there is none such.

    Also one of which somebody said that it was not, as long as it was not made again.
    """
    return connection.execute(
        _DELIVERED, {"delivery": delivery_id, "external": external_id, "reason": reason}
    ).fetchone()


def say_not_delivered(connection: Connection, delivery_id: int, reason: str) -> dict[str, object] | None:
    """A call of unknown fate was not done: the next attempt takes its row. As `say_delivered`."""
    return connection.execute(
        """
        with opened as (
          update provider_calls c set state = 'ready', error = %(reason)s from deliveries d
          where d.id = %(delivery)s and d.state = 'unknown' and c.id = d.call_id and c.state = 'ambiguous'
          returning c.id, c.item_id, c.workflow_slug, c.batch_id, c.provider, c.estimated_cost
        ), stood as (
          update deliveries d set state = case when d.first_delivered_at is null then 'refused' else 'delivered' end,
                                  reason = %(reason)s, ended_at = clock_timestamp()
          where d.id = %(delivery)s and d.state = 'unknown' and exists (select from opened)
        )
        select item_id, workflow_slug, batch_id, provider, estimated_cost from opened
        """,
        {"delivery": delivery_id, "reason": reason},
    ).fetchone()


def let_go_again(connection: Connection, delivery_id: int, reason: str) -> bool:
    """A lead that was stopped, or taken away there, may be written, or made, again. Whether it was either."""
    return (
        connection.execute(
            """
            update deliveries d
            set state = case when d.state = 'deleted' or d.first_delivered_at is null then 'refused'
                             else 'delivered' end,
                first_delivered_at = case when d.state = 'deleted' then null else d.first_delivered_at end,
                external_id = case when d.state = 'deleted' then null else d.external_id end,
                written = case when d.state = 'deleted' then null else d.written end,
                content_sha256 = case when d.state = 'deleted' then null else d.content_sha256 end,
                read_sha256 = case when d.state = 'deleted' then null else d.read_sha256 end,
                reason = %s, ended_at = clock_timestamp()
            where d.id = %s and d.state in ('deleted', 'stopped')
            """,
            (reason, delivery_id),
        ).rowcount
        == 1
    )


def stop(connection: Connection, delivery_id: int, reason: str) -> bool:
    """Let nothing more go there for this lead; False: a call about it is under way, or nobody knows of one."""
    return (
        connection.execute(
            "update deliveries set state = 'stopped', reason = %s, ended_at = clock_timestamp() "
            "where id = %s and state not in ('intended', 'unknown')",
            (reason, delivery_id),
        ).rowcount
        == 1
    )


# one row: of one batch's few deliveries
def wake(connection: Connection, batch_id: int, slug: str) -> None:
    """Have what is open of a batch's delivery looked at now."""
    connection.execute(
        "update batch_deliveries set resume_at = clock_timestamp() where batch_id = %s and workflow_slug = %s",
        (batch_id, slug),
    )
