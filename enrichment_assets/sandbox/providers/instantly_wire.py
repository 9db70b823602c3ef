"""What all of Instantly's answers have in common: its errors, its pages, its scopes and what a body may have."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.sandbox.exchange import Call, Refusal, Reply, json_reply

_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_STATUS = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    413: "Payload Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


def may(key: str, scope: str) -> bool:
    """Whether a key has a scope: one written `name+leads:create+campaigns:all` has these, any other has all."""
    _, plus, scopes = key.partition("+")
    noun, _, action = scope.partition(":")
    return not plus or bool({scope, f"{noun}:all", f"all:{action}", "all:all"} & set(scopes.split("+")))


def error(status: int, message: str) -> Reply:
    """An answer in its error shape."""
    return json_reply(status, {"statusCode": status, "error": _STATUS.get(status, "Error"), "message": message})


def refused(status: int, message: str) -> Refusal:
    """The same, to be raised."""
    return Refusal(error(status, message))


def page(items: list[dict[str, Any]], by: str, limit: int, after: str | None) -> dict[str, Any]:
    """One page of a list. The cursor comes with the last one too: what follows is a page without items."""
    start = 0
    if after is not None:
        start = next((number for number, item in enumerate(items, 1) if item[by] == after), len(items))
    found = items[start : start + limit]
    return {"items": found, **({"next_starting_after": found[-1][by]} if found else {})}


def asked_page(call: Call, items: list[dict[str, Any]], by: str = "id") -> dict[str, Any]:
    """The page that a query asks for."""
    text = call.query.get("limit", "10")
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise refused(400, "querystring/limit must be <= 100")
    return page(items, by, int(text), call.query.get("starting_after"))


def body_of(call: Call, allowed: Collection[str], needed: Collection[str] = ()) -> dict[str, Any]:
    """A JSON body with these members only; 400 for another, for none, and where one is not there that has to be."""
    if not call.body and call.headers.get("content-type", "").startswith("application/json"):
        raise refused(400, "Body cannot be empty when content-type is set to 'application/json'")
    body = call.json()
    for name in needed:
        if name not in body:
            raise refused(400, f"body must have required property '{name}'")
    if any(name not in allowed for name in body):
        raise refused(400, "body must NOT have additional properties")
    return body


def is_address(text: str) -> bool:
    """Whether a text has the form of an address, as a server that knows no more than that would say."""
    return _ADDRESS.fullmatch(text) is not None


def without_nulls(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as some of its lists give it: what is null is not there."""
    return {name: value for name, value in item.items() if value is not None}


def now_text() -> str:
    """The time that it is, as its answers have it: UTC with milliseconds."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
