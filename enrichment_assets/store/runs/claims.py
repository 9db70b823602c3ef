"""Who may work on which item: runners, their heartbeat, and claims on items. SQL only; the engine decides when.

A runner is one engine run. Its row in `runners` is its life: a heartbeat keeps it, expiry lets another runner retire
it. An item is held through `item_leases` (runner, fence). Whoever writes for an item does so in a transaction that
first share-locks its own runner row (`alive`), so that retiring a runner and a write of that runner exclude each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from enrichment_assets.store.arrays import Bigints
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.replies import Reply


# one row: by its key
# crash point: run-signs-on
async def start_runner(connection: AsyncConnection, batch_id: int, label: str, lease_seconds: float) -> int:
    """Insert a runner for this batch and return its id (ids grow: a later runner has a larger one)."""
    row = await _one(
        connection,
        """
        insert into runners (batch_id, label, expires_at)
        values (%s, %s, clock_timestamp() + make_interval(secs => %s)) returning id
        """,
        (batch_id, label, lease_seconds),
    )
    await connection.execute(
        "update batches set started_at = coalesce(started_at, now()) where id = %s and started_at is null", (batch_id,)
    )
    return int(row["id"])


async def heartbeat(connection: AsyncConnection, runner_id: int, lease_seconds: float) -> bool:
    """Extend the runner's life. False: it was retired meanwhile and must stop."""
    cursor = await connection.execute(
        """
        update runners set expires_at = clock_timestamp() + make_interval(secs => %s)
        where id = %s and ended_at is null
        """,
        (lease_seconds, runner_id),
    )
    return cursor.rowcount == 1


# crash point: lease-is-checked
async def alive(connection: AsyncConnection, runner_id: int) -> Reply[bool]:
    """Share-lock the runner's row for this transaction. False: retired or expired; nothing may be committed.

    Key-share does not block the heartbeat's update, and does block `retire_expired_runners`.
    """
    cursor = await connection.execute(
        """
        select 1 from runners
        where id = %s and ended_at is null and expires_at > clock_timestamp() for key share
        """,
        (runner_id,),
    )
    return Reply(cursor, bool)


# one row: by its key
# crash point: dead-runs-are-retired
async def retire_expired_runners(connection: AsyncConnection, batch_id: int) -> int:
    """End the runners of this batch whose heartbeat stopped; their items become free. Returns how many."""
    cursor = await connection.execute(
        """
        with dead as (
          select id from runners
          where batch_id = %s and ended_at is null and expires_at < clock_timestamp()
          for update skip locked
        )
        update runners r set ended_at = clock_timestamp() from dead where r.id = dead.id
        """,
        (batch_id,),
    )
    return cursor.rowcount


# crash point: run-signs-off
async def end_runner(connection: AsyncConnection, runner_id: int) -> None:
    """End a runner in good order. Items it still holds are free from now on."""
    await connection.execute(
        "update runners set ended_at = clock_timestamp() where id = %s and ended_at is null", (runner_id,)
    )


# crash point: open-items-are-found
async def find_runnable(
    connection: AsyncConnection,
    batch_id: int,
    slugs: Sequence[str],
    dependencies: Sequence[tuple[str, str]],
    after_id: int,
    limit: int,
    only: Collection[int] | None = None,
) -> list[int]:
    """Ids of items above `after_id` with a due PENDING state whose dependencies are settled, ascending.

    Args:
        connection: HQ database.
        batch_id: The batch.
        slugs: Workflows that this run may work on.
        dependencies: (step, step that must be settled first) pairs of the blueprint.
        after_id: Only items with a larger id.
        limit: At most this many.
        only: The only items that are meant; None: all.
    """
    cursor = await connection.execute(
        f"""
        select s.item_id
        from workflow_states s
        where s.batch_id = %(batch)s and s.item_id > %(after)s and s.status = 'PENDING'
          {"" if only is None else "and s.item_id = any(%(only)s::bigint[])"}
          and s.workflow_slug = any(%(slugs)s::text[])
          and (s.next_attempt_at is null or s.next_attempt_at <= clock_timestamp())
          and not exists (
            select 1
            from unnest(%(steps)s::text[], %(needs)s::text[]) as d(step, needs)
            join workflow_states x on x.item_id = s.item_id and x.workflow_slug = d.needs
            where d.step = s.workflow_slug and x.status in ('PENDING', 'IN_PROGRESS')
          )
        group by s.item_id order by s.item_id limit %(limit)s
        """,
        {
            "batch": batch_id,
            "after": after_id,
            "slugs": list(slugs),
            "steps": [step for step, _ in dependencies],
            "needs": [needs for _, needs in dependencies],
            "limit": limit,
            **({} if only is None else {"only": list(only)}),
        },
    )
    return [row["item_id"] for row in await cursor.fetchall()]


