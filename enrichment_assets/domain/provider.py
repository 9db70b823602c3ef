"""The seam between the engine and the providers: plain values in, plain values out, no network here.

The engine renders a workflow's request (`domain.templating`), lets the provider add its address and credentials, sends
it, commits the raw `Answer`, and only then asks the provider to `classify` it. Because an answer is classified and
read from stored bytes, `enrich replay` can do it again after a mapping was fixed, without a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from enrichment_assets.domain.statuses import ErrorClass, Outcome


class SecretPlace(NamedTuple):
    """Where a secret goes inside a header: its purpose, never its value."""

    purpose: str

    def __str__(self) -> str:
        """As a template writes it."""
        return f"{{{{secrets.{self.purpose}}}}}"


HeaderParts = tuple[str | SecretPlace, ...]
"""A header's value with places for secrets in it. Text that an item filled in stays text, whatever it says."""


@dataclass(frozen=True, slots=True)
class RenderedRequest:
    """One HTTP request ready for a provider to authorise. `url` may be a path below the provider's base URL.

    `secret_headers` are headers that wait for their secrets (`wire.secrets.fill_secrets`).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    secret_headers: Mapping[str, HeaderParts] = field(default_factory=dict)

    def spelled_headers(self) -> dict[str, str]:
        """All headers as their templates spell them, `{{secrets.purpose}}` for a secret: for keys and for people."""
        return {**self.headers, **{name: "".join(map(str, parts)) for name, parts in self.secret_headers.items()}}


@dataclass(frozen=True, slots=True)
class Answer:
    """A raw HTTP answer as the ledger keeps it; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means before its payload is mapped.

    Attributes:
        error: None when the payload may be read (or `not_found`/`accepted` is set).
        not_found: The provider says there is nothing: an outcome, not an error.
        message: For people: cause and fix, never a secret or a whole body.
        retry_after: Seconds the provider asks to wait, if it said so.
        cost_units: Units (credits) that a header or the status says were billed; None: not said.
        suppress: The person may not be processed (Hunter's 451): skip, do not ask again.
    """

    error: ErrorClass | None = None
    not_found: bool = False
    message: str = ""
    retry_after: float | None = None
    cost_units: Decimal | None = None
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What `domain.mapping` read out of one payload.

    `rejected`: field -> what the payload has for it that is no value of the field (`domain.values.rejection`).
    `note`: what was mended in the bytes to read them, for people.
    """

    outcome: Outcome
    payload: Any
    fields: Mapping[str, Any]
    cost_units: Decimal | None = None
    external_id: str | None = None
    emitted: tuple[Any, ...] = ()
    rejected: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None


class Provider(Protocol):
    """What the engine needs of a provider; the resources in `resources/` are these."""

    base_url: str

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Return the request with an absolute URL below `base_url` and credentials added (headers where possible)."""
        ...

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means, by status, headers and this provider's quirks. Never raises."""
        ...
