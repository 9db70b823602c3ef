"""What a freshness batch found out is carried over to the leads that its rows stand for."""

from __future__ import annotations

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.freshness_edits import carry_over

SYSTEM = "freshness"


def carry_over_batch(hq: Hq, batch_key: str) -> int:
    """Note `is_active` and `last_verified` at the leads of a batch's rows; how many edits that made.

    The tables of the leads' own batches are then made anew, by the sequencer or the next run in a terminal, and whoever
    is told of leads is told of those that changed. Doing it again changes nothing.
    """
    row = batch_row(hq, batch_key)
    with hq.transaction() as connection:
        edits, batches = carry_over(connection, row.batch_id, batch_key)
        if edits:
            actor, said = Actor(ActorKind.SCHEDULE, SYSTEM), {"edits": edits, "batches": batches}
            code, client, batch = Code.LEAD_FRESHNESS, row.client_id, row.batch_id
            note_action(connection, actor, code, batch_key, client_id=client, batch_id=batch, after=said)
    return edits
