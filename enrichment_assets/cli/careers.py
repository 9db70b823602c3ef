"""`enrich worked-at`, `enrich moves`, `enrich job-changes`: questions about careers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.insight.work_history import Found

_Client = Annotated[str | None, typer.Option("--client", help="Only this client's people.")]
_Limit = Annotated[int, typer.Option("--limit", min=1, help="Rows that are printed.")]
_BRIEF = ("person_name", "old_organisation", "organisation_name", "title", "start_date", "end_date")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("worked-at")(worked_at)
    app.command("moves")(moves)
    app.command("job-changes")(job_changes)


def worked_at(
    organisation: Annotated[str, typer.Argument(help="A name, host, LinkedIn address or provider id.")],
    exact: Annotated[bool, typer.Option("--exact", help="The name to the letter, without aliases.")] = False,
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="There on this day.")] = None,
    before: Annotated[datetime | None, typer.Option("--before", formats=["%Y-%m-%d"], help="There before it.")] = None,
    after: Annotated[datetime | None, typer.Option("--after", formats=["%Y-%m-%d"], help="There after it.")] = None,
    together: Annotated[str | None, typer.Option("--with", help="At the same time as this person (full name).")] = None,
    client: _Client = None,
    limit: _Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show everyone who ever worked at an organisation, however its name was written.

    Example: enrich worked-at "Acme, Inc." --on 2021-06-30

    Example: enrich worked-at acme.com --with "Ada Lovelace"
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.insight import work_history
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if together is not None:
        if exact or on or before or after:
            raise EnrichError("--with stands alone: it compares the times by itself.", code="option.alone")
        _print(work_history.together_with(hq, settings, organisation, together, client=client), limit, as_json)
        return
    found = work_history.worked_at(
        hq, settings, organisation, exact=exact, on=_day(on), before=_day(before), after=_day(after), client=client
    )
    _print(found, limit, as_json)


def moves(
    from_organisation: Annotated[str, typer.Argument(help="Where they were.")],
    to_organisation: Annotated[str, typer.Argument(help="Where they went.")],
    client: _Client = None,
    limit: _Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show who went from one organisation to another.

    Example: enrich moves "Acme, Inc." globex.com
    """
    from enrichment_assets.services.insight import work_history
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    found = work_history.moves(hq, settings, from_organisation, to_organisation, client=client)
    _print(found, limit, as_json)


def job_changes(
    since: Annotated[datetime, typer.Option("--since", formats=["%Y-%m-%d"], help="On or after this day.")],
    client: _Client = None,
    limit: _Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show leads who began a job at another organisation since a day.

    Example: enrich job-changes --since 2026-01-01 --client acme
    """
    from enrichment_assets.services.insight import work_history
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    _print(work_history.job_changes(hq, settings, since.date(), client=client), limit, as_json)


def _day(value: datetime | None) -> date | None:
    return None if value is None else value.date()


def _print(found: Found, limit: int, as_json: bool) -> None:
    if as_json:
        from enrichment_assets.services.shapes import leads as shapes

        print_json(shapes.Row.all_of(found.columns, found.rows))
        return
    from enrichment_assets.cli.tables import print_table

    if found.organisations:
        say("Understood as: " + "; ".join(f"{name} ({identity})" for identity, name in found.organisations))
    print_table(found.columns, found.rows, limit=limit, once=("client_slug", "batch_key"), brief=_BRIEF)
