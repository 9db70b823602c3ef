"""A vendor's batch API: many prompts in one order, answered within a day, at half the price.

An order is made in three steps, each of them a request: an upload where the vendor wants the lines as a file (harmless,
and repeated at will), the order itself (the one that costs money), and a look at it now and then until it has ended.
Then its files of results are fetched and put together as one answer, in which every line stands under its name: the
key of its call, which is ours. Lines are unordered, and each ends in its own way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.prompts.completions import object_in, objects
from enrichment_assets.domain.provider import Answer, RenderedRequest

RESULTS = "results"


class LineEnd(StrEnum):
    """How a line ended."""

    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELED = "canceled"
    REFUSED = "refused"
    NOT_DONE = "not_done"


@dataclass(frozen=True, slots=True)
class Line:
    """One prompt of an order: the name by which it is found again, and the request that it would be alone."""

    name: str
    request: RenderedRequest


@dataclass(frozen=True, slots=True)
class LineResult:
    """What came of a line.

    Attributes:
        name: As it was sent.
        end: Only an answered one is billed.
        status: HTTP status of an answered one.
        body: Its answer, as if it had been asked alone.
        why: In a few words of ours where it was not answered.
    """

    name: str
    end: LineEnd
    status: int = 200
    body: Any = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of the orders of an account.

    Attributes:
        order: The one that was looked for.
        after: Where the next page begins; None: there is none.
    """

    order: Mapping[str, Any] | None
    after: str | None


@dataclass(frozen=True)
class BatchApi(ABC):
    """One vendor's batch API. `headers` and `secret_headers` are those of the workflow's requests."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Any] = field(default_factory=dict)

    @abstractmethod
    def upload(self, lines: Sequence[Line], name: str) -> RenderedRequest | None:
        """The lines as a file; None: the vendor wants them in the order."""

    @abstractmethod
    def order(self, lines: Sequence[Line], name: str, uploaded: Answer | None) -> RenderedRequest:
        """The order. `name` is ours, and is found again by `find` where the vendor keeps it.

        Raises:
            ContractError: The upload was answered with no file.
        """

    @abstractmethod
    def look(self, number: str) -> RenderedRequest:
        """The question how far an order is."""

    @abstractmethod
    def files(self, order: Mapping[str, Any]) -> Sequence[RenderedRequest] | None:
        """Requests for an ended order's results; None: it has not ended."""

    @abstractmethod
    def results(self, order: Mapping[str, Any], files: Sequence[bytes], names: Sequence[str]) -> list[LineResult]:
        """What came of the lines, `names` in the order in which they were sent; a line without a result is left out."""

    def find(self, after: str | None) -> RenderedRequest | None:
        """The question for a page of all orders; None: an order cannot be told by our name."""
        return None

    def found(self, page: Answer, name: str) -> OrderPage:
        """What a page says about the order of a name. Raises `ContractError` where it is no page."""
        raise NotImplementedError


def combined(results: Sequence[LineResult]) -> Answer:
    """The results of an order as one answer, to be kept before it is read."""
    lines = [
        {"name": one.name, "end": one.end.value, "status": one.status, "body": one.body, "why": one.why}
        for one in results
    ]
    return Answer(200, {"content-type": "application/json"}, json_bytes({RESULTS: lines}))


def results_in(body: bytes) -> Mapping[str, LineResult | None] | None:
    """The lines of a combined answer by name; None for a line with two results that differ. None: it is no such answer.

    Raises:
        ContractError: It is not JSON.
    """
    try:
        value = object_in(parse_json(body))
    except ValueError as error:
        raise ContractError(f"the batch's answer is not JSON ({error})", code="answer.order_not_json") from error
    if RESULTS not in value:
        return None
    found: dict[str, LineResult | None] = {}
    for line in objects(value[RESULTS]):
        one = LineResult(
            str(line["name"]), LineEnd(line["end"]), int(line["status"]), line.get("body"), str(line.get("why") or "")
        )
        found[one.name] = one if one.name not in found or found[one.name] == one else None
    return found


class LineReader:
    """Reads combined answers; the last one is kept taken apart, for each of its lines comes for its own."""

    def __init__(self) -> None:
        self._last: tuple[bytes, Mapping[str, LineResult | None] | None] = (b"", None)

    def lines(self, body: bytes) -> Mapping[str, LineResult | None] | None:
        """As `results_in`."""
        if self._last[0] is not body:
            self._last = (body, results_in(body))
        return self._last[1]


def json_lines(content: bytes) -> list[Mapping[str, Any]]:
    """The objects of a file of JSON lines.

    Raises:
        ContractError: A line is not JSON.
    """
    try:
        return [object_in(parse_json(line)) for line in content.splitlines() if line.strip()]
    except ValueError as error:
        raise ContractError(
            f"a line of the batch's results is not JSON ({error})", code="answer.results_not_json"
        ) from error
