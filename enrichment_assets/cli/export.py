"""`enrich export` and `enrich extract`: what is known of a batch as a file, also before its last answer has come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.batches.extracting import Standing

BatchKey = Annotated[str, typer.Argument(help="The batch's key.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("export")(export)
    app.command("extract")(extract)


def export(
    batch: BatchKey,
    model: Annotated[str, typer.Argument(help="leads, or a model: final_leads, person_work_history, companies, ...")],
    to: Annotated[
        Path | None, typer.Option("--to", help="A .csv, .xlsx, .json or .parquet file; without it, leads are printed.")
    ] = None,
    with_upload: Annotated[
        bool, typer.Option("--with-upload", help="leads: every row and column of the uploaded file first, as it was.")
    ] = False,
    spreadsheet_safe: Annotated[
        bool,
        typer.Option("--spreadsheet-safe", help="CSV: an apostrophe before cells that a spreadsheet would change."),
    ] = False,
) -> None:
    """Write the leads or another model of one batch to a file, cells as they are.

    `leads` has a column for each field of your own workflows, and says how every row stands (row_status, row_reason).
    With --with-upload your list comes back: its columns and rows as they were, then what is known now. A batch need not
    be finished: its open rows say so.

    A cell that starts with = + - or @ is a formula to a spreadsheet, and anyone can put one into an upload; a phone's
    plus, long ids and ranges like 11-50 are changed by it too. For a spreadsheet, write .xlsx (its cells are text), or
    add --spreadsheet-safe.

    Example: enrich export acme-1-apollo-basic-1 leads --with-upload --to leads.xlsx
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.batches.extracting import bring_up_to_date
    from enrichment_assets.services.insight import leads, queries
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if model == leads.MODEL:
        done = leads.export_leads(hq, settings, batch, to, with_upload=with_upload, spreadsheet_safe=spreadsheet_safe)
        rows, standing = done.rows, done.standing
    elif with_upload:
        raise EnrichError(
            f"--with-upload goes with leads: enrich export {batch} leads --with-upload --to leads.csv",
            code="option.with_upload",
        )
    elif to is None:
        raise EnrichError(f"{model} goes to a file: add --to {model}.csv", code="export.needs_file")
    else:
        queries.file_format(to)
        standing = bring_up_to_date(hq, settings, batch)
        rows = queries.export_model(hq, settings, batch, model, to, spreadsheet_safe=spreadsheet_safe)
    if to is not None:
        say(f"{rows} rows of {model} written to {to}")
    _say_open(batch, standing)


def extract(batch: BatchKey) -> None:
    """Bring the tables that `enrich query` sees up to date with a batch that is not finished.

    A run does that by itself once a batch is done, and `enrich export` whenever it is asked. No provider is called.

    Example: enrich extract acme-1-apollo-basic-1
    """
    from enrichment_assets.services.batches.extracting import bring_up_to_date, ensure_raw_upload
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    standing = bring_up_to_date(hq, settings, batch)
    ensure_raw_upload(hq, settings, batch)
    say(f"batch {batch} is extracted as it stands: {standing.done} of {standing.items} items are done")


def _say_open(batch: str, standing: Standing) -> None:
    if standing.open_items:
        say(
            f"{standing.done} of {standing.items} items are done; the rest has row_status open. "
            f"To go on: enrich run {batch}",
            err=True,
        )
