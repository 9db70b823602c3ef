"""Google Sheets' API v4, and the token endpoint that a service account or a refresh token asks first.

`POST /sheets/token` gives a token that is good for an hour. A service account's address that begins with `viewer` may
read only, one that begins with `stranger` is shared nothing with. A spreadsheet belongs to nobody's token: whoever
knows its id sees it. `RAW` keeps a text as it is, `USER_ENTERED` reads it as if a person had typed it. A quota's 429
names the quota, and no header says when to come back.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

import orjson

from enrichment_assets.sandbox.crm.grid import Area, GridError, Sheet, column_letters, rendered
from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer
from enrichment_assets.sandbox.seeded_random import hex_id

_PREFIX = "ya29."
_TYPES = {
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "assertion",
    "refresh_token": "refresh_token",
}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}
Book = dict[str, Sheet]
Answer = Callable[["Sheets", Call, re.Match[str]], Reply]


class Sheets(SimulatedProvider):
    """Everything below `/sheets/v4/spreadsheets`."""

    name = "sheets"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"read": "300/m", "write": "300/m"}

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}

    def question(self, call: Call) -> Question:
        """A token, or a reading or writing of cells; both kinds have a quota of their own."""
        if (call.method, call.path) == ("POST", "/token"):
            return Question("token", call.key, lambda: _token(call))
        for method, pattern, kind, answer in _ROUTES:
            found = re.fullmatch(pattern, call.path) if method == call.method else None
            if found is not None:
                about = f"{call.method} {call.path} {sorted(call.query.items())} {call.body.decode('utf-8', 'replace')}"
                return Question(kind, about, partial(self._answered, answer, call, found, kind))
        raise Refusal(_error(404, "Requested entity was not found."))

    def key(self, call: Call) -> str:
        """The access token; for a token, who asks for it."""
        if call.path == "/token":
            return _grantee(call)
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401, or what the token endpoint says."""
        if call.path == "/token":
            return json_reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
        return _error(401, message)

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 of a minute."""
        limit = f"{operation.capitalize()} requests per minute per user"
        message = f"Quota exceeded for quota metric '{operation.capitalize()} requests' and limit '{limit}'"
        return _error(429, f"{message} of service 'sheets.googleapis.com' for consumer 'project_number:1'.")

    def exhausted(self, call: Call) -> Reply:
        """The same of a day's."""
        return self.rate_limited(call, "write", 0)

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in its error shape."""
        return _error(status, "Internal error encountered.")

    def book(self, call: Call, found: re.Match[str]) -> Book:
        """The spreadsheet of a route; raises `Refusal`."""
        book = self.books.get(found["id"])
        if book is None:
            raise Refusal(_error(404, "Requested entity was not found."))
        return book

    def _answered(self, answer: Answer, call: Call, found: re.Match[str], kind: str) -> Reply:
        who = call.key.removeprefix(_PREFIX)
        if who.startswith("stranger") or (kind == "write" and who.startswith("viewer")):
            raise Refusal(_error(403, "The caller does not have permission"))
        try:
            reply = answer(self, call, found)
        except GridError as wrong:
            raise Refusal(_error(400, str(wrong))) from wrong
        reply.charges = (Charge("calls", Decimal(1)),)
        return reply


def _token(call: Call) -> Reply:
    told = call.fields()
    if told.get("grant_type") not in _TYPES:
        raise Refusal(json_reply(400, {"error": "unsupported_grant_type"}))
    if not call.key or "revoked" in call.key:
        message = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        raise Refusal(json_reply(400, message))
    return json_reply(200, {"access_token": f"{_PREFIX}{call.key}", "expires_in": 3599, "token_type": "Bearer"})


def _grantee(call: Call) -> str:
    """Who asks for a token: the address of a service account, or a refresh token; empty: nobody."""
    told = call.fields()
    name = _TYPES.get(str(told.get("grant_type")), "")
    grant = str(told.get(name) or "")
    if name != "assertion":
        return grant
    try:
        _, claims, _ = grant.split(".")
        read = orjson.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (ValueError, binascii.Error):
        return ""
    lives = int(read.get("exp", 0)) - int(read.get("iat", 0))
    return str(read.get("iss") or "") if 0 < lives <= 3600 and "spreadsheets" in str(read.get("scope")) else ""


def _create(sheets: Sheets, call: Call, _: re.Match[str]) -> Reply:
    told = call.json()
    titles = [one["properties"]["title"] for one in told.get("sheets") or ()] or ["Sheet1"]
    number = hex_id(call.population.seed, "spreadsheet", len(sheets.books))
    sheets.books[number] = {title: Sheet(place, title) for place, title in enumerate(titles)}
    return json_reply(200, {"spreadsheetId": number, "sheets": _shown(sheets.books[number])})


def _about(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    return json_reply(200, {"spreadsheetId": found["id"], "sheets": _shown(sheets.book(call, found))})


def _change(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    """What people do to a sheet, and `appendCells`."""
    book = sheets.book(call, found)
    for request in call.json().get("requests") or ():
        (name, told), *_ = request.items()
        if name == "addSheet":
            title = told["properties"]["title"]
            book[title] = Sheet(len(book), title)
            continue
        span = told.get("range") or (told.get("filter") or told.get("protectedRange") or {}).get("range") or told
        sheet = _by_number(book, span.get("sheetId", 0))
        if name == "sortRange":
            sheet.sort(told["sortSpecs"][0]["dimensionIndex"], span.get("startRowIndex", 0))
        elif name == "setBasicFilter":
            sheet.filtered = True
        elif name == "addProtectedRange":
            sheet.protected.append(dict(told["protectedRange"]))
        elif name in ("insertDimension", "deleteDimension"):
            _move(sheet, span, is_new=name == "insertDimension")
        elif name == "appendCells":
            sheet.append_cells([[_entered(cell) for cell in row.get("values") or ()] for row in told["rows"]])
        else:
            raise GridError(f'Invalid JSON payload received. Unknown name "{name}"')
    return json_reply(200, {"spreadsheetId": found["id"], "replies": [{} for _ in call.json().get("requests") or ()]})


def _move(sheet: Sheet, span: Mapping[str, Any], *, is_new: bool) -> None:
    start, end = span["startIndex"], span["endIndex"]
    if span["dimension"] == "ROWS":
        sheet.rows[start : start if is_new else end] = [[] for _ in range(end - start)] if is_new else []
        sheet.row_count += (end - start) * (1 if is_new else -1)
        return
    for row in sheet.rows:
        row[start : start if is_new else end] = [None] * (end - start) if is_new and start < len(row) else []
    sheet.column_count += (end - start) * (1 if is_new else -1)


def _entered(cell: Mapping[str, Any]) -> Any:
    value = cell.get("userEnteredValue") or {}
    if "formulaValue" in value:
        raise GridError("formulas are not simulated here")
    return next(iter(value.values()), None)


def _get(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    return json_reply(200, _read(sheets.book(call, found), found["range"], call.query))


def _batch_get(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    asked = call.fields().get("ranges") or []
    ranges = [asked] if isinstance(asked, str) else asked
    book = sheets.book(call, found)
    told = [_read(book, one, call.query) for one in ranges]
    return json_reply(200, {"spreadsheetId": found["id"], "valueRanges": told})


def _update(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    is_parsed = _is_parsed(call.query.get("valueInputOption"))
    done = _write(sheets.book(call, found), found["range"], call.json(), parse=is_parsed)
    return json_reply(200, {"spreadsheetId": found["id"], **done})


def _batch_update(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    told, book = call.json(), sheets.book(call, found)
    parse = _is_parsed(told.get("valueInputOption"))
    spans = told.get("data") or []
    for one in spans:  # all or nothing
        _place(book, one["range"])
    done = [{"spreadsheetId": found["id"], **_write(book, one["range"], one, parse=parse)} for one in spans]
    rows, cells = (sum(one[name] for one in done) for name in ("updatedRows", "updatedCells"))
    totals = {"totalUpdatedRows": rows, "totalUpdatedCells": cells, "totalUpdatedSheets": 1 if done else 0}
    return json_reply(200, {"spreadsheetId": found["id"], **totals, "responses": done})


def _append(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    sheet, area = _place(sheets.book(call, found), found["range"])
    values = call.json().get("values") or []
    parse = _is_parsed(call.query.get("valueInputOption"))
    is_inserted = call.query.get("insertDataOption") == "INSERT_ROWS"
    table, written = sheet.append(area, values, parse=parse, insert=is_inserted)
    where = {} if table is None else {"tableRange": sheet.name(table)}
    body = {"spreadsheetId": found["id"], **where, "updates": {"spreadsheetId": found["id"], **_done(sheet, written)}}
    return json_reply(200, body)


def _clear(sheets: Sheets, call: Call, found: re.Match[str]) -> Reply:
    sheet, area = _place(sheets.book(call, found), found["range"])
    kept = sheet.values(area)
    sheet.write(area.top, area.left, [["" for _ in row] for row in kept], parse=False)
    return json_reply(200, {"spreadsheetId": found["id"], "clearedRange": sheet.name(area)})


_ID = r"/v4/spreadsheets/(?P<id>[^/:]+)"
_ROUTES: tuple[tuple[str, str, str, Answer], ...] = (
    ("POST", "/v4/spreadsheets", "write", _create),
    ("GET", _ID, "read", _about),
    ("POST", f"{_ID}:batchUpdate", "write", _change),
    ("GET", f"{_ID}/values:batchGet", "read", _batch_get),
    ("POST", f"{_ID}/values:batchUpdate", "write", _batch_update),
    ("POST", f"{_ID}/values/(?P<range>.+):append", "write", _append),
    ("POST", f"{_ID}/values/(?P<range>.+):clear", "write", _clear),
    ("GET", f"{_ID}/values/(?P<range>.+)", "read", _get),
    ("PUT", f"{_ID}/values/(?P<range>.+)", "write", _update),
)


def _place(book: Book, text: str) -> tuple[Sheet, Area]:
    """The sheet and the area of a range: `Leads!A2:C`, `'New leads'!A1`, `Leads`, `A1`."""
    name, mark, rest = text.rpartition("!")
    if not mark:
        if text.strip("'") in book:
            name, rest = text, ""
        else:
            return (sheet := next(iter(book.values()))), sheet.area(rest)
    title = name[1:-1].replace("''", "'") if name.startswith("'") else name
    if title not in book:
        raise GridError(f"Unable to parse range: {text}")
    return book[title], book[title].area(rest)


def _by_number(book: Book, number: int) -> Sheet:
    found = next((sheet for sheet in book.values() if sheet.id == number), None)
    if found is None:
        raise GridError(f"Invalid requests: No grid with id: {number}")
    return found


def _is_parsed(option: Any) -> bool:
    if option not in ("RAW", "USER_ENTERED"):
        raise GridError("'valueInputOption' is required but not specified")
    return bool(option == "USER_ENTERED")


def _read(book: Book, text: str, query: Mapping[str, str]) -> dict[str, Any]:
    sheet, area = _place(book, text)
    option = query.get("valueRenderOption", "FORMATTED_VALUE")
    rows = [[rendered(value, option) for value in row] for row in sheet.values(area)]
    dimension = query.get("majorDimension", "ROWS")
    if dimension == "COLUMNS":
        width = max((len(row) for row in rows), default=0)
        rows = [[row[column] if column < len(row) else "" for row in rows] for column in range(width)]
    return {"range": sheet.name(area), "majorDimension": dimension, **({"values": rows} if rows else {})}


def _write(book: Book, text: str, told: Mapping[str, Any], *, parse: bool) -> dict[str, Any]:
    sheet, area = _place(book, text)
    values = told.get("values") or []
    width = max((len(row) for row in values), default=0)
    if area.right is not None and ":" in text and width > area.right - area.left + 1:
        last = column_letters(area.right)
        raise GridError(f"Requested writing within range [{text}], but tried writing to column beyond [{last}]")
    return _done(sheet, sheet.write(area.top, area.left, values, parse=parse))


def _done(sheet: Sheet, written: Area) -> dict[str, Any]:
    rows = int(written.bottom or 0) - written.top + 1
    columns = int(written.right or 0) - written.left + 1
    counts = {"updatedRows": rows, "updatedColumns": columns, "updatedCells": rows * columns}
    return {"updatedRange": sheet.name(written), **counts}


def _shown(book: Book) -> list[dict[str, Any]]:
    return [
        {
            "properties": {
                "sheetId": sheet.id,
                "title": title,
                "index": place,
                "sheetType": "GRID",
                "gridProperties": {"rowCount": sheet.row_count, "columnCount": sheet.column_count},
            },
            **({"basicFilter": {"range": {"sheetId": sheet.id}}} if sheet.filtered else {}),
            **({"protectedRanges": sheet.protected} if sheet.protected else {}),
        }
        for place, (title, sheet) in enumerate(book.items())
    ]


def _error(status: int, message: str) -> Reply:
    return json_reply(
        status, {"error": {"code": status, "message": message, "status": _STATUS.get(status, "INTERNAL")}}
    )
