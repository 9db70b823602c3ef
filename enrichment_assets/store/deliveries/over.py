"""Deliveries of a batch that is over (cancelled, given up or archived): what was planned and did not leave ends.

What is under way is waited for. Of what nobody knows, a person says what became of it.
"""

from __future__ import annotations

from enrichment_assets.domain.deliveries import DELIVERY_POSITION
from enrichment_assets.domain.statuses import UNANSWERED
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.states.transitions import ending, ends

OVER = """case when b.retired_at is not null then 'the batch is archived'
  when b.given_up_at is not null then 'the batch was given up'
  when b.holds -> '*' ->> 'kind' = 'cancelled' then
    concat_ws(': ', 'cancelled by ' || (b.holds -> '*' ->> 'actor'), nullif(b.holds -> '*' ->> 'reason', '')) end"""
"""Why nothing of a batch `b` goes any more, until that is taken back; null: it is not over."""

_WHY = f"select {OVER} as why from batches b where b.id = %s"

IS_OPEN = "s.status in ('PENDING', 'IN_PROGRESS')"
"""Condition on a state `s` that has not ended."""

_UNKNOWN = f"""(d.state = 'unknown' or d.state = 'intended' and c.state = 'ready' and c.http_status is null
  and d.first_delivered_at is null and c.estimated_cost = 0
  and c.error like any(array[{", ".join(f"'{words}%%'" for words in UNANSWERED)}]))"""
"""Whether a call `c` about a delivery `d` may have done its work: nobody knows, or it was to be made again."""

_ENDS = ends(
    "w",
    "item_id client_id batch_id provider step_number",
    {
        "slug": "w.workflow_slug",
        "status": "case when w.unknown then 'AMBIGUOUS' else 'CANCELLED' end",
        "reason": "case when w.unknown then concat_ws('; ', w.error, %(reason)s::text) else %(reason)s::text end",
        "error_class": "case when w.unknown then 'ambiguous' end",
        "call_id": "case when w.unknown then w.last_call end",
    },
)

_END = f"""
with waiting as (
  select s.*, b.step #>> '{{workflow,provider}}' as provider, (b.step #>> '{{workflow,step}}')::int4 as step_number,
         d.id as delivery, d.state as stands, c.id as last_call, c.error, coalesce({_UNKNOWN}, false) as unknown
  from workflow_states s
  join batch_deliveries b on b.batch_id = s.batch_id and b.workflow_slug = s.workflow_slug
  left join planned_deliveries p on p.item_id = s.item_id and p.workflow_slug = s.workflow_slug
  left join deliveries d on d.key = p.key and d.batch_id = s.batch_id and d.item_id = s.item_id
    and d.state in ('intended', 'unknown')
  left join provider_calls c on c.id = d.call_id
  where s.batch_id = %(batch)s and s.position >= {DELIVERY_POSITION} and s.status = 'PENDING'
    and not exists (
      select from provider_calls x where x.batch_id = s.batch_id and x.item_id = s.item_id
        and x.workflow_slug = s.workflow_slug and x.state in ('intent', 'sent', 'received'))
  order by s.item_id, s.workflow_slug for update of s
), ends as (
  select {_ENDS} from waiting w
), {ending("s.status = 'PENDING'")}, asked as (
  update provider_calls c set state = 'ambiguous' from waiting w
  where c.id = w.last_call and w.unknown and c.state = 'ready'
), stood as (
  update deliveries d
  set state = case when w.unknown then 'unknown' when d.first_delivered_at is null then 'refused' else 'delivered' end,
      reason = %(reason)s, ended_at = clock_timestamp()
  from waiting w where d.id = w.delivery and d.state = 'intended'
)
select slug, count(*) filter (where status = 'CANCELLED') as cancelled from moved group by slug order by slug
"""

_LOOKED_AT = f"""
update batch_deliveries b
set resume_at = case when exists (select from workflow_states s where s.batch_id = b.batch_id
                                    and s.workflow_slug = b.workflow_slug and {IS_OPEN}) then clock_timestamp() end
where b.batch_id = %s
"""


# crash point: planned-deliveries-are-ended
def end_planned(connection: Connection, batch_id: int, reason: str) -> dict[str, int]:
    """End what is planned of a batch's deliveries and did not leave: delivery -> leads that are CANCELLED.

    A lead of which nobody knows whether it went is AMBIGUOUS. What is under way is looked at until it has ended. The
    caller holds the batch's row, so that nothing leaves meanwhile, and commits.
    """
    rows = connection.execute(_END, {"batch": batch_id, "reason": reason}).fetchall()
    connection.execute(_LOOKED_AT, (batch_id,))
    return {row["slug"]: row["cancelled"] for row in rows if row["cancelled"]}


async def end_what_is_over(connection: AsyncConnection, batch_id: int) -> str | None:
    """`end_planned` for a run, of a batch that is over; why it is, None where it goes on."""
    async with connection.transaction():
        row = await (await connection.execute(f"{_WHY} for key share", (batch_id,))).fetchone()
        why: str | None = None if row is None else row["why"]
        if why is not None:
            await connection.execute(_END, {"batch": batch_id, "reason": why})
    return why


# one row: by its key
def why_over(connection: Connection, batch_id: int) -> str | None:
    """Why nothing of a batch goes any more; None: it is not over."""
    row = connection.execute(_WHY, (batch_id,)).fetchone()
    return None if row is None else row["why"]


# one row: of one batch's few deliveries
def wake_cancelled(connection: Connection, batch_id: int) -> None:
    """Have deliveries of a batch planned anew that were ended with it: it is not over any more. The caller commits."""
    connection.execute(
        """
        update batch_deliveries b set resume_at = clock_timestamp()
        where b.batch_id = %s and exists (select from workflow_states s where s.batch_id = b.batch_id
                                            and s.workflow_slug = b.workflow_slug and s.status = 'CANCELLED')
        """,
        (batch_id,),
    )
