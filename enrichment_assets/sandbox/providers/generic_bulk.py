"""`POST /http/enrich-many`: many rows in one request, `{"rows": [...]}` to `{"results": [...]}`, billed for each hit.

An element is what `/http/enrich` would have answered to the row alone, with `status`, the HTTP status that it would
have had. What bulk APIs get wrong is asked for by the rows: `"trap"` of a row makes its answer `missing`, come `twice`,
come twice and differ (`contradicted`), or fail for it alone (`status-503`); `"order": "reversed"` turns the list round,
and `"strict": true` refuses the whole request (400) for one row that has a `bad` trap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.records import about, record_for, subject_of
from enrichment_assets.sandbox.seeded_random import hex_id

MOST_ROWS = 1_000


Promise = Callable[[Call, str, str, str, bytes, tuple[Charge, ...]], Reply]
"""(call, number, what is asked, address, body, charges) -> the answer that all of it comes later."""


def enrich_many(call: Call, unit: Decimal, promise: Promise) -> Question:
    """What a request for many rows asks; `unit` is what one hit costs. With a `callback_url` it is answered later."""
    asked = call.json()
    rows = asked.get("rows")
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS or not all(isinstance(row, dict) for row in rows):
        raise Refusal(json_reply(400, {"error": f"rows has to be a list of 1 to {MOST_ROWS} objects"}))
    if asked.get("strict") and any(row.get("trap") == "bad" for row in rows):
        raise Refusal(json_reply(400, {"error": "one of the rows is bad"}))

    subjects = "||".join(subject_of(_plain(row)) for row in rows)

    def work() -> Reply:
        results: list[dict[str, Any]] = []
        charges: list[Charge] = []
        for row in rows:
            elements, found = _answers(call, row)
            results += elements
            if found:
                charges.append(Charge(subject_of(_plain(row)), unit))
        if asked.get("order") == "reversed":
            results.reverse()
        body = {"results": results, "units": len(charges)}
        if isinstance(url := asked.get("callback_url"), str) and url:
            number = hex_id(call.population.seed, "many", subjects)
            return promise(call, number, subjects, url, orjson.dumps(body), tuple(charges))
        return json_reply(200, body, charges=tuple(charges), outcome="found" if charges else "not_found")

    return Question("enrich-many", subjects, work)


def _answers(call: Call, row: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """The elements that answer one row, and whether it is billed."""
    trap, plain = str(row.get("trap") or ""), _plain(row)
    if trap.startswith("status-"):
        status = int(trap.removeprefix("status-"))
        return [{**plain, "found": False, "status": status, "error": f"HTTP {status}"}], False
    asked = about(plain)
    found = not call.misses(asked)
    number = hex_id(call.population.seed, "http", asked)
    # A row's own `id` says whose the element is; the record has its own.
    record = record_for(call.population, plain) if found else {}
    element = {**record, **plain, "found": found, "number": number, "status": 200}
    if trap == "missing":
        return [], False
    if trap == "twice":
        return [element, element], found
    if trap == "contradicted":
        return [element, {**element, "number": number[::-1]}], found
    return [element], found


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "trap"}
