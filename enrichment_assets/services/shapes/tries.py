"""Tries: what left, what came back and what became of it, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from enrichment_assets.domain.hints import Hint
from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.tries import bodies, fields, report, said


@dataclass(frozen=True, slots=True)
class Body(Shape):
    """A body as text.

    Attributes:
        text: JSON with line ends and indents, anything else as it is; at most 8,000 characters.
        size: Bytes of the whole.
        cut: There is more of it than `text` shows.
    """

    text: str
    size: int
    cut: bool

    @classmethod
    def of(cls, body: bodies.ShownBody | None) -> Body | None:
        """From what the services return."""
        return None if body is None else cls(body.text, body.size, body.cut)


@dataclass(frozen=True, slots=True)
class TriedRequest(Shape):
    """A request as it leaves; every secret is `${VARIABLE}`.

    Attributes:
        method: `GET`, `POST` ...
        url: With its query.
        headers: By name.
        body: What is sent; null: nothing.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Body | None

    @classmethod
    def of(cls, request: bodies.ShownRequest | None) -> TriedRequest | None:
        """From what the services return."""
        if request is None:
            return None
        return cls(request.method, request.url, request.headers, Body.of(request.body))


@dataclass(frozen=True, slots=True)
class TriedAnswer(Shape):
    """What came back, as it is kept.

    Attributes:
        how: `response`, `poll` or `callback`.
        http_status: Of the response or poll.
        headers: Those that are kept, by lower-case name.
        body: What came; null: retention took it out.
        received_at: When.
    """

    how: str
    http_status: int | None
    headers: Mapping[str, str]
    body: Body | None
    received_at: datetime | None

    @classmethod
    def of(cls, answer: report.ShownAnswer | None) -> TriedAnswer | None:
        """From what the services return."""
        if answer is None:
            return None
        return cls(answer.how, answer.http_status, answer.headers, Body.of(answer.body), answer.received_at)


@dataclass(frozen=True, slots=True)
class TriedField(Shape):
    """One field of an answer.

    Attributes:
        field: Its name.
        type: What kind of value it holds.
        answered: What the mapping picked out of the answer.
        value: The normalised value that counts; null: there is none.
        rejected: Why what was answered is no value, or not all of it; null: it is.
        others: Further values of the field.
    """

    field: str
    type: str
    answered: Any
    value: Any
    rejected: str | None
    others: tuple[Any, ...]

    @classmethod
    def of(cls, one: fields.FieldReading) -> TriedField:
        """From what the services return."""
        return cls(one.field, one.type.value, one.answered, one.value, one.rejected, one.others)


@dataclass(frozen=True, slots=True)
class Citation(Shape):
    """Where a value of a model's answer stands in its inputs.

    Attributes:
        field: Its place in the answer.
        input: The input's name.
        quote: What stands there.
        start: Characters of the input before it.
    """

    field: str
    input: str
    quote: str
    start: int


@dataclass(frozen=True, slots=True)
class ModelSaid(Shape):
    """What a model says besides its answer.

    Attributes:
        model: As the answer names it.
        input_tokens: That went in, cached ones among them; null: not said.
        cached_input_tokens: Of these, read from a cache.
        output_tokens: That came out.
        searches: Web searches.
        inputs: Name to text, as the model saw it; null: taken out.
        citations: Where each grounded value stands.
    """

    model: str | None
    input_tokens: int | None
    cached_input_tokens: int | None
    output_tokens: int | None
    searches: int | None
    inputs: Mapping[str, str] | None
    citations: tuple[Citation, ...]

    @classmethod
    def of(cls, one: said.Said | None) -> ModelSaid | None:
        """From what the services return."""
        if one is None:
            return None
        used = one.usage
        return cls(
            model=one.model,
            input_tokens=None if used is None else used.input,
            cached_input_tokens=None if used is None else used.cached_input,
            output_tokens=None if used is None else used.output,
            searches=None if used is None else used.searches,
            inputs=one.asked,
            citations=tuple(Citation(c.field, c.input, c.quote, c.start) for c in one.citations),
        )


