"""Which batches that go phase by phase have come to a phase."""

from __future__ import annotations

from collections.abc import Sequence

from enrichment_assets.store.database import Connection


def batches_at_phase(
    connection: Connection, system: str, steps: Sequence[str], before: Sequence[str], *, takes_new: bool
) -> list[str]:
    """Keys of open batches of a system in which a step of the phase is due, and no step before it is open.

    Args:
        connection: HQ database.
        system: Slug of the system.
        steps: The phase's workflows.
        before: The workflows of the phases before it.
        takes_new: Batches whose items are not laid out yet are at this phase.
    """
    rows = connection.execute(
        """
        select b.batch_key from batches b
        where b.finished_at is null and b.retired_at is null and b.given_up_at is null and not b.is_try
          and b.blueprint ->> 'system' = %(system)s and (b.blueprint ->> 'by_phase')::boolean
          and case when b.items_created_at is null then %(takes_new)s else
                exists (select from workflow_states s
                        where s.batch_id = b.id and s.workflow_slug = any(%(steps)s::text[])
                          and (s.status = 'PENDING' and coalesce(s.next_attempt_at <= clock_timestamp(), true)
                               or s.status = 'IN_PROGRESS' and s.deadline_at <= clock_timestamp()))
                and not exists (select from workflow_states s
                                where s.batch_id = b.id and s.workflow_slug = any(%(before)s::text[])
                                  and s.status in ('PENDING', 'IN_PROGRESS'))
              end
        order by b.id
        """,
        {"system": system, "steps": list(steps), "before": list(before), "takes_new": takes_new},
    ).fetchall()
    return [row["batch_key"] for row in rows]
