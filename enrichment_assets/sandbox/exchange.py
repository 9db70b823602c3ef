"""The plain values that pass between the server and the simulated providers: a call in, a reply out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import orjson

from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.settings import Behaviour, SandboxSettings

JSON = "application/json; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain; charset=utf-8"
FREE = Decimal(0)


@dataclass(slots=True)
class Call:
    """One request as a provider sees it. `path` is what follows `/<provider>`; header names are case-insensitive."""

    provider: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    settings: SandboxSettings
    behaviour: Behaviour
    population: Population
    key: str = ""
    attempt: int = 0

    def json(self) -> dict[str, Any]:
        """The body as a JSON object (empty body: empty object); raises `Refusal` with a 400 otherwise."""
        if not self.body:
            return {}
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Refusal(json_reply(400, {"error": "the request body is no JSON"})) from error
        if not isinstance(value, dict):
            raise Refusal(json_reply(400, {"error": "the request body has to be a JSON object"}))
        return value

    def fields(self) -> dict[str, Any]:
        """What is asked, wherever it stands: the query, and a body as JSON or as a form (`a[]=1&a[]=2` is a list)."""
        asked = _form(self.query.items())
        if self.headers.get("content-type", "").startswith(_FORM):
            return {**asked, **_form(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))}
        return {**asked, **self.json()}

    def callback_delay(self, identity: str) -> float:
        """Seconds until this provider has the answer that it calls back with."""
        return self.behaviour.callback_delay_of.sample(self.population.rng("callback delay", self.provider, identity))

    def is_rare(self, subject: str) -> bool:
        """Whether this subject is answered in the rarer shapes of its provider: the same every time it is asked."""
        share = self.behaviour.rare_shapes
        return share > 0 and self.population.rng("rare", self.provider, subject).chance(share)

    def misses(self, subject: str) -> bool:
        """Whether this provider does not know `subject`: the same answer every time it is asked."""
        share = self.behaviour.miss
        return share > 0 and self.population.rng("miss", self.provider, subject).chance(share)


@dataclass(frozen=True, slots=True)
class Charge:
    """Units billed for one subject of one call."""

    subject: str
    units: Decimal


@dataclass(frozen=True, slots=True)
class PlannedCallback:
    """A POST that the provider owes to `url`, due `after` seconds; `identity` is what it answers.

    `answered`, for a provider that tries again: called with the receiver's status (None: no answer came), gives the
    next try or None.
    """

    url: str
    body: bytes
    identity: str
    after: float
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    answered: Callable[[int | None], PlannedCallback | None] | None = None


@dataclass(slots=True)
class Reply:
    """One answer with what it costs and what is called back later.

    `outcome` is found, not_found or refused; `after` is how many seconds the provider sits on it.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    charges: tuple[Charge, ...] = ()
    callbacks: tuple[PlannedCallback, ...] = ()
    outcome: str = "found"
    after: float = 0.0

    @property
    def units(self) -> Decimal:
        """All units billed for this answer."""
        return sum((charge.units for charge in self.charges), FREE)


@dataclass(frozen=True, slots=True)
class Question:
    """What a call asks: `work` makes the answer and is what gets billed.

    `identity` names the subject on the bill; `about` is what fates are drawn from, where that is something else.
    """

    operation: str
    identity: str
    work: Callable[[], Reply]
    about: str = ""


class Refusal(Exception):
    """The provider answers without working: a bad request, an unknown path."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        reply.outcome = "refused"
        self.reply = reply


def json_reply(status: int, value: object, **kwargs: Any) -> Reply:
    """A reply with a JSON body."""
    return Reply(status, orjson.dumps(value), **kwargs)


def text_reply(status: int, text: str, **kwargs: Any) -> Reply:
    """A reply with a plain text body."""
    return Reply(status, text.encode(), content_type=TEXT, **kwargs)


def found_reply(value: object, subject: str, units: Decimal, **kwargs: Any) -> Reply:
    """A 200 with a JSON body, billed to one subject."""
    return json_reply(200, value, charges=(Charge(subject, units),), **kwargs)


def missed_reply(value: object, subject: str, units: Decimal = FREE, status: int = 200) -> Reply:
    """An answer that says there is nothing; most providers do not bill it."""
    charges = (Charge(subject, units),) if units else ()
    return json_reply(status, value, charges=charges, outcome="not_found")


def _form(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Form fields as members: one whose name ends in `[]`, or that is there twice, is a list."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        plain = name.removesuffix("[]")
        if plain not in fields:
            fields[plain] = [value] if name.endswith("[]") else value
        elif isinstance(fields[plain], list):
            fields[plain].append(value)
        else:
            fields[plain] = [fields[plain], value]
    return fields
