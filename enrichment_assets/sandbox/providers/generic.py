"""A provider of nobody's: the peer in benchmarks and crash tests, and the example for a workflow that is only a row.

`POST /http/enrich` answers about the person or company in the body, padded to `?bytes=`; with a `callback_url` in the
body it answers 202 and calls back. `POST /http/enrich-many` answers about many at once (`generic_bulk`). `POST
/http/echo` answers what it was sent, free. Idempotency keys are honoured.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import (
    Call,
    Charge,
    PlannedCallback,
    Question,
    Refusal,
    Reply,
    found_reply,
    json_reply,
    missed_reply,
)
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, no_such_path
from enrichment_assets.sandbox.providers.generic_bulk import enrich_many
from enrichment_assets.sandbox.providers.records import about, record_for, subject_of, without_callback
from enrichment_assets.sandbox.seeded_random import hex_id

ONE = Decimal(1)
KEPT_RESULTS = 500_000
HIGHEST_BYTES = 16 * 1024 * 1024


class GenericHttp(SimulatedProvider):
    """Everything below `/http/...`."""

    name = "http"
    price = Decimal("0.01")
    honours_idempotency = True
    needs_key = False

    def __init__(self) -> None:
        self._owed: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def key(self, call: Call) -> str:
        """`x-api-key` or a bearer token; none is needed."""
        return call.headers.get("x-api-key") or bearer(call)

    def question(self, call: Call) -> Question:
        """echo, enrich, or a result that was promised."""
        path = call.path.rstrip("/")
        if path == "/echo":
            return self._echo(call)
        if path == "/enrich":
            return self._enrich(call)
        if path == "/enrich-many":
            return enrich_many(call, ONE, self._promise)
        if call.method == "GET" and path.startswith("/results/"):
            number = path.rpartition("/")[2]
            return Question("results", number, lambda: self._result(number))
        raise no_such_path(call)

    def _echo(self, call: Call) -> Question:
        body = {
            "method": call.method,
            "path": call.path,
            "query": dict(call.query),
            "json": call.json(),
            "idempotency_key": call.headers.get("idempotency-key"),
        }
        return Question("echo", subject_of(call.json()), lambda: json_reply(200, body))

    def _enrich(self, call: Call) -> Question:
        row = {**call.query, **call.json()}
        text = str(row.pop("bytes", "") or "0")
        if not text.isdigit() or int(text) > HIGHEST_BYTES:
            raise Refusal(json_reply(400, {"error": "bytes has to be a number up to 16 MiB"}))
        size, url = int(text), row.get("callback_url")
        row = without_callback(row)
        subject, asked = subject_of(row), about(row)

        def work() -> Reply:
            missed = call.misses(asked)
            number = hex_id(call.population.seed, "http", asked)
            record = {"found": not missed, "id": number, **row, **({} if missed else record_for(call.population, row))}
            body = padded(record, size)
            if isinstance(url, str) and url:
                return self._promise(call, number, asked, url, body, () if missed else (Charge(subject, ONE),))
            if missed:
                reply = missed_reply(orjson.Fragment(body), subject)
            else:
                reply = found_reply(orjson.Fragment(body), subject, ONE)
            reply.headers["x-request-cost"] = str(reply.units)
            return reply

        return Question("enrich", subject, work, about=asked)

    def _promise(
        self, call: Call, number: str, asked: str, url: str, body: bytes, charges: tuple[Charge, ...]
    ) -> Reply:
        """Accepted: the body goes to the address later, and can be asked for by its number."""
        identity = f"http|{asked}"
        delay = call.callback_delay(identity)
        self._owed[number] = (time.monotonic() + delay, body)
        if len(self._owed) > KEPT_RESULTS:
            self._owed.popitem(last=False)
        return json_reply(
            202,
            {"status": "accepted", "id": number},
            charges=charges,
            callbacks=(PlannedCallback(url, body, identity, delay),),
            outcome="accepted",
        )

    def _result(self, number: str) -> Reply:
        owed = self._owed.get(number)
        if owed is None:
            return json_reply(404, {"error": "unknown id"}, outcome="refused")
        if time.monotonic() < owed[0]:
            return json_reply(202, {"status": "pending", "id": number}, outcome="pending")
        return Reply(200, owed[1])


def padded(record: dict[str, Any], size: int) -> bytes:
    """The record as JSON of exactly `size` bytes, if it is not longer anyway."""
    body = orjson.dumps(record)
    missing = size - len(body) - len(b',"padding":""')
    if missing < 0:
        return body
    return body[:-1] + b',"padding":"' + b"x" * missing + b'"}'
