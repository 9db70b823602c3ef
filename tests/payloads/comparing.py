"""What a payload file expects, beside what is in the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.payloads.payload import Payload
from tests.payloads.running import Ran

TABLES: Mapping[str, str] = {
    "emails": "select * from email_candidates where batch_key = ? and item_id = ?",
    "phones": "select * from phone_candidates where batch_key = ? and item_id = ?",
    "jobs": "select * from person_work_history where batch_key = ? and item_id = ? order by source_workflow, ordinal",
    "education": "select * from person_education where batch_key = ? and item_id = ? order by found_in, ordinal",
    "exclusions": "select * from work_history_exclusions where batch_key = ? and item_id = ? order by ordinal",
    "children": "select * from final_leads where batch_key = ? and parent_item_id = ?",
    "organisations": """
        select distinct o.* from person_work_history h
        join organisation_aliases a on a.client_slug = h.client_slug and a.alias_key = h.organisation_key
        join organisations o on o.client_slug = a.client_slug and o.organisation_id = a.organisation_id
        where h.batch_key = ? and h.item_id = ?""",
}
"""Name in `expect` -> its rows for one item."""


def differences(ran: Ran, payload: Payload) -> list[str]:
    """Every fact of a file that did not come out, in words; none: all came out."""
    batch, item = ran.item(payload)
    lead = ran.rows("select * from final_leads where batch_key = ? and item_id = ?", batch, item)[0]
    expect = dict(payload.expect)
    found = _unlike("lead", expect.pop("lead", {}), lead)
    found += _unlike("other_fields", expect.pop("other_fields", {}), json.loads(lead["other_fields"] or "{}"))
    states = {row["workflow_slug"]: _state(row) for row in _states(ran, batch, item)}
    given = {payload.slug_of(step): state for step, state in expect.pop("states", {}).items()}
    found += _unlike("states", given, states)
    if "cost" in expect:
        found += _unlike("lead", {"cost": f"{float(expect.pop('cost')):.6f}"}, lead)
    for name, rows in expect.items():
        found += _unlike_rows(name, rows, ran.rows(TABLES[name], batch, item))
    return [*found, f"its steps ended as {states}"] if found else []


def _states(ran: Ran, batch: str, item: int) -> list[dict[str, Any]]:
    return ran.rows("select * from hq.workflow_states where batch_key = ? and item_id = ?", batch, item)


def _state(row: Mapping[str, Any]) -> str:
    """`found`, `not_found`, `failed` with the class of its error, or a status with the first word of its reason."""
    if row["outcome"]:
        return str(row["outcome"])
    if row["status"] == "FAILED":
        return f"failed {row['error_class']}"
    reason = (row["reason"] or "").partition(":")[0].partition(" ")[0]
    return f"{row['status'].lower()} {reason}".strip()


def _unlike(where: str, expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    return [
        f"{where}.{name}: {_plain(actual.get(name))!r}, not {_plain(value)!r}"
        for name, value in expected.items()
        if _plain(actual.get(name)) != _plain(value)
    ]


def _unlike_rows(name: str, expected: Sequence[Mapping[str, Any]], actual: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows are paired by the columns that the file names, whatever their order."""
    left = list(actual)
    missing = []
    for row in expected:
        alike = next((other for other in left if not _unlike(name, row, other)), None)
        if alike is None:
            missing.append(row)
        else:
            left.remove(alike)
    columns = list(dict.fromkeys(column for row in expected for column in row))
    shown = [{column: _plain(row.get(column)) for column in columns or row} for row in left]
    return [f"{name}: no row {dict(row)!r}" for row in missing] + [f"{name}: unexpected row {row!r}" for row in shown]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)
