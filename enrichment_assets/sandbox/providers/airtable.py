"""Airtable: records of tables, and the fields that a base has. Personal access token as a bearer.

Ten records a call, all or nothing. An upsert (`performUpsert`) wants every field to merge on in every record, and is
refused whole where two records of the table match one that was sent. Five calls a second and base; whoever asks faster
waits thirty seconds. A token written `name+data.records:read+...` has these scopes only. A base is there as soon as
somebody makes a table in it (`POST /v0/meta/bases/{base}/tables`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from enrichment_assets.sandbox.crm.base_tables import MERGEABLE, BaseError, Record, Table
from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer

MOST = 10
_BASE = r"(?P<base>app[A-Za-z0-9]{3,})"
Base = dict[str, Table]
Answer = Callable[[Call, Base, Mapping[str, str]], Reply]


class Airtable(SimulatedProvider):
    """Everything below `/airtable/v0/...`."""

    name = "airtable"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "5/s"}

    def __init__(self) -> None:
        self.bases: dict[str, Base] = {}

    def question(self, call: Call) -> Question:
        """A call about a base; its limits are the base's."""
        for method, pattern, scope, answer in _ROUTES:
            found = re.fullmatch(pattern, call.path) if method == call.method else None
            if found is not None:
                self._may(call, scope)
                about = f"{call.method} {call.path} {sorted(call.query.items())} {call.body.decode('utf-8', 'replace')}"
                base = self.bases.setdefault(found["base"], {})
                return Question(found["base"], about, partial(_answered, answer, call, base, found.groupdict()))
        raise Refusal(json_reply(404, {"error": "NOT_FOUND"}))

    def key(self, call: Call) -> str:
        """The personal access token."""
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in its error shape."""
        return _error(401, "AUTHENTICATION_REQUIRED", "Authentication required")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429; no header says so, but thirty seconds have to pass."""
        errors = [{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded. Please try again later"}]
        return json_reply(429, {"errors": errors})

    def exhausted(self, call: Call) -> Reply:
        """429 of a month: the plan's calls are used up."""
        message = "The API billing limit of this workspace is exceeded"
        return json_reply(429, {"errors": [{"error": "PUBLIC_API_BILLING_LIMIT_EXCEEDED", "message": message}]})

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in its error shape."""
        return _error(status, "SERVER_ERROR", "Server error")

    def _may(self, call: Call, scope: str) -> None:
        _, plus, scopes = call.key.partition("+")
        if plus and scope not in scopes.split("+"):
            message = "You don't have permission to perform this operation, or the model was not found."
            raise Refusal(_error(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", message))


def _answered(answer: Answer, call: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    try:
        reply = answer(call, base, groups)
    except BaseError as wrong:
        raise Refusal(_error(wrong.status, wrong.type, wrong.message)) from wrong
    reply.charges = (Charge("calls", Decimal(1)),)
    return reply


def _tables(_: Call, base: Base, __: Mapping[str, str]) -> Reply:
    return json_reply(200, {"tables": [one.shown() for one in base.values()]})


def _make_table(call: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    told = call.json()
    if told["name"] in base:
        raise BaseError("DUPLICATE_TABLE_NAME", "There is a table with this name already")
    made = Table(f"tbl{groups['base'][3:]}{len(base):02}", str(told["name"]), told.get("fields") or ())
    base[made.name] = made
    return json_reply(200, made.shown())


def _make_field(call: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    return json_reply(200, _table(base, groups).add_field(call.json()).shown())


def _list(call: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    records = [one.shown() for one in _table(base, groups).records.values()]
    size, start = int(call.query.get("pageSize", "100")), int(call.query.get("offset", "0"))
    wanted = _equal(call.query.get("filterByFormula"))
    chosen = [one for one in records if wanted is None or str(one["fields"].get(wanted[0], "")) == wanted[1]]
    more = {"offset": str(start + size)} if len(chosen) > start + size else {}
    return json_reply(200, {"records": chosen[start : start + size], **more})


def _get(_: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    return json_reply(200, _record(_table(base, groups), groups["record"]).shown())


def _delete(_: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    table = _table(base, groups)
    del table.records[_record(table, groups["record"]).id]
    return json_reply(200, {"id": groups["record"], "deleted": True})


def _create(call: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    table, told = _table(base, groups), call.json()
    cast = bool(told.get("typecast"))
    if "fields" in told:
        return json_reply(200, table.create(table.cells(told["fields"], typecast=cast)).shown())
    cells = [table.cells(one.get("fields") or {}, typecast=cast) for one in _records(told)]
    return json_reply(200, {"records": [table.create(one).shown() for one in cells]})


def _update_one(call: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    table, told = _table(base, groups), call.json()
    cells = table.cells(told.get("fields") or {}, typecast=bool(told.get("typecast")))
    return json_reply(200, table.update(_record(table, groups["record"]), cells).shown())


def _update(call: Call, base: Base, groups: Mapping[str, str]) -> Reply:
    """Several records by their ids or, with `performUpsert`, by what they have in some fields."""
    table, told = _table(base, groups), call.json()
    merge_on = (told.get("performUpsert") or {}).get("fieldsToMergeOn")
    if merge_on is not None:
        _refuse_fields(table, merge_on)
    planned: list[tuple[Record | None, dict[str, Any]]] = []
    for one in _records(told):
        cells = table.cells(one.get("fields") or {}, typecast=bool(told.get("typecast")))
        planned.append((_meant(table, one, cells, merge_on), cells))
    created: list[str] = []
    updated: list[str] = []
    records = []
    for found, cells in planned:  # one that an earlier record of this call made is not made twice
        record = found or (table.matching(cells, merge_on) if merge_on else None)
        done = table.create(cells) if record is None else table.update(record, cells)
        (created if record is None else updated).append(done.id)
        records.append(done.shown())
    about = {} if merge_on is None else {"createdRecords": created, "updatedRecords": updated}
    return json_reply(200, {"records": records, **about})


def _meant(table: Table, told: Mapping[str, Any], cells: Mapping[str, Any], merge_on: Any) -> Record | None:
    if told.get("id"):
        return _record(table, str(told["id"]), 422)
    if not merge_on:
        raise BaseError("INVALID_REQUEST_MISSING_FIELDS", 'Each record needs an "id"')
    missing = [name for name in merge_on if name not in cells]
    if missing:
        message = f'Each record has to have all fields to merge on: "{missing[0]}" is missing'
        raise BaseError("INVALID_REQUEST_MISSING_FIELDS", message)
    return table.matching(cells, merge_on)


def _refuse_fields(table: Table, merge_on: Any) -> None:
    if not isinstance(merge_on, list) or not 1 <= len(merge_on) <= 3:
        raise BaseError("INVALID_REQUEST_UNKNOWN", "fieldsToMergeOn has to have one to three fields")
    for name in merge_on:
        if name not in table.fields:
            raise BaseError("UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')
        if table.fields[name].type not in MERGEABLE:
            raise BaseError("INVALID_REQUEST_UNKNOWN", f'Field "{name}" cannot be merged on')


_TABLE = rf"/v0/{_BASE}/(?P<table>[^/]+)"
_META = rf"/v0/meta/bases/{_BASE}/tables"
_READ, _WRITE = "data.records:read", "data.records:write"
_ROUTES: tuple[tuple[str, str, str, Answer], ...] = (
    ("GET", _META, "schema.bases:read", _tables),
    ("POST", _META, "schema.bases:write", _make_table),
    ("POST", rf"{_META}/(?P<table>[^/]+)/fields", "schema.bases:write", _make_field),
    ("GET", _TABLE, _READ, _list),
    ("POST", _TABLE, _WRITE, _create),
    ("PATCH", _TABLE, _WRITE, _update),
    ("GET", rf"{_TABLE}/(?P<record>rec\w+)", _READ, _get),
    ("PATCH", rf"{_TABLE}/(?P<record>rec\w+)", _WRITE, _update_one),
    ("DELETE", rf"{_TABLE}/(?P<record>rec\w+)", _WRITE, _delete),
)


def _table(base: Base, groups: Mapping[str, str]) -> Table:
    found = base.get(groups["table"]) or next((one for one in base.values() if one.id == groups["table"]), None)
    if found is None:
        message = "Invalid permissions, or the requested model was not found."
        raise BaseError("INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", message, 403)
    return found


def _record(table: Table, number: str, status: int = 404) -> Record:
    found = table.records.get(number)
    if found is None:
        raise BaseError("ROW_DOES_NOT_EXIST", f"Record ID {number} does not exist in this table", status)
    return found


def _records(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = told.get("records")
    if not isinstance(records, list) or not 0 < len(records) <= MOST:
        message = f"You can only update {MOST} records at a time: records has to be a list of 1 to {MOST}"
        raise BaseError("INVALID_RECORDS", message)
    return records


def _equal(formula: str | None) -> tuple[str, str] | None:
    """Field and text of `{Field}='text'`, which is all that is understood of formulas; None: none was given."""
    if not formula:
        return None
    found = re.fullmatch(r"\{([^}]+)\}\s*=\s*(['\"])(.*)\2", formula)
    if found is None:
        message = "The formula for filtering records is invalid: Invalid formula. Please check your formula text."
        raise BaseError("INVALID_FILTER_BY_FORMULA", message)
    return found[1], found[3].replace("\\'", "'").replace('\\"', '"')


def _error(status: int, type: str, message: str) -> Reply:
    return json_reply(status, {"error": {"type": type, "message": message}})
