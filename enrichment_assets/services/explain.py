"""Says where a lead's values come from: the chain from the uploaded cell to the final value, losers included."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import load_project, open_warehouse
from enrichment_assets.warehouse.files import Layout


@dataclass(frozen=True, slots=True)
class Link:
    """One value that somebody gave: who, when, how sure, and the policy's rule that ranked it.

    `reused_from_batch`: the batch whose answer it is, where it was not asked for again; `fetched_at` is its time then.
    """

    wins: bool
    value: str | None
    source: str
    provider: str | None
    fetched_at: datetime | None
    confidence: float | None
    verdict: str | None
    rule: str
    reused_from_batch: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """All values of one field, best first. `because` is the reason for the first, in words."""

    field: str
    final: str | None
    because: str
    links: list[Link]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


_QUERY = """
    select field, rank, value, source_kind, source_workflow, source_provider, edited_by, fetched_at, confidence,
           verdict, rule, priority, reused_from_batch
    from lead_values
    where batch_key = $batch and item_id = $item and ($field is null or field = $field)
    order by field, rank
"""


def explain_lead(settings: Settings, batch_key: str, item_id: int, column: str | None = None) -> list[Chain]:
    """The chains of one lead: of one column, or of all that anybody gave a value for.

    Raises:
        NotFoundError: The batch was not extracted, it has no such item, or final_leads has no such column.
    """
    client = Layout.of(settings).client_of(batch_key)
    connection = open_warehouse(settings, client_slug=client, batch_key=batch_key)
    try:
        known = connection.execute("select count(*) from hq.batch_items where item_id = ?", [item_id]).fetchall()
        if known[0][0] == 0:
            raise NotFoundError(f"Batch `{batch_key}` has no item {item_id}. Its items are in final_leads.item_id.")
        rows = connection.execute(_QUERY, {"batch": batch_key, "item": item_id, "field": _field(column)}).fetchall()
    finally:
        connection.close()
    chains = [_chain(field, list(group)) for field, group in groupby(rows, key=lambda row: row[0])]
    if column is not None and not chains:
        return [Chain(column, None, "nobody gave a value", [])]
    return chains


def _field(column: str | None) -> str | None:
    """The field behind a column; the verdict and confidence of an address are explained with the address."""
    if column is None:
        return None
    if column not in {c.name for c in load_project().model("final_leads").columns}:
        raise NotFoundError(f"final_leads has no column `{column}`.")
    return "email" if column in ("email_status", "email_confidence") else column


def _chain(field: str, rows: list[tuple[Any, ...]]) -> Chain:
    shown = [row for row in rows if row[1] == 1 and row[9] != "placeholder"]
    links = [
        Link(
            wins=bool(shown) and row is shown[0],
            value=row[2],
            source=row[4] or (f"corrected by {row[6]}" if row[3] == "human" else row[3]),
            provider=row[5],
            fetched_at=row[7],
            confidence=row[8],
            verdict=row[9],
            rule=row[10],
            reused_from_batch=row[12],
        )
        for row in rows
    ]
    if not shown:
        return Chain(field, None, "no usable value", links)
    return Chain(field, shown[0][2], _because(rows), links)


def _because(rows: list[tuple[Any, ...]]) -> str:
    """What decided between the best and the second best value, in the order in which the policy compares."""
    best = rows[0]
    if best[3] == "human":
        return "a person's correction beats every source"
    if len(rows) == 1:
        return "the only value"
    second = rows[1]
    if best[10] != second[10]:
        return f"rule `{best[10]}` (priority {best[11]}) comes before `{second[10]}` ({second[11]})"
    if best[8] != second[8]:
        return "more confident under the same rule"
    if best[7] != second[7]:
        return "younger under the same rule"
    return "the later step under the same rule"
