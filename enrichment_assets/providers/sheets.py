"""Google Sheets: rows of a sheet, each found by a key of ours in a column of its own.

One call says which rows are to be there (`rows`, with a key each), and is several requests: what sheets there are, the
header, the key column in pages, then one request that writes the rows that were found and one that adds the others.
Appending by itself is not repeatable; looking for the key first is what makes the whole call so.

Quirks (developers.google.com/workspace/sheets/api): `values.append` writes under the last *table* of a range, from that
table's first column, so that a gap or a note moves it: rows are added by `appendCells`, after the last row of the sheet
and from its first column. A range that begins outside of the grid is a 400. A quota is a 429 without a header that says
when to come back; quotas are refilled each minute. 403 is a sheet that is not shared with the service account.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from enrichment_assets.domain.crm.values import in_order
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.google_conversation import ConversationEnded, authorised, object_told, with_token
from enrichment_assets.domain.google_tokens import credentials_of
from enrichment_assets.domain.http_answers import classify_status, describe, error_body, object_of
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import (
    Answer,
    Check,
    Conversation,
    Provider,
    RenderedRequest,
    Secret,
    Verdict,
)
from enrichment_assets.domain.provider import Wanted as WantedThere
from enrichment_assets.domain.request_parts import with_headers
from enrichment_assets.domain.sheet_rows import (
    Sheet,
    SheetFault,
    Wanted,
    appended,
    columns_of,
    note_keys,
    too_long,
    updates,
)
from enrichment_assets.domain.statuses import ErrorClass

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
KEYS_A_PAGE = 20_000
CELLS_A_QUESTION = 100
"""Ranges of one question, so that its address stays short."""

_JSON = {"content-type": "application/json"}
_BOOK = "/v4/spreadsheets/"
_ABOUT = {"fields": "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)))"}
_MINUTE = 60.0


class Sheets(Provider):
    """Calls to Google Sheets' API v4."""

    name = "sheets"
    title = "Google Sheets"
    company = "Google"
    home = "https://sheets.googleapis.com"
    secrets = (Secret("credentials", "GOOGLE_SHEETS_CREDENTIALS"),)
    key_word = "GOOGLE_SHEETS"
    billing = "nothing: requests have a quota of the minute"
    documentation = "https://developers.google.com/workspace/sheets/api/reference/rest"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add what is a token already; credentials of another kind are exchanged for one in the conversation.

        Raises:
            ConfigurationError: The credentials are none.
        """
        return authorised(request, secrets, base_url)

    def conversation(self, request: RenderedRequest, secrets: Mapping[str, str]) -> Conversation:
        """The requests of one call: a token where one is needed, then what the module's text says."""
        return _held(request, credentials_of(secrets["credentials"]))

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        said = error_body(answer).get("error")
        told = str(said.get("message") or "") if isinstance(said, Mapping) else str(said or "")
        if answer.status == 429:
            return Verdict(ErrorClass.RETRYABLE, message=describe(429, "the quota of a minute"), retry_after=_MINUTE)
        if told in ("invalid_grant", "invalid_client", "unauthorized_client"):
            message = describe(answer.status, f"Google refuses the credentials ({told}): they are revoked or expired")
            return Verdict(ErrorClass.AUTH, message=message)
        if answer.status == 403:
            advice = "the spreadsheet is not shared with this account for writing, or the API is not enabled"
            return Verdict(ErrorClass.AUTH, message=describe(403, advice))
        if answer.status == 404:
            message = describe(404, "there is no such spreadsheet, or it is not shared with this account")
            return Verdict(ErrorClass.AUTH, message=message)
        if answer.status == 424:  # ours: the sheet is not as the workflow says
            return Verdict(ErrorClass.AUTH, message=told)
        if answer.status == 410 and told:  # ours: somebody deleted the row
            return Verdict(not_found=True, message=told)
        if answer.status in (409, 422) and told:  # ours: one row cannot be written
            return Verdict(ErrorClass.INVALID_INPUT, message=told)
        return classify_status(answer)

    def check(self, wanted: WantedThere) -> Check:
        """The sheet, its columns, and the right to write."""
        return _checked(wanted)


