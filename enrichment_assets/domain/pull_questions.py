"""What a stream of a pull asks, and what its answers say, as plain values: no network, no database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from enrichment_assets.domain.coercion import UNFIT, coerce
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.pulls import PullTable, Stream


@dataclass(frozen=True, slots=True)
class Question:
    """One question, without its page.

    Attributes:
        path: Below the service's address.
        parameters: In order; a name may be there several times.
        given: Column -> value of its rows, where the answer does not say it.
        first: The first day that it is about; None: it is about no days.
        last: The last one.
    """

    path: str
    parameters: tuple[tuple[str, str], ...]
    given: Mapping[str, str]
    first: date | None = None
    last: date | None = None

    def request(self, stream: Stream, cursor: str | None = None) -> str:
        """Path and query in one spelling: what is asked is known again by it."""
        parts = list(self.parameters)
        if stream.days is not None and self.first is not None and self.last is not None:
            parts += [(stream.days.first, self.first.isoformat()), (stream.days.last, self.last.isoformat())]
        if stream.cursor is not None and cursor is not None:
            parts.append((stream.cursor.parameter, cursor))
        return f"{self.path}?{urlencode(parts)}" if parts else self.path

    def halves(self) -> tuple[Question, Question] | None:
        """The same about the first and the second half of its days; None: it is about one day or none."""
        if self.first is None or self.last is None or self.first >= self.last:
            return None
        middle = self.first + (self.last - self.first) // 2
        return replace(self, last=middle), replace(self, first=middle + timedelta(days=1))


def questions(stream: Stream, values: Sequence[str], first: date, last: date) -> Iterator[Question]:
    """What a stream asks.

    Args:
        stream: The stream.
        values: Those of the column that `each` names; nothing is asked without one.
        first: Of the days that are wanted.
        last: The last of them.
    """
    constant = tuple(sorted(stream.query.items()))
    at_once = stream.each.at_once if stream.each is not None else 1
    groups = [values[n : n + at_once] for n in range(0, len(values), at_once)] if stream.each is not None else [()]
    for group in groups:
        asked = [(stream.each.parameter, value) for value in group] if stream.each is not None else []
        column = stream.each.column if stream.each is not None else None
        question = Question(stream.path, (*constant, *asked), {column: group[0]} if column is not None else {})
        if stream.days is None:
            yield question
            continue
        for start, end in _spans(first, last, stream.days.most):
            yield replace(question, first=start, last=end)


@dataclass(frozen=True, slots=True)
class PageRead:
    """What a page says.

    Attributes:
        rows: For its table: `pulls.BUILT_IN`, then the table's columns, in order.
        items: How many items it has.
        cursor: What asks for the next page; None: it gives none.
        unfit: How many values did not fit the type of their column, and are null.
        without_key: How many items have nothing to be known by, and are left out.
    """

    rows: list[tuple[Any, ...]]
    items: int
    cursor: str | None
    unfit: int
    without_key: int


def read_page(
    stream: Stream, table: PullTable, body: bytes, given: Mapping[str, str], client: str, fetched_at: datetime
) -> PageRead:
    """Read an answer.

    Raises:
        ContractError: It is no JSON, or not of the form that the stream says.
    """
    try:
        document = parse_json(body)
    except ValueError as error:
        raise ContractError(f"the answer is no JSON: {error}", code="pull.not_as_agreed") from None
    cursor = None
    if stream.items is not None:
        if not isinstance(document, dict):
            raise _not_as_agreed("the answer is no object")
        said = document.get(stream.cursor.member) if stream.cursor is not None else None
        cursor = said if isinstance(said, str) and said else None
        document = document.get(stream.items)
        if not isinstance(document, list):
            raise _not_as_agreed(f"`{stream.items}` is no list")
    items = document if isinstance(document, list) else [document]
    return replace(read_items(stream, table, items, given, client, fetched_at), cursor=cursor)


def read_items(
    stream: Stream,
    table: PullTable,
    items: Iterable[Any],
    given: Mapping[str, str],
    client: str,
    fetched_at: datetime,
) -> PageRead:
    """The rows of a stream's items; raises `ContractError` for one that is no object."""
    besides = [stream.each.column] if stream.each is not None and stream.each.column is not None else []
    named = [name for name in table.key if name in stream.columns or name in besides]
    rows, count, unfit, without_key = [], 0, 0, 0
    for item in items:
        if not isinstance(item, Mapping):
            raise _not_as_agreed("an item is no object")
        count += 1
        said = {column: item.get(member) for column, member in stream.columns.items()}
        said |= {column: given.get(column) or item.get(column) for column in besides}
        values = {column: coerce(said.get(column), kind) for column, kind in table.columns.items()}
        unfit += sum(value is UNFIT for value in values.values())
        values = {column: None if value is UNFIT else value for column, value in values.items()}
        if any(values[name] is None for name in named):
            without_key += 1
            continue
        rows.append((client, fetched_at, coerce(item, "jsonb"), *values.values()))
    return PageRead(rows, count, None, unfit, without_key)


def _spans(first: date, last: date, most: int) -> Iterator[tuple[date, date]]:
    start = first
    while start <= last:
        end = min(start + timedelta(days=most - 1), last)
        yield start, end
        start = end + timedelta(days=1)


def _not_as_agreed(what: str) -> ContractError:
    return ContractError(f"the answer is not as agreed: {what}", code="pull.not_as_agreed")
