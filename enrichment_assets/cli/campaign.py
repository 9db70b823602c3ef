"""`enrich campaign ...`: campaigns of services that send for us, made from files (docs/outreach.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.stopping import stoppable

if TYPE_CHECKING:
    from enrichment_assets.services.campaigns.activating import Preflight

app = typer.Typer(
    name="campaign",
    help="Campaigns at Instantly: made from a file as drafts, filled with leads, activated by a person.",
    no_args_is_help=True,
)

Client = Annotated[str, typer.Option("--client", help="Whose campaign it is.")]
Name = Annotated[str, typer.Argument(help="Its name, as its file says.")]


# opens files of ours: what a person names
@app.command("create")
def create(
    file: Annotated[Path, typer.Argument(help="The campaign, as YAML.", dir_okay=False, exists=True)],
    client: Client,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a campaign from a file, as a draft. Doing it again makes no second one: the draft says what the file says.

    Example: enrich campaign create golf.yaml --client acme
    """
    from datetime import UTC, datetime

    from enrichment_assets.domain.outreach.campaigns import campaign_key, instantly_body
    from enrichment_assets.registry.campaign_files import parse_campaign
    from enrichment_assets.services.campaigns.creating import create as create_campaign
    from enrichment_assets.services.shapes.campaigns import Campaign
    from enrichment_assets.settings import Settings

    campaign = parse_campaign(file.read_text("utf-8"), file.name)
    if dry_run:
        planned = instantly_body(campaign, campaign_key(client, campaign), datetime.now(UTC).date())
        for warning in planned.warnings:
            say(f"warning: {warning}", err=True)
        print_json(planned.body)
        return
    settings = Settings.from_environment()
    made = create_campaign(opened_hq(settings), settings, client, campaign, actor=actor())
    if as_json:
        print_json(Campaign.of(made.campaign))
        return
    for warning in made.warnings:
        say(f"warning: {warning}")
    say(f"campaign {campaign.name!r}: {made.what}, {made.campaign.external_id}")
    say(f"it sends nothing yet: enrich campaign show {campaign.name!r} --client {client}")


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the campaigns that were made from files, the newest first.

    Example: enrich campaign list --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.campaigns.listing import list_campaigns, status_in_words
    from enrichment_assets.services.shapes.campaigns import Campaign

    found = list_campaigns(opened_hq(), client=client)
    if as_json:
        print_json(map(Campaign.of, found))
        return
    rows = [
        (one.client, one.name, status_in_words(one), one.external_id, one.created_by, one.activated_by, one.error)
        for one in found
    ]
    columns = ("client", "name", "status", "id", "made by", "activated by", "error")
    print_table(columns, rows, empty="no campaign was made yet", once=("client",), brief=columns[1:4])


@app.command("show")
def show(name: Name, client: Client, as_json: AsJson = False) -> None:
    """Show how a campaign stands at its service: its status, its leads, and why it would not send.

    Example: enrich campaign show "Golf, spring" --client acme
    """
    from enrichment_assets.services.campaigns.activating import preflight
    from enrichment_assets.services.shapes.campaigns import Campaign
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    looked = preflight(opened_hq(settings), settings, client, name)
    if as_json:
        print_json(Campaign.of(looked.campaign))
        return
    for line in _standing(looked):
        say(line)


@app.command("launch")
def launch(
    name: Name,
    client: Client,
    batch: Annotated[str, typer.Option("--batch", help="Key of the batch whose leads go.")],
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="Only leads for which this holds, as COLUMN=VALUE; may be repeated."),
    ] = None,
    delivery: Annotated[
        str | None, typer.Option("--delivery", help="Slug of the workflow. [default: instantly-campaign]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say who would be added, changed, left alone and refused.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a batch's finished leads into a campaign: approved, not suppressed, each once. It sends no more than before.

    Example: enrich campaign launch "Golf, spring" --client acme --batch acme-1-agency-1 --dry-run
    """
    from enrichment_assets.cli.deliver import print_delivery
    from enrichment_assets.providers import build_providers
    from enrichment_assets.services.campaigns import launching
    from enrichment_assets.services.shapes.deliveries import LeadDelivery
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    asked = launching.Launch(client, name, batch, where or [], delivery or launching.DELIVERY)
    if dry_run:
        found = LeadDelivery.of(batch, launching.plan_launch(hq, settings, asked))
    else:
        providers = build_providers(settings.sandbox_url)
        with stoppable() as stop:
            done = launching.launch(hq, settings, asked, actor=actor(), providers=providers, stop=stop)
        [plan] = done.plans
        found = LeadDelivery.of(batch, plan, done.stands, done.stopped)
    if as_json:
        print_json(found)
        return
    print_delivery(found)
    if dry_run:
        say("nothing was sent; without --dry-run it is", err=True)


@app.command("activate")
def activate(
    name: Name,
    client: Client,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: it sends from now on.")] = False,
) -> None:
    """Have a campaign send from now on. It shows how it stands and asks; nothing that runs by itself can do this.

    Example: enrich campaign activate "Golf, spring" --client acme --yes
    """
    from enrichment_assets.services.campaigns.activating import activate as activate_campaign
    from enrichment_assets.services.campaigns.activating import preflight
    from enrichment_assets.settings import Settings

    settings, who = Settings.from_environment(), actor()
    hq = opened_hq(settings)
    if not yes:
        looked = preflight(hq, settings, client, name)
        for line in _standing(looked):
            say(line, err=True)
        asked = f"Write to {looked.leads} leads from now on? Type the number"
        said = typer.prompt(asked, default="", show_default=False, err=True)
        if said.strip() != str(looked.leads):
            say("nothing was changed", err=True)
            raise typer.Abort
    done = activate_campaign(hq, settings, client, name, actor=who)
    say(f"campaign {name!r} sends from now on, as {done.activated_by} says")


@app.command("listen")
def listen(
    name: Annotated[str, typer.Argument(help="A name for the connection: small letters, digits and -.")],
    client: Client,
    secret: Annotated[
        str | None, typer.Option("--secret", help="NAME of the variable with a word that Instantly's webhook says.")
    ] = None,
) -> None:
    """Have Instantly tell replies, bounces, unsubscribes and interest by a webhook, and ask it for what it does not.

    Example: enrich campaign listen acme-instantly --client acme --secret ACME_EVENTS_WORD
    """
    from enrichment_assets.services.campaigns.listening import listen as listen_to_campaigns
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    made = listen_to_campaigns(opened_hq(settings), settings, client, name, actor=actor(), secret_variable=secret)
    say(f"Instantly tells {made.name} what happens to leads of {client}, by its webhook {made.webhook_id}")
    say(f"look: enrich events source list; enrich events list --source {made.name}")


def _standing(looked: Preflight) -> list[str]:
    """How a campaign stands, for a person."""
    from enrichment_assets.services.campaigns.listing import STATUSES

    status = STATUSES.get(looked.status_code if looked.status_code is not None else 0, str(looked.status_code))
    why = f" ({looked.sending_status})" if looked.sending_status else ""
    tracked = "yes" if looked.open_tracking else "no"
    lines = [
        f"campaign {looked.campaign.name!r} of {looked.campaign.client}: {status}{why}",
        f"  leads {looked.leads:,}, accounts {looked.accounts}, opens tracked: {tracked}",
    ]
    return lines + [f"  {text}" for text in looked.hindrances]
