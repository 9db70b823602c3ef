"""The statements on `search_proposals`, and the answers that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.search_proposals import State
from enrichment_assets.store.database import Connection, Row


@dataclass(frozen=True, slots=True)
class Proposal:
    """A query that was proposed.

    Attributes:
        id: Its number.
        client: The client's slug.
        client_id: The client's id.
        batch: Key of the batch whose answers it comes from; None: it was removed.
        system: Whose plans it is for.
        industry: Slug of the industry.
        template: What would be asked, `{region}` in the place of each region.
        reason: Why, in the model's words.
        state: Where it stands.
        decided_by: Who decided.
        decided_at: When.
        proposed_at: When it was proposed.
    """

    id: int
    client: str
    client_id: int
    batch: str | None
    system: str
    industry: str
    template: str
    reason: str
    state: State
    decided_by: str | None
    decided_at: datetime | None
    proposed_at: datetime


def answers(connection: Connection, workflow: str, client_id: int | None) -> list[Row]:
    """Answers with proposals: batch, client, the row that was asked about, the answer."""
    return connection.execute(
        """
        select r.client_id, r.batch_id, i.original_data, r.fields -> 'proposed_queries' as proposed
        from enrichment_results r join batches b on b.id = r.batch_id join batch_items i on i.id = r.item_id
        where r.workflow_slug = %(workflow)s and r.outcome = 'found' and not b.is_try
          and (%(client)s::bigint is null or r.client_id = %(client)s)
        order by r.id
        """,
        {"workflow": workflow, "client": client_id},
    ).fetchall()


def add(connection: Connection, proposals: Sequence[tuple[int, int, str, str, str, str]]) -> None:
    """Keep proposals, each (client id, batch id, system, industry, template, reason); what is there stays as it is."""
    connection.execute(
        """
        insert into search_proposals (client_id, batch_id, system, industry, template, reason)
        select * from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
        on conflict (client_id, system, industry, template) do nothing
        """,
        [list(column) for column in zip(*proposals, strict=True)] if proposals else [[]] * 6,
    )


def listed(
    connection: Connection, client_id: int | None, *, state: State | None = None, ids: Sequence[int] | None = None
) -> list[Proposal]:
    """Proposals, the latest first: of one client, in one state, or of these numbers."""
    rows = connection.execute(
        """
        select p.id, c.slug as client, p.client_id, b.batch_key as batch, p.system, p.industry, p.template, p.reason,
               p.state, p.decided_by, p.decided_at, p.proposed_at
        from search_proposals p join clients c on c.id = p.client_id left join batches b on b.id = p.batch_id
        where (%(client)s::bigint is null or p.client_id = %(client)s)
          and (%(state)s::text is null or p.state = %(state)s)
          and (%(ids)s::bigint[] is null or p.id = any(%(ids)s))
        order by p.id desc
        """,
        {"client": client_id, "state": state and state.value, "ids": None if ids is None else list(ids)},
    ).fetchall()
    return [Proposal(**{**row, "state": State(row["state"])}) for row in rows]


def accepted(connection: Connection, client_id: int, system: str) -> list[tuple[str, str]]:
    """(industry, template) of what was accepted for a client's plans, in the order of the decisions."""
    rows = connection.execute(
        "select industry, template from search_proposals where client_id = %s and system = %s and state = 'accepted' "
        "order by decided_at, id",
        (client_id, system),
    ).fetchall()
    return [(row["industry"], row["template"]) for row in rows]


def decide(connection: Connection, ids: Sequence[int], state: State, actor: Actor) -> list[int]:
    """Accept or reject proposals; the numbers of those that stood otherwise before."""
    rows = connection.execute(
        """
        update search_proposals set state = %s, decided_by = %s, decided_at = clock_timestamp()
        where id = any(%s) and state <> %s returning id
        """,
        (state.value, str(actor), list(ids), state.value),
    ).fetchall()
    return sorted(row["id"] for row in rows)