def _checked(wanted: WantedThere) -> Check:
    url = f"{_BOOK}{quote(str(wanted.parameters.get('spreadsheet') or ''), safe='')}"
    title = str(wanted.parameters.get("sheet") or "")
    told = object_of((yield RenderedRequest("GET", url, query=_ABOUT)))
    try:
        sheet = _named(told, title)
        range_ = quote(sheet.row(int(wanted.parameters.get("header_row") or 1)), safe="")
        header = object_of((yield RenderedRequest("GET", f"{url}/values/{range_}"))).get("values") or [[]]
        faults = []
        for name in (str(wanted.parameters.get("key_column") or ""), *wanted.fields):
            try:
                columns_of(header[0], [name], sheet.title)
            except SheetFault as fault:
                faults.append(str(fault))
    except SheetFault as fault:
        return [str(fault)]
    # Writing nothing is refused to who may not write.
    nothing = json_bytes({"valueInputOption": "RAW", "data": []})
    yield RenderedRequest("POST", f"{url}/values:batchUpdate", _JSON, content=nothing)
    return faults


def _held(request: RenderedRequest, credentials: Mapping[str, Any] | None) -> Conversation:
    """All of one call."""
    try:
        base = request.url.partition(_BOOK)[0]
        request = yield from with_token(request, credentials, SCOPE, base, Sheets.home)
        if b'"rows"' not in (request.content or b""):  # a question that is one request
            return (yield request)
        return (yield from _rows_written(request))
    except SheetFault as fault:
        return _answer(424, {"error": str(fault)})
    except ConversationEnded as ended:
        return ended.answer


def _rows_written(request: RenderedRequest) -> Conversation:
    told = parse_json(request.content or b"")
    if not isinstance(told, dict) or not isinstance(told.get("rows"), list):
        raise ConfigurationError("sheets: the body has to say `sheet`, `key_column` and `rows`", code="sheets.no_rows")
    key_column, header_row = str(told.get("key_column") or ""), int(told.get("header_row") or 1)
    rows = [_wanted(one) for one in in_order(told["rows"])]
    sheet = yield from _sheet(request, str(told.get("sheet") or ""))
    headers = [key_column, *dict.fromkeys(name for row in rows for name in row.cells)]
    (header,) = yield from _values(request, [sheet.row(header_row)])
    sheet.columns = columns_of(header[0] if header else [], headers, sheet.title)
    yield from _keys_noted(request, sheet, key_column, header_row, frozenset(row.key for row in rows))
    fates = {row.key: _refusal(sheet, row) for row in rows}
    found = [row for row in rows if row.key in sheet.rows and fates[row.key] is None]
    current = yield from _current(request, sheet, found)
    data = [one for row in found for one in updates(sheet, row, sheet.rows[row.key][0], current.get(row.key, {}))]
    if data:
        body = {"valueInputOption": "RAW", "data": data}
        yield from object_told(_post(request, "/values:batchUpdate", body))
    added = [row for row in rows if row.key not in sheet.rows and fates[row.key] is None]
    if added:
        yield from object_told(_post(request, ":batchUpdate", appended(sheet, key_column, added)))
    new = {row.key for row in added}
    return _answer(200, {"results": [fates[row.key] or {"key": row.key, "new": row.key in new} for row in rows]})


def _refusal(sheet: Sheet, row: Wanted) -> dict[str, Any] | None:
    """Why one row is not written, as its part of the answer; None: it is."""
    places = sheet.rows.get(row.key, [])
    if len(places) > 1:
        numbers = " and ".join(map(str, places[:5]))
        return _refused(row, 409, f"the key stands in rows {numbers} of the sheet: delete all but one")
    if not places and not row.is_new:
        return _refused(row, 410, "its row was deleted from the sheet; it is not made again by itself")
    why = too_long(row)
    return None if why is None else _refused(row, 422, why)


