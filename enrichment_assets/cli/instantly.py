"""`enrich instantly ...`: a client's campaigns, sending accounts and figures at Instantly (docs/instantly.md)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.pulls.syncing import Synced

app = typer.Typer(
    name="instantly",
    help="Campaigns, sending accounts and figures at Instantly: connect a client, sync, look.",
    no_args_is_help=True,
)

PULL = "instantly"
DAY = "%Y-%m-%d"

Client = Annotated[str, typer.Option("--client", help="Whose workspace at Instantly it is.")]
OfClient = Annotated[str | None, typer.Option("--client", help="Only this client's.")]


@app.command("connect")
def connect(
    client: Client,
    key: Annotated[str, typer.Option("--key", help="NAME of the environment variable with the client's API v2 key.")],
    as_json: AsJson = False,
) -> None:
    """Say with which key a client's figures are fetched. The schedule instantly_schedule does it hourly once it is on.

    Example: enrich instantly connect --client acme --key ACME_INSTANTLY_KEY
    """
    from enrichment_assets.services.pulls.connecting import connect as connect_client
    from enrichment_assets.services.shapes.pulls import PullConnection

    made = connect_client(opened_hq(), PULL, client, key, actor=actor())
    if as_json:
        print_json(PullConnection.of(made))
        return
    say(f"client {client} is connected to Instantly, with the key in {key}")
    say(f"fetch its figures: enrich instantly sync --client {client}")


@app.command("disconnect")
def disconnect(
    client: Client,
    forget: Annotated[bool, typer.Option("--forget", help="Delete the client's rows in the workspace too.")] = False,
) -> None:
    """Fetch a client's figures no more. The kept answers are deleted; rows in the workspace stay unless --forget.

    Example: enrich instantly disconnect --client acme
    """
    from enrichment_assets.services.pulls.connecting import disconnect as disconnect_client

    disconnect_client(opened_hq(), PULL, client, actor=actor(), forget=forget)
    say(f"client {client} is not connected to Instantly any more")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show which clients are connected, and how far their figures are.

    Example: enrich instantly list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.pulls.connecting import list_connected
    from enrichment_assets.services.shapes.pulls import PullConnection

    found = list_connected(opened_hq(), PULL)
    if as_json:
        print_json(map(PullConnection.of, found))
        return
    rows = [(one.client, one.secret_variable, one.synced_at, one.synced_day, one.error) for one in found]
    print_table(("client", "key", "synced at", "up to", "broken off"), rows, empty="no client is connected")


@app.command("sync")
def sync(
    client: Client,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            formats=[DAY],
            help="First of the days. [default: 3 days before the last sync; the first time 30 days back]",
        ),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=[DAY], help="Last of the days. [default: today]")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Read a JSON file instead of asking Instantly.", dir_okay=False)
    ] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", help="With --file: what it has, where it does not say so (campaigns ...).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch campaigns, accounts and figures into the workspace. Doing it again updates; what was broken off goes on.

    Example: enrich instantly sync --client acme --since 2026-11-01

    Example: enrich instantly sync --client acme --file instantly.json
    """
    from enrichment_assets.domain.errors import ConfigurationError
    from enrichment_assets.services.pulls import syncing
    from enrichment_assets.services.shapes.pulls import PullSync
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if file is None and stream is not None:
        raise ConfigurationError("--stream says what a --file has", code="pull.stream_without_file")
    if file is not None:
        done = syncing.sync_file(hq, PULL, client, file, actor=actor(), stream=stream)
    else:
        days = (None if since is None else since.date(), None if until is None else until.date())
        done = syncing.sync(hq, settings, PULL, client, since=days[0], until=days[1])
    if as_json:
        print_json(PullSync.of(done))
        return
    for line in sync_lines(done):
        say(line)


def sync_lines(done: Synced) -> list[str]:
    """What a sync brought, for a person."""
    where = f"days {done.first_day} to {done.last_day}" if done.source == "api" else "a file"
    lines = [f"{done.client}: {done.synced:,} rows of {where}, out of {done.pages} answers"]
    lines += [f"  {table}: {rows:,}" for table, rows in done.rows.items()]
    for count, what in (
        (done.unfit, "values did not fit their column, and stand in raw"),
        (done.without_key, "items have no id, and are left out"),
        (done.gone, "campaigns or accounts are not there any more"),
    ):
        lines += [f"  {count:,} {what}"] if count else []
    return lines


@app.command("campaigns")
def campaigns(client: OfClient = None, as_json: AsJson = False) -> None:
    """Show campaigns as they were last fetched: status, mails, replies without automatic ones, bounces, opportunities.

    Example: enrich instantly campaigns --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.pulls.figures import figures
    from enrichment_assets.services.shapes.pulls import InstantlyCampaign

    found = figures(opened_hq(), "campaign_performance", client=client)
    if as_json:
        print_json(map(InstantlyCampaign.of, found))
        return
    shown = ("client_slug", "name", "status", "contacted", "sent", "opened", "replied", "reply_rate", "bounced")
    columns = (*shown, "bounce_rate", "opportunities")
    rows = [[row[name] for name in columns] for row in found]
    brief = ("name", "status", "contacted", "replied", "reply_rate", "bounce_rate")
    print_table(columns, rows, empty="nothing was fetched yet", once=("client_slug",), brief=brief)


@app.command("accounts")
def accounts(client: OfClient = None, as_json: AsJson = False) -> None:
    """Show sending accounts and their health, those that want somebody to look first.

    Example: enrich instantly accounts --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.pulls.figures import figures
    from enrichment_assets.services.shapes.pulls import InstantlyAccount

    found = figures(opened_hq(), "account_health", client=client)
    if as_json:
        print_json(map(InstantlyAccount.of, found))
        return
    columns = ("client_slug", "email_account", "health", "status", "warmup_score", "sent_30_days", "bounce_rate")
    rows = [[row[name] for name in columns] for row in found]
    brief = ("email_account", "health", "status", "sent_30_days", "bounce_rate")
    print_table(columns, rows, empty="nothing was fetched yet", once=("client_slug",), brief=brief)


@app.command("report")
def report(
    client: Client,
    html: Annotated[Path, typer.Option("--html", help="Where to write the page: one self-contained file.")],
) -> None:
    """Write a page about a client's campaigns: mails, replies, bounces and opportunities by day, campaign and account.

    Example: enrich instantly report --client acme --html instantly.html
    """
    from enrichment_assets.services.pulls.report import write_report

    write_report(opened_hq(), client, html)
    say(f"Written to {html}")
