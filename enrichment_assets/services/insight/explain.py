"""Says where a lead's values come from: the chain from the uploaded cell to the final value, losers included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import duckdb

from enrichment_assets.domain.cleaned import Reason
from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.record_fields import OF_ALL_SOURCES
from enrichment_assets.domain.suggestions import nearest
from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse
from enrichment_assets.warehouse.copies import brought


@dataclass(frozen=True, slots=True)
class Link:
    """One value that somebody gave: who, when, how sure, what is said of it, and why not it.

    `verdict` is our word for what counts of all that was said of an address or number, `said` the same in the words
    of `said_by` (a workflow, or `upload`); `kind` and `do_not_call` are a number's. `why_not` is null for the winner.
    `profile_version`: of the client's profile, where the workflow's request is made of it.
    `citations`: where it stands in the inputs of the prompt that gave it: `at`, `input`, `quote`, `start` of each.
    `reused_from_batch`: the batch whose answer it is, where it was not asked for again; `fetched_at` is its time then.
    """

    wins: bool
    value: str | None
    source: str
    provider: str | None
    fetched_at: datetime | None
    confidence: float | None
    verdict: str | None
    rule: str | None
    reused_from_batch: str | None = None
    said: str | None = None
    said_by: str | None = None
    kind: str | None = None
    do_not_call: str | None = None
    profile_version: int | None = None
    citations: Sequence[Mapping[str, Any]] = ()
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """All values of one field, best first. `because` is the reason for the first, in words."""

    field: str
    final: str | None
    because: str
    links: list[Link]


_QUERY = """
    select v.*, s.profile_version, cast(json_extract(r.citations, '$.' || v.field) as varchar) as citations
    from lead_values as v
    left join hq.batch_steps as s on s.batch_key = v.batch_key and s.workflow_slug = v.source_workflow
    left join hq.enrichment_results as r
        on r.batch_key = v.batch_key and r.item_id = v.item_id and r.workflow_slug = v.source_workflow
        and v.source_kind <> 'human'
    where v.batch_key = $batch and v.item_id = $item and ($field is null or v.field = $field)
    order by v.field, v.rank
"""

_BESIDE = """
    select {value} as value, source_workflow, source_kind, source_provider, uploaded_column, fetched_at, confidence,
           verdict, said, {said_by} as said_by, {kind} as kind, {do_not_call} as do_not_call, why_not
    from {candidates}
    where batch_key = $batch and item_id = $item and why_not is not null
    order by 1, source_workflow, uploaded_column
"""
_CANDIDATES = {
    "email": {"candidates": "email_candidates", "value": "email", "said_by": "verified_by", "kind": "email_type",
              "do_not_call": "null"},
    "phone": {"candidates": "phone_candidates", "value": "phone", "said_by": "said_by", "kind": "phone_type",
              "do_not_call": "do_not_call"},
}  # fmt: skip
"""Fields of which there are candidates that do not compete: kept beside, only judged, or no address at all."""

_REJECTED = """
    select field, value, reason, from_json(coalesce(others, '[]'), '["VARCHAR"]') as others,
           source_kind, source_workflow, source_provider, fetched_at
    from stg_rejected_values
    where batch_key = $batch and item_id = $item and ($field is null or field = $field)
    order by field, position, source_workflow
"""

_SAYS_NOTHING = dict.fromkeys(
    (
        "confidence",
        "verdict",
        "said",
        "said_by",
        "kind",
        "do_not_call",
        "rule",
        "edited_by",
        "reused_from_batch",
        "profile_version",
        "citations",
    )
)
_ALONE = {"kept_beside": "kept beside: not offered as the lead's own", "only_judged": "judged, but nobody gave it"}

Row = dict[str, Any]


def explain_lead(hq: Hq, settings: Settings, batch_key: str, item_id: int, column: str | None = None) -> list[Chain]:
    """The chains of one lead: of one field, or of all that anybody gave a value for.

    `column`: a column of final_leads, or a field of a workflow of the batch. A batch that was not extracted yet is, as
    it stands.

    Raises:
        NotFoundError: There is no such batch, it has no such item, or nobody gives such a field.
    """
    client = _client_of(hq, settings, batch_key)
    connection = open_warehouse(settings, client_slug=client, batch_key=batch_key)
    try:
        known = connection.execute("select count(*) from hq.batch_items where item_id = ?", [item_id]).fetchall()
        if known[0][0] == 0:
            raise NotFoundError(
                f"Batch `{batch_key}` has no item {item_id}. Its items are in final_leads.item_id.",
                code="item.not_found",
            )
        asked = {"batch": batch_key, "item": item_id}
        field = _field(connection, column)
        rows = _rows(connection.execute(_QUERY, {**asked, "field": field}))
        beside = {
            name: _rows(connection.execute(_BESIDE.format(**columns), asked))
            for name, columns in _CANDIDATES.items()
            if field in (None, name)
        }
        rejected = _rows(connection.execute(_REJECTED, {**asked, "field": field}))
    finally:
        connection.close()
    ranked = {name: list(group) for name, group in groupby(rows, key=lambda row: str(row["field"]))}
    no_values = {name: list(group) for name, group in groupby(rejected, key=lambda row: str(row["field"]))}
    chains = [
        _chain(name, ranked.get(name, []), beside.get(name, []), no_values.get(name, []))
        for name in sorted({*ranked, *no_values, *(name for name, found in beside.items() if found)})
    ]
    if column is not None and not chains:
        return [Chain(column, None, "nobody gave a value", [])]
    return chains


def _client_of(hq: Hq, settings: Settings, batch_key: str) -> str:
    try:
        return brought(settings, batch_key=batch_key).client_of(batch_key)
    except NotFoundError:
        return bring_up_to_date(hq, settings, batch_key).client


def _rows(found: duckdb.DuckDBPyConnection) -> list[Row]:
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _known_fields(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Columns of final_leads, fields of the batch's workflows, and whatever else somebody gave a value for."""
    given = connection.execute(
        """select field from lead_values union
           select unnest(from_json(provides, '["VARCHAR"]')) from hq.batch_steps where provides is not null"""
    ).fetchall()
    columns = connection.execute("select column_name from (describe final_leads)").fetchall()
    return {str(name) for (name,) in [*given, *columns]}