def _refused(row: Wanted, status: int, why: str) -> dict[str, Any]:
    return {"key": row.key, "status": status, "error": why}


def _sheet(request: RenderedRequest, title: str) -> Generator[RenderedRequest, Answer, Sheet]:
    told = yield from object_told(replace(request, method="GET", content=None, query=_ABOUT))
    return _named(told, title)


def _named(told: Mapping[str, Any], title: str) -> Sheet:
    """The sheet of a spreadsheet that is meant; raises `SheetFault`."""
    about = [one.get("properties") or {} for one in told.get("sheets") or ()]
    found = [one for one in about if one.get("title") == title] if title else about[:1]
    if not found:
        there = ", ".join(repr(one.get("title")) for one in about)
        raise SheetFault(f"the spreadsheet has no sheet {title!r}: there are {there}")
    size = found[0].get("gridProperties") or {}
    return Sheet(str(found[0]["title"]), int(found[0]["sheetId"]), int(size.get("rowCount") or 0))


def _keys_noted(
    request: RenderedRequest, sheet: Sheet, key_column: str, header_row: int, asked: frozenset[str]
) -> Generator[RenderedRequest, Answer, None]:
    """Read the key column page by page, never beyond the sheet's last row."""
    place = sheet.column(key_column)
    for first in range(header_row + 1, sheet.row_count + 1, KEYS_A_PAGE):
        last = min(first + KEYS_A_PAGE - 1, sheet.row_count)
        (page,) = yield from _values(request, [sheet.a1(place, first, place, last)])
        note_keys(sheet, first, page, asked)


def _current(
    request: RenderedRequest, sheet: Sheet, found: Sequence[Wanted]
) -> Generator[RenderedRequest, Answer, dict[str, dict[str, Any]]]:
    """Key -> header -> what the cell has now, for the cells that are written only where they are empty."""
    asked = [(row, header) for row in found for header in row.cells if header in row.if_empty]
    current: dict[str, dict[str, Any]] = {}
    for start in range(0, len(asked), CELLS_A_QUESTION):
        some = asked[start : start + CELLS_A_QUESTION]
        ranges = [sheet.a1(sheet.column(header), sheet.rows[row.key][0]) for row, header in some]
        cells = yield from _values(request, ranges)
        for (row, header), cell in zip(some, cells, strict=True):
            current.setdefault(row.key, {})[header] = cell[0][0] if cell and cell[0] else None
    return current


def _values(
    request: RenderedRequest, ranges: Sequence[str]
) -> Generator[RenderedRequest, Answer, list[list[list[Any]]]]:
    """The cells of some ranges, rows of each."""
    asked = urlencode(
        [("valueRenderOption", "UNFORMATTED_VALUE"), *(("ranges", one) for one in ranges)], quote_via=quote
    )
    told = yield from object_told(
        replace(request, method="GET", content=None, url=f"{request.url}/values:batchGet?{asked}")
    )
    found = [one.get("values") or [] for one in told.get("valueRanges") or ()]
    if len(found) != len(ranges):
        raise ConversationEnded(_answer(502, {"error": "Google answered about other ranges than were asked"}))
    return found


def _post(request: RenderedRequest, path: str, body: Mapping[str, Any]) -> RenderedRequest:
    posted = replace(request, method="POST", url=f"{request.url}{path}", content=json_bytes(body))
    return with_headers(posted, posted.url, _JSON)


def _wanted(told: Mapping[str, Any]) -> Wanted:
    cells = told.get("cells") or {}
    names = {name: frozenset(told.get(name) or ()) for name in ("if_empty", "only_new")}
    return Wanted(str(told["key"]), cells, names["if_empty"], names["only_new"], is_new=told.get("is_new") is not False)


def _answer(status: int, body: Mapping[str, Any]) -> Answer:
    return Answer(status, _JSON, json_bytes(body))
