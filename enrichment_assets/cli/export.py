"""`enrich export`: one model of one batch as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("export")(export)


def export(
    batch: Annotated[str, typer.Argument(help="The batch's key.")],
    model: Annotated[str, typer.Argument(help="A model: final_leads, person_work_history, companies, ...")],
    to: Annotated[Path, typer.Option("--to", help="A .csv, .xlsx, .json or .parquet file.")],
    spreadsheet_safe: Annotated[
        bool,
        typer.Option("--spreadsheet-safe", help="CSV: an apostrophe before cells that a spreadsheet would change."),
    ] = False,
) -> None:
    """Write one model of one batch to a file, cells as they are.

    A cell that starts with = + - or @ is a formula to a spreadsheet, and anyone can put one into an upload; a phone's
    plus, long ids and ranges like 11-50 are changed by it too. For a spreadsheet, write .xlsx (its cells are text), or
    add --spreadsheet-safe.

    Example: enrich export acme-1-apollo-basic-1 final_leads --to leads.csv --spreadsheet-safe
    """
    from enrichment_assets.services import queries
    from enrichment_assets.settings import Settings

    rows = queries.export_model(Settings.from_environment(), batch, model, to, spreadsheet_safe=spreadsheet_safe)
    typer.echo(f"{rows} rows of {model} written to {to}")