@dataclass(frozen=True, slots=True)
class TriedRow(Shape):
    """One row of a try.

    Attributes:
        row: Its number in the list; 1 where its fields were given.
        item_id: Of the try's item; null: nothing was written.
        request: What leaves; null: the workflow is computed here, or `no_request` says why.
        no_request: Why nothing can leave for this row.
        status: `PENDING`, `IN_PROGRESS`, `COMPLETED`, `SKIPPED`, `FAILED` or `AMBIGUOUS`; null: a dry run.
        outcome: `found` or `not_found`.
        reason: Why it stands there.
        error_class: Of an attempt that failed.
        hints: What helps.
        attempts: How often it was asked.
        duration_ms: How long the provider took.
        reused_from: Batch whose answer it is, where it was not asked again.
        shares_row: Row of this try whose call answers for it.
        together: Rows that its request carried.
        estimated: What a call reserves.
        cost: What it did cost; null: nothing was asked.
        currency: Of both.
        answer: What came back.
        fields: What of it is a value, and what is not.
        emitted: Child items that the answer makes; in a batch they go through the steps behind.
        said: Of a model: tokens, the inputs it saw, citations; null: none was asked.
    """

    row: int
    item_id: int | None
    request: TriedRequest | None
    no_request: str | None
    status: str | None
    outcome: str | None
    reason: str | None
    error_class: str | None
    hints: tuple[Hint, ...]
    attempts: int
    duration_ms: int | None
    reused_from: str | None
    shares_row: int | None
    together: int
    estimated: Decimal
    cost: Decimal | None
    currency: str
    answer: TriedAnswer | None
    fields: tuple[TriedField, ...]
    emitted: int
    said: ModelSaid | None

    @classmethod
    def of(cls, row: report.TriedRow, currency: str) -> TriedRow:
        """From what the services return."""
        return cls(
            row=row.row,
            item_id=row.item_id,
            request=TriedRequest.of(row.request),
            no_request=row.no_request,
            status=row.status,
            outcome=row.outcome,
            reason=row.reason,
            error_class=row.error_class,
            hints=row.hints,
            attempts=row.attempts,
            duration_ms=row.duration_ms,
            reused_from=row.reused_from,
            shares_row=row.shares_row,
            together=row.together,
            estimated=row.estimated,
            cost=row.cost,
            currency=currency,
            answer=TriedAnswer.of(row.answer),
            fields=tuple(map(TriedField.of, row.fields)),
            emitted=row.emitted,
            said=ModelSaid.of(row.said),
        )


@dataclass(frozen=True, slots=True)
class BudgetLeft(Shape):
    """A budget that covers what is tried.

    Attributes:
        workflow: Only of this workflow; null: of all.
        amount: What may be spent at most.
        left: What is left of it now.
        currency: Of both.
    """

    workflow: str | None
    amount: Decimal
    left: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Try(Shape):
    """A workflow that was asked about a few rows, to see what comes of it.

    Attributes:
        batch: Its key, by which it can be looked at again; null: a dry run.
        client: Whose it is.
        workflow: What was tried.
        provider: Who was called.
        mode: `local`, `sync` or `async`.
        simulated: The simulator was called.
        at_most: Rows that one request carries in a batch.
        settled: Nothing of it is open.
        problems: What keeps the workflow from being called.
        rejected: Field to what was given for it and is no value of it.
        rows: Its rows.
        cost: What they have cost.
        currency: Of `cost`.
        budgets: Budgets that cover it; empty: there is none.
    """

    batch: str | None
    client: str
    workflow: str
    provider: str
    mode: str
    simulated: bool
    at_most: int
    settled: bool
    problems: tuple[str, ...]
    rejected: Mapping[str, Any]
    rows: tuple[TriedRow, ...]
    cost: Decimal
    currency: str
    budgets: tuple[BudgetLeft, ...]

    @classmethod
    def of(cls, tried: report.TryReport) -> Try:
        """From what the services return."""
        return cls(
            batch=tried.key,
            client=tried.client,
            workflow=tried.workflow,
            provider=tried.provider,
            mode=tried.mode.value,
            simulated=tried.simulated,
            at_most=tried.at_most,
            settled=tried.settled,
            problems=tried.problems,
            rejected=tried.rejected,
            rows=tuple(TriedRow.of(row, tried.currency) for row in tried.rows),
            cost=tried.cost,
            currency=tried.currency,
            budgets=tuple(BudgetLeft(one.workflow, one.amount, one.left, tried.currency) for one in tried.budgets),
        )