def _field(connection: duckdb.DuckDBPyConnection, column: str | None) -> str | None:
    """The field behind a column; the verdict and confidence of an address are explained with the address."""
    if column is None:
        return None
    known = _known_fields(connection)
    if column not in known:
        near = nearest(column, sorted(known))
        guess = f" Did you mean {near!r}?" if near else ""
        text = f"This batch's leads have no field `{column}`: no upload and no workflow gives it.{guess}"
        raise NotFoundError(text, code="field.not_found")
    if column in ("email_status", "email_confidence", *OF_ALL_SOURCES):
        return "email"
    return "phone" if column in ("phone_type", "phone_confidence", "phone_do_not_call") else column


def _chain(field: str, rows: list[Row], beside: list[Row], rejected: list[Row]) -> Chain:
    """The values that compete, best first, then those that do not, then what is no value at all."""
    shown = rows[0] if rows and rows[0]["is_shown"] else None
    links = [_link(row, None if row is shown else _why_not(shown, row)) for row in rows]
    given = {_identity(row) for row in rows}
    for row in (*beside, *_not_values(rejected)):
        if _identity(row) not in given:
            given.add(_identity(row))
            links.append(_link({**_SAYS_NOTHING, **row}, _ALONE.get(row["why_not"], row["why_not"])))
    if shown is None:
        return Chain(field, None, "no usable value", links)
    return Chain(field, shown["value"], _because(rows), links)


def _not_values(rejected: list[Row]) -> Iterator[Row]:
    """What is no value of the field, with the reason, and the further values of the same cell or answer."""
    for row in rejected:
        if row["reason"] != Reason.SEVERAL:
            yield {**row, "why_not": f"no value of its field: {row['reason']}"}
        for value in row["others"]:
            yield {**row, "value": value, "why_not": "kept beside: a further value of the same source"}


def _identity(row: Row) -> tuple[str, str | None, str]:
    return (row["value"] or "").strip().lower(), row["source_workflow"], row["source_kind"]


def _link(row: Row, why_not: str | None) -> Link:
    source = row["source_workflow"] or row["source_kind"]
    if row["source_kind"] == "human":
        source = f"corrected by {row['edited_by']}"
    elif row.get("uploaded_column"):
        source = f"upload, {row['uploaded_column']}"
    return Link(
        wins=why_not is None,
        value=row["value"],
        source=source,
        provider=row["source_provider"],
        fetched_at=row["fetched_at"],
        confidence=row["confidence"],
        verdict=row["verdict"],
        rule=row["rule"],
        reused_from_batch=row["reused_from_batch"],
        said=row["said"],
        said_by=row["said_by"],
        kind=row["kind"],
        do_not_call=row["do_not_call"],
        profile_version=row["profile_version"],
        citations=json.loads(row["citations"]) if row["citations"] else [],
        why_not=why_not,
    )


def _why_not(best: Row | None, row: Row) -> str:
    """What keeps a value from being the one that is shown."""
    if not row["is_shown"]:
        return f"{row['verdict']}: never shown"
    return _decided(best, row) if best is not None else "no usable value"


def _because(rows: list[Row]) -> str:
    """What decided between the best and the second best value."""
    if rows[0]["source_kind"] == "human":
        return "a person's correction beats every source"
    return "the only value" if len(rows) == 1 else _decided(rows[0], rows[1])


def _decided(best: Row, other: Row) -> str:
    """What decided between two values, in the order in which they are compared (`lead_values.sql`)."""
    if best["source_kind"] == "human":
        return "a person's correction beats every source"
    if other["is_bad"] and not best["is_bad"]:
        return f"the other is {other['verdict']}"
    if best["standing"] != other["standing"]:
        return f"a {_number(best)} number comes before a {_number(other)} one"
    if best["rule"] != other["rule"]:
        return (
            f"rule `{best['rule']}` (priority {best['priority']}) comes before `{other['rule']}` ({other['priority']})"
        )
    if best["confidence"] != other["confidence"]:
        return "more confident under the same rule"
    if best["source_workflow"] != other["source_workflow"]:
        return "the later step under the same rule"
    return "the provider's own order, then the value itself"


def _number(row: Row) -> str:
    return " ".join(word for word in (row["verdict"], row["kind"]) if word)
