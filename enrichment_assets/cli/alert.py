"""`enrich alert ...`: what is watched, and where it is told (docs/alerts.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.domain.alerts.quiet import QuietHours
    from enrichment_assets.services.shapes.alerts import AlertRule

app = typer.Typer(
    help="Alerts: batches that stand still, providers that refuse, budgets that run out; told to people and pagers.",
    no_args_is_help=True,
)

Channel = Annotated[
    str,
    typer.Option(
        "--channel",
        help="slack, teams, discord, pagerduty, webhook, email or apprise, and the NAME of the variable with its "
        "address: slack:OPS_SLACK_URL.",
    ),
]
OfClient = Annotated[str | None, typer.Option("--client", help="Only this client. [default: every client]")]


@app.command("add")
def add(
    channel: Channel,
    kind: Annotated[str | None, typer.Argument(help="What to watch: batch.stuck, budget.used ...")] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="The whole set that comes with the platform.")] = False,
    threshold: Annotated[str | None, typer.Option("--threshold", help="The number N of `enrich alert list`.")] = None,
    client: OfClient = None,
    quiet: Annotated[str | None, typer.Option("--quiet", help="Say nothing in these hours: 22:00-07:00.")] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="By the clocks of this zone.")] = "UTC",
    as_json: AsJson = False,
) -> None:
    """Watch something, and tell it to a channel.

    Example: enrich alert add batch.stuck --threshold 30 --channel slack:OPS_SLACK_URL
    """
    from enrichment_assets.domain.alerts.kinds import read_kind, read_threshold
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.alerts import ruling
    from enrichment_assets.services.shapes import alerts as shapes
    from enrichment_assets.wire.channels import Address

    if (kind is None) != shipped or (shipped and threshold is not None):
        raise EnrichError("say what to watch: one kind, or --shipped without a threshold", code="alert.what")
    address, hours = Address.parse(channel), _quiet(quiet, time_zone)
    wanted = (
        ruling.shipped(address, client, hours)
        if kind is None
        else [ruling.Wanted(read_kind(kind), read_threshold(read_kind(kind), threshold), address, client, hours)]
    )
    new = ruling.add(opened_hq(), wanted, actor=actor())
    if as_json:
        print_json(map(shapes.AlertRule.of, new))
        return
    for rule in map(shapes.AlertRule.of, new):
        say(f"rule {rule.id}: {_said(rule)}, told to {rule.channel}")
    say(f"see that it arrives: enrich alert test {address}" if new else "there are such rules already")


def _quiet(text: str | None, time_zone: str) -> QuietHours | None:
    from enrichment_assets.domain.alerts.quiet import QuietHours

    return None if text is None else QuietHours.parse(text, time_zone)


def _said(rule: AlertRule) -> str:
    whose = f" ({rule.client})" if rule.client else ""
    return f"{rule.says.replace('N', rule.threshold or '', 1) if rule.threshold else rule.says}{whose}"


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show what is watched and where it is told, and what of the shipped set is off.

    Example: enrich alert list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.alerts import ruling
    from enrichment_assets.services.shapes import alerts as shapes

    found, off = ruling.list_rules(opened_hq())
    rules = [*map(shapes.AlertRule.of, found), *map(shapes.AlertRule.off, off)]
    if as_json:
        print_json(rules)
        return
    rows = [(rule.id, rule.kind, _said(rule), rule.channel or "off", rule.quiet, rule.open or None) for rule in rules]
    columns = ("rule", "kind", "watches", "told to", "quiet", "open")
    print_table(columns, rows, brief=("rule", "kind", "told to", "open"))


@app.command("remove")
def remove(
    rule: Annotated[int, typer.Argument(help="The rule's number, of `enrich alert list`.")], as_json: AsJson = False
) -> None:
    """Watch something no more. What is open of it is told to be over.

    Example: enrich alert remove 3
    """
    from enrichment_assets.services.alerts import ruling
    from enrichment_assets.services.shapes import alerts as shapes

    gone = shapes.AlertRule.of(ruling.remove(opened_hq(), rule, actor=actor()))
    if as_json:
        print_json(gone)
        return
    say(f"rule {gone.id} is removed: {_said(gone)}")


@app.command("test")
def test(
    channel: Annotated[str, typer.Argument(help="The channel, as slack:OPS_SLACK_URL.")], as_json: AsJson = False
) -> None:
    """Send a test message, and say what the channel answered. The exit code is 1 when it did not take it.

    Example: enrich alert test slack:OPS_SLACK_URL
    """
    from enrichment_assets.domain.alerts.notices import Fate
    from enrichment_assets.services.alerts import ruling
    from enrichment_assets.services.shapes import alerts as shapes
    from enrichment_assets.settings import Settings
    from enrichment_assets.wire.channels import Address

    address = Address.parse(channel)
    answers = [
        shapes.AlertAnswer.of(str(address), one) for one in ruling.send_test(Settings.from_environment(), address)
    ]
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            say(f"{answer.channel} answered {answer.said} ({answer.fate})")
    if any(answer.fate != Fate.SENT for answer in answers):
        raise typer.Exit(1)


@app.command("incidents")
def incidents(
    client: OfClient = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only what is not over.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what came to pass, whether it is over, and whether it was told.

    Example: enrich alert incidents --open
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.alerts import ruling
    from enrichment_assets.services.shapes import alerts as shapes

    found = ruling.list_incidents(opened_hq(), client=client, limit=limit, only_open=only_open)
    if as_json:
        print_json(map(shapes.AlertIncident.of, found))
        return
    rows = [(one.id, one.kind, one.summary, one.channel, one.told, one.opened_at, one.closed_at) for one in found]
    columns = ("incident", "kind", "what", "told to", "told", "since", "over")
    print_table(columns, rows, empty="no incidents", brief=("incident", "what", "told", "over"))


@app.command("channels")
def channels(as_json: AsJson = False) -> None:
    """Show where alerts go, what each channel answered last, and what it was not told.

    Example: enrich alert channels
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.alerts import ruling
    from enrichment_assets.services.shapes import alerts as shapes

    found = list(map(shapes.AlertChannel.of, ruling.list_channels(opened_hq())))
    if as_json:
        print_json(found)
        return
    rows = [
        (one.channel, one.rules, one.said, one.said_at, one.failures or None, one.waiting or None, one.given_up or None)
        for one in found
    ]
    columns = ("channel", "rules", "answered", "at", "failures", "waiting", "given up")
    nothing = "no channel yet: `enrich alert add --shipped --channel slack:OPS_SLACK_URL`"
    print_table(columns, rows, empty=nothing, brief=("channel", "answered", "waiting", "given up"))
