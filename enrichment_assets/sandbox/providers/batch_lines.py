"""Lines of a vendor's batch: each is a call of its own that is answered later, for half the price, or never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply

HALF = Decimal("0.5")


class LineFate(StrEnum):
    """How one line of a batch ends."""

    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its end. `status` and `body` are those of a call that was made alone."""

    custom_id: str
    fate: LineFate
    status: int
    body: Any
    charges: tuple[Charge, ...] = ()


def answered(call: Call, custom_id: str, path: str, body: Any, ask: Callable[[Call], Question]) -> Line:
    """What becomes of one line: faults of the settings first, then the service's own answer, at half the price."""
    made = replace(call, method="POST", path=path, body=orjson.dumps(body))
    fate = _drawn(call, custom_id)
    if fate is not LineFate.DONE:
        return Line(custom_id, fate, 500, {})
    try:
        reply = ask(made).work()
    except Refusal as refusal:
        reply = refusal.reply
    return _ended(custom_id, reply)


def halved(lines: list[Line]) -> tuple[Charge, ...]:
    """What a batch costs."""
    return tuple(Charge(charge.subject, charge.units * HALF) for line in lines for charge in line.charges)


def _ended(custom_id: str, reply: Reply) -> Line:
    fate = LineFate.DONE if reply.status < 400 else LineFate.FAILED
    return Line(custom_id, fate, reply.status, orjson.loads(reply.body), reply.charges)


def _drawn(call: Call, custom_id: str) -> LineFate:
    drawn = call.population.rng("batch line", custom_id).roll()
    for share, fate in (
        (call.behaviour.batch_expired, LineFate.EXPIRED),
        (call.behaviour.batch_failed, LineFate.FAILED),
        (call.behaviour.batch_canceled, LineFate.CANCELED),
        (call.behaviour.batch_missing, LineFate.MISSING),
    ):
        if drawn < share:
            return fate
        drawn -= share
    return LineFate.DONE
