"""Airtable: records of a table, found by a key of ours in a field of its own. Personal access token as a bearer.

Quirks (airtable.com/developers/web/api, and pyairtable): ten records a call, all or nothing; an upsert wants every
field to merge on in every record (`authorise` writes our key there), and is refused whole where two records match. Who
asks more than five times a second waits thirty seconds, and no header says so. The same 429 with another code is a
plan's month that is used up. A record that is named by its id and gone is a 422, `ROW_DOES_NOT_EXIST`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from enrichment_assets.domain.crm.airtable import cell_value, field_faults, key_faults
from enrichment_assets.domain.crm.values import fitting
from enrichment_assets.domain.http_answers import classify_status, describe, error_body, object_of
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import (
    Answer,
    Check,
    Provider,
    RemoteField,
    RenderedRequest,
    Secret,
    Verdict,
    Wanted,
)
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_QUIET = 30.0
_LONGEST_SAID = 300
_NOT_AS_AGREED = ("UNKNOWN_FIELD_NAME", "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "INVALID_PERMISSIONS")


class Airtable(Provider):
    """Calls to Airtable's Web API."""

    name = "airtable"
    title = "Airtable"
    company = "Airtable"
    home = "https://api.airtable.com"
    secrets = (Secret("token", "AIRTABLE_TOKEN"),)
    key_word = "AIRTABLE"
    billing = "nothing for a call: a workspace has so many in a month"
    documentation = "https://airtable.com/developers/web/api/introduction"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the token, and write each record's `key` into the field that records are merged on."""
        url = join_url(base_url, request.url)
        headers = {"authorization": f"Bearer {secrets['token']}", "accept": "application/json"}
        return with_headers(_keyed(request), url, headers)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        status = answer.status
        if 200 <= status < 300:
            return Verdict()
        code, said = _told(answer)
        if status == 429 and "BILLING" in code:
            return Verdict(ErrorClass.QUOTA, message=describe(429, "the workspace's calls of the month are used up"))
        if status == 429:
            return Verdict(ErrorClass.RETRYABLE, message=describe(429, "too many calls a second"), retry_after=_QUIET)
        if code == "ROW_DOES_NOT_EXIST":
            return Verdict(not_found=True, message=describe(status, "the record is gone"))
        if code in _NOT_AS_AGREED:
            message = describe(
                status, f"the base is not as the workflow says, or not shared with the token: {said or code}"
            )
            return Verdict(ErrorClass.AUTH, message=message)
        if status == 422 and code:
            return Verdict(ErrorClass.INVALID_INPUT, message=describe(status, f"Airtable refused it: {said or code}"))
        return classify_status(answer)

    def remote_field(self, name: str, value: Any, lookups: Mapping[str, Any]) -> RemoteField:
        """A value in the form of its field, where the lookup `fields` says what there is."""
        fields = lookups.get("fields")
        return RemoteField(value if fields is None else fitting(cell_value, name, value, fields), name)

    def check(self, wanted: Wanted) -> Check:
        """The table, its fields, the key's field, and the right to write."""
        return _checked(wanted)


def _checked(wanted: Wanted) -> Check:
    base, name = (str(wanted.parameters.get(what) or "") for what in ("base", "table"))
    listed = yield RenderedRequest("GET", f"/v0/meta/bases/{quote(base, safe='')}/tables")
    tables = object_of(listed).get("tables") or []
    table = next((one for one in tables if name in (one.get("name"), one.get("id"))), None)
    if table is None:
        there = ", ".join(repr(one.get("name")) for one in tables) or "none"
        return [f"the base {base} has no table {name!r}: there are {there}"]
    fields = table.get("fields") or []
    faults = key_faults(str(wanted.parameters.get("key_field") or ""), fields) + field_faults(wanted.fields, fields)
    # No records are refused for being none, after the right to write was looked at.
    place = f"/v0/{quote(base, safe='')}/{quote(name, safe='')}"
    yield RenderedRequest("PATCH", place, {"content-type": "application/json"}, content=b'{"records":[]}')
    return faults


def _keyed(request: RenderedRequest) -> RenderedRequest:
    """The request with each record's `key` in its place; one that merges on nothing stays as it is."""
    if b"performUpsert" not in (request.content or b""):
        return request
    body = parse_json(request.content or b"")
    merge_on = (body.get("performUpsert") or {}).get("fieldsToMergeOn") if isinstance(body, dict) else None
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(merge_on, list) or len(merge_on) != 1 or not isinstance(records, list):
        return request
    keyed = [_with_key(one, str(merge_on[0])) if isinstance(one, dict) else one for one in records]
    return replace(request, content=json_bytes({**body, "records": keyed}))


def _with_key(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    told = {member: value for member, value in record.items() if member != "key"}
    return told if "key" not in record else {**told, "fields": {**(record.get("fields") or {}), name: record["key"]}}


def _told(answer: Answer) -> tuple[str, str]:
    """Airtable's code of an error and its sentence; empty where it says none."""
    body = error_body(answer)
    error = body.get("error")
    if isinstance(body.get("errors"), list) and body["errors"] and isinstance(body["errors"][0], Mapping):
        first = body["errors"][0]
        return str(first.get("error") or ""), str(first.get("message") or "")[:_LONGEST_SAID]
    if isinstance(error, Mapping):
        return str(error.get("type") or ""), str(error.get("message") or "")[:_LONGEST_SAID]
    return str(error or ""), ""
