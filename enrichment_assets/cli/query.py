"""`enrich query`: SQL over everything that was extracted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from enrichment_assets.cli import careers
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.store.hq import Hq

Format = Literal["table", "csv", "json", "parquet"]


def register(app: typer.Typer) -> None:
    """Add this command, and the ready-made questions about careers, to the program."""
    app.command("query")(query)
    careers.register(app)


# opens files of others: SQL that a person names
def query(
    sql: Annotated[str | None, typer.Argument(help="The SQL; without it, --file is read.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", exists=True, dir_okay=False, help="A file of SQL.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
    to: Annotated[Path | None, typer.Option("--to", help="Write to this .csv, .json or .parquet file instead.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="See only this client's rows.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows of a table that are printed.")] = 100,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Let the SQL read and write other files: for your own SQL only.")
    ] = False,
    spreadsheet_safe: Annotated[
        bool, typer.Option("--spreadsheet-safe", help="CSV: an apostrophe before cells that would run as formulas.")
    ] = False,
) -> None:
    """Ask the warehouse in SQL (DuckDB's). Models are tables; what HQ said is in the schema hq.

    Example: enrich query "select organisation_name, count(*) from person_work_history group by all order by 2 desc"
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.insight import queries
    from enrichment_assets.settings import Settings

    if (sql is None) == (file is None):
        raise EnrichError("Give the SQL as an argument or with --file, one of the two.", code="option.sql_or_file")
    if client is not None and unsafe:
        raise EnrichError(
            "SQL that may reach any file sees the rows of all clients, and --client shows those of one: leave one out.",
            code="query.client_and_unsafe",
        )
    text = sql if sql is not None else (file or Path()).read_text(encoding="utf-8")
    settings = Settings.from_environment()
    hq = None if client is None else opened_hq(settings)
    with queries.ask(hq, settings, text, client=client, unsafe=unsafe) as answer:
        if to is not None:
            ending = queries.file_format(to)
            queries.write_answer(answer, to, format_=ending, spreadsheet_safe=spreadsheet_safe)
            say(f"{answer.given} rows written to {to}", err=True)
        elif format_ == "table":
            from enrichment_assets.cli.tables import print_table

            print_table(answer.columns, answer.rows(), limit=limit)
        elif format_ == "parquet":
            raise EnrichError("Parquet goes to a file: add --to answer.parquet.", code="export.needs_file")
        else:
            queries.write_text(answer, sys.stdout, format_=format_, spreadsheet_safe=spreadsheet_safe)
    if answer.given == 0:
        _say_what_is_not_extracted(hq or opened_hq(settings), client)


def _say_what_is_not_extracted(hq: Hq, client: str | None) -> None:
    """No rows: perhaps they are there and only not in the tables yet."""
    from enrichment_assets.services.batches.extracting import not_extracted

    for one in not_extracted(hq, client):
        done = f"{one.done} of {one.items} items are done" if one.items else "nothing of it has been done"
        command = f"enrich extract {one.batch_key}" if one.items else f"enrich run {one.batch_key}"
        typer.echo(f"batch {one.batch_key} is not extracted yet: {done}. Next: {command}", err=True)
