"""`enrich report`: named analytics in the terminal, or one batch as a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enrichment_assets.settings import Settings
    from enrichment_assets.store.hq import Hq


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("report")(report)


def report(
    what: Annotated[
        str,
        typer.Argument(
            help="funnel, providers, cost, fill-rate, waterfall, time, freshness, status; or a batch's key."
        ),
    ],
    batch: Annotated[str | None, typer.Option("--batch", help="Only this batch.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="Only this client.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="With a batch's key: write one self-contained page.")
    ] = None,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows that are printed.")] = 200,
) -> None:
    """Show how batches did: where leads stand, what providers found and cost, which columns are filled.

    Example: enrich report providers --batch acme-1-apollo-basic-1

    Example: enrich report acme-1-apollo-basic-1 --html report.html
    """
    from enrichment_assets.services.insight import named_reports, queries
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if html is not None:
        from enrichment_assets.services.insight.html_report import write_report

        write_report(hq, settings, what, html)
        say(f"Written to {html}")
        return
    sections = [what] if what in named_reports.REPORTS else named_reports.OF_ANY_BATCH
    if what not in named_reports.REPORTS:
        batch = what
    if batch is not None:
        queries.known_batch(settings, batch)
    if as_json:
        _print_json(hq, settings, sections, batch, client, named=what not in named_reports.REPORTS)
        return
    for name in sections:
        print_report(hq, settings, name, batch=batch, client=client, limit=limit)


def print_report(
    hq: Hq, settings: Settings, name: str, *, batch: str | None = None, client: str | None = None, limit: int = 200
) -> None:
    """Print one of the reports by its name, of a batch, of a client or of all."""
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.insight import named_reports, queries
    from enrichment_assets.services.insight.report_money import with_currencies

    query, parameters = queries.report_query(name, batch)
    with queries.ask(hq, settings, query, parameters, client=client, unsafe=True) as answer:
        print_table(
            answer.columns,
            with_currencies(hq, answer.columns, answer.rows()),
            limit=limit,
            title=named_reports.REPORTS[name].title,
            once=("client_slug", "batch_key"),
            brief=named_reports.REPORTS[name].brief,
            total=("cost",),
        )


def _print_json(
    hq: Hq, settings: Settings, sections: Sequence[str], batch: str | None, client: str | None, *, named: bool
) -> None:
    """One document: the rows of a report as a list, or (`named`) an object of such lists by the reports' names."""
    from enrichment_assets.services.insight import queries

    for position, name in enumerate(sections):
        if named:
            sys.stdout.write(f'{"," if position else "{"} "{name}": ')
        query, parameters = queries.report_query(name, batch)
        with queries.ask(hq, settings, query, parameters, client=client, unsafe=True) as answer:
            queries.write_text(answer, sys.stdout, format_="json")
    if named:
        sys.stdout.write("}\n")
