"""How a try is printed: request, answer, fields and cost of each row, then the budget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from enrichment_assets.cli.hints import all_worded
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.tables import print_table
from enrichment_assets.domain.money import Money
from enrichment_assets.domain.visible import visible

if TYPE_CHECKING:
    from enrichment_assets.services.tries.bodies import ShownBody, ShownRequest
    from enrichment_assets.services.tries.fields import FieldReading
    from enrichment_assets.services.tries.report import ShownAnswer, TriedRow, TryReport
    from enrichment_assets.services.tries.said import Said

_HIDDEN_HEADERS = frozenset({"date", "server", "connection", "content-length", "transfer-encoding"})
"""Of an answer: they say nothing of it. `--json` has them."""


def print_try(report: TryReport) -> None:
    """Print a try, or what one would be."""
    where = "simulator" if report.simulated else "real provider"
    kind = "computed here" if report.provider == "local" else f"{report.provider}, {report.mode.value}, {where}"
    say(f"{report.key or 'dry run'}: {report.workflow} ({kind}) for client {report.client}")
    for name, entry in report.rejected.items():
        _say("given", f"{name} {entry['value']!r} is no value of that field: {entry['reason']}")
    for row in report.rows:
        typer.echo()
        _print_row(row, report)
    if report.at_most > 1:
        _say("bulk", f"in a batch, up to {report.at_most} rows share one request")
    if report.provider != "local":
        _print_budgets(report)
    for problem in report.problems:
        _say("problem", problem)


def _print_budgets(report: TryReport) -> None:
    for budget in report.budgets:
        of = f" for {budget.workflow}" if budget.workflow else ""
        left = Money(budget.left, report.currency)
        _say("budget", f"the client's budget{of} of {Money(budget.amount, report.currency)}: {left} left")
    if not report.budgets:
        _say("budget", "none covers this workflow")


def _print_row(row: TriedRow, report: TryReport) -> None:
    say(f"row {row.row}", bold=True)
    if row.request is not None:
        _print_request(row.request)
    elif row.no_request is not None:
        _say("request", f"none: {row.no_request}")
    if row.answer is not None:
        _print_answer(row, row.answer)
    if row.status is not None:
        _say("result", _result(row))
    if row.hints:
        _say("do", all_worded(row.hints))
    if row.fields:
        print_table(("field", "type", "answered", "value", "why not"), map(_field_row, row.fields))
    if row.emitted:
        _say(
            "emits",
            f"{row.emitted} child items, which the steps behind would go on with; nobody is asked about them here",
        )
    if row.said is not None:
        _print_said(row.said)
    if report.provider != "local":
        _say("cost", _cost(row, report.currency))


def _print_said(said: Said) -> None:
    """What a model says besides its answer."""
    for one in said.citations:
        _say("cited", f"{one.field}: {shown_value(one.quote)!r} in {one.input}, after {one.start} characters")
    if said.usage is not None:
        used = said.usage
        cached = f" ({used.cached_input:,} of them cached)" if used.cached_input else ""
        searches = f", {used.searches} searches" if used.searches else ""
        _say("tokens", f"{used.input:,} in{cached}, {used.output:,} out{searches}; {said.model or 'model not said'}")


def _print_request(request: ShownRequest) -> None:
    _say("request", f"{request.method} {request.url}")
    _print_headers(request.headers)
    _print_body(request.body)


def _print_answer(row: TriedRow, answer: ShownAnswer) -> None:
    status = f"HTTP {answer.http_status}" if answer.http_status is not None else "by callback"
    took = f" in {row.duration_ms} ms" if row.duration_ms is not None and not row.reused_from else ""
    shared = f", shared with {row.together - 1} other row(s)" if row.together > 1 else ""
    size = "" if answer.body is None else f", {answer.body.size:,} bytes"
    _say("answer", f"{status}{took}{size}{shared}")
    _print_headers({name: text for name, text in answer.headers.items() if name not in _HIDDEN_HEADERS})
    if answer.body is None:
        _say("", "(its body was taken out by retention)")
    _print_body(answer.body)


def _print_headers(headers: Mapping[str, str]) -> None:
    for name, text in headers.items():
        typer.echo(visible(f"          {name}: {text}"))


def _print_body(body: ShownBody | None) -> None:
    if body is None or not body.text:
        return
    for line in body.text.splitlines():
        typer.echo(visible(f"          {line}"))
    if body.cut:
        typer.echo(f"          ... cut; {body.size:,} bytes in all")


def _result(row: TriedRow) -> str:
    said = (row.outcome or row.status or "").lower().replace("_", " ")
    kind = f" ({row.error_class})" if row.error_class else ""
    because = f": {row.reason}" if row.reason else ""
    times = f", after {row.attempts} attempts" if row.attempts > 1 else ""
    return f"{said}{kind}{times}{because}"


def _cost(row: TriedRow, currency: str) -> str:
    estimated = f"estimated {Money(row.estimated, currency)}"
    if row.status is None:
        return estimated
    if row.reused_from is not None:
        return f"nothing: batch {row.reused_from} has asked the same; --fresh asks again"
    if row.shares_row is not None:
        return f"nothing: the call of row {row.shares_row} answers for it"
    return f"{estimated}, paid {Money(row.cost, currency) if row.cost else 'nothing'}"


def _field_row(one: FieldReading) -> tuple[object, ...]:
    others = f"also {', '.join(shown_value(other) or '' for other in one.others)}" if one.others else ""
    why = "; ".join(filter(None, [one.rejected, others]))
    return (one.field, one.type.value, shown_value(one.answered), shown_value(one.value), why)


def shown_value(value: Any) -> str | None:
    """A value on one line, cut."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:119]}…"


def _say(what: str, text: str) -> None:
    say(f"{what:9} {text}", indent=" " * 10)