async def find_called_back(connection: AsyncConnection, batch_id: int, slugs: Sequence[str], limit: int) -> list[int]:
    """Ids of items with callbacks for these workflows in the inbox that nobody has looked at yet."""
    cursor = await connection.execute(
        """
        select c.item_id
        from callback_inbox i join provider_calls c on c.id = i.call_id
        where i.batch_id = %s and i.status = 'new' and c.workflow_slug = any(%s::text[])
        group by c.item_id order by min(i.id) limit %s
        """,
        (batch_id, list(slugs), limit),
    )
    return [row["item_id"] for row in await cursor.fetchall()]


async def find_unread(connection: AsyncConnection, batch_id: int, slugs: Sequence[str], limit: int) -> list[int]:
    """`find_called_back` without the bodies that somebody began to read: a process may have died of one of them."""
    cursor = await connection.execute(
        """
        select c.item_id
        from callback_inbox i join provider_calls c on c.id = i.call_id
        where i.batch_id = %s and i.status = 'new' and i.readings = 0 and c.workflow_slug = any(%s::text[])
        group by c.item_id order by min(i.id) limit %s
        """,
        (batch_id, list(slugs), limit),
    )
    return [row["item_id"] for row in await cursor.fetchall()]


async def find_left_behind(connection: AsyncConnection, batch_id: int, slugs: Sequence[str], limit: int) -> list[int]:
    """Ids of items with a call of these workflows that nobody has ended: where its run is dead, it is ended now."""
    cursor = await connection.execute(
        """
        with open_calls as materialized (
          select c.item_id, c.workflow_slug from provider_calls c
          where c.batch_id = %s and c.workflow_slug = any(%s::text[]) and c.state in ('intent', 'received')
        )
        select s.item_id from open_calls o
        join workflow_states s on s.item_id = o.item_id and s.workflow_slug = o.workflow_slug and s.status = 'PENDING'
        group by s.item_id order by s.item_id limit %s
        """,
        (batch_id, list(slugs), limit),
    )
    return [row["item_id"] for row in await cursor.fetchall()]


async def find_overdue(connection: AsyncConnection, batch_id: int, slugs: Sequence[str], limit: int) -> list[int]:
    """Ids of items whose asynchronous answer is overdue or to be polled, and that made the call themselves.

    `clock_timestamp()` could not be looked up in the index of deadlines: each claim would read all that is under way.
    """
    cursor = await connection.execute(
        """
        select s.item_id
        from workflow_states s join provider_calls c on c.id = s.call_id and c.item_id = s.item_id
        where s.batch_id = %s and s.status = 'IN_PROGRESS'
          and least(s.deadline_at, s.next_poll_at) <= statement_timestamp()
          and s.workflow_slug = any(%s::text[]) and c.state = 'sent'
        group by s.item_id order by s.item_id limit %s
        """,
        (batch_id, list(slugs), limit),
    )
    return [row["item_id"] for row in await cursor.fetchall()]


# crash point: items-are-claimed
async def claim(
    connection: AsyncConnection, batch_id: int, runner_id: int, item_ids: Sequence[int]
) -> list[tuple[int, int]]:
    """Take those of `item_ids` that are free (or held by an ended runner). Returns (item id, new fence) pairs."""
    if not item_ids:
        return []
    cursor = await connection.execute(
        """
        with picked as (
          select l.item_id from item_leases l
          where l.batch_id = %(batch)s and l.item_id = any(%(items)s::bigint[])
            and (l.runner_id is null  -- guard: held-item-is-not-claimed
                 or exists (select 1 from runners r where r.id = l.runner_id and r.ended_at is not null))
          order by l.item_id for update of l skip locked
        )
        update item_leases l set runner_id = %(runner)s, fence = l.fence + 1
        from picked
        where l.item_id = picked.item_id
          and exists (select 1 from runners r
                      where r.id = %(runner)s and r.ended_at is null and r.expires_at > clock_timestamp())
        returning l.item_id, l.fence
        """,
        {"batch": batch_id, "items": Bigints(item_ids), "runner": runner_id},
    )
    return [(row["item_id"], row["fence"]) for row in await cursor.fetchall()]


# crash point: items-are-released
async def release(connection: AsyncConnection, runner_id: int, held: Sequence[tuple[int, int]]) -> None:
    """Free items that this runner holds under the given fences."""
    await connection.execute(
        """
        update item_leases l set runner_id = null
        from unnest(%s::bigint[], %s::bigint[]) as h(item_id, fence)
        where l.item_id = h.item_id and l.fence = h.fence and l.runner_id = %s
        """,
        (Bigints([item for item, _ in held]), Bigints([fence for _, fence in held]), runner_id),
    )


async def _one(connection: AsyncConnection, query: str, parameters: tuple[object, ...]) -> dict[str, Any]:
    cursor = await connection.execute(query, parameters)
    row = await cursor.fetchone()
    assert row is not None, "a statement with `returning` gave no row"  # noqa: S101
    return row
