"""`enrich gate ...`: rules that stand before anybody is contacted (docs/send-gate.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.deliveries.gate_rules import ShownRule

app = typer.Typer(
    help="Rules before a contact: customers, consent, verified addresses, how often. What they refuse says why.",
    no_args_is_help=True,
)
list_app = typer.Typer(help="Customers, open deals, competitors and accounts of a client.", no_args_is_help=True)
app.add_typer(list_app, name="list")


class Kind(StrEnum):
    """Lists of a client."""

    CUSTOMERS = "customers"
    OPEN_DEALS = "open_deals"
    COMPETITORS = "competitors"
    OWNERS = "owners"


class ConsentKind(StrEnum):
    """How somebody came to agree."""

    EXPRESS = "express"
    PUBLISHED = "published"
    CUSTOMER = "customer"


Client = Annotated[str, typer.Argument(help="The client.")]
Whom = Annotated[str, typer.Argument(help="An e-mail address or a LinkedIn profile.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")]
OfKind = Annotated[Kind, typer.Option("--kind", help="Which list.")]
Days = Annotated[int | None, typer.Option("--days", min=1, max=36_500, help="For how long; else for good.")]


@app.command("show")
def show(client: Client, as_json: AsJson = False) -> None:
    """Show the rules as they are in force for a client, and who changed what.

    Example: enrich gate show acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.deliveries.gate_rules import show_rules
    from enrichment_assets.services.shapes.gate import GateRule

    found = show_rules(opened_hq(), client)
    if as_json:
        print_json(map(GateRule.of, found))
        return
    rows = [(one.rule.value, "on" if one.setting.is_on else "off", _settings(one), one.by, one.says) for one in found]
    print_table(("rule", "state", "settings", "changed by", "refuses"), rows, empty="no rules")


def _settings(one: ShownRule) -> str:
    return ", ".join(f"{name}={value}" for name, value in one.setting.settings.items() if value != "")


@app.command("set")
def set_(
    client: Client,
    rule: Annotated[str, typer.Argument(help="The rule, as company_cap.")],
    change: Annotated[list[str] | None, typer.Argument(help="on=false, or a setting, as people=5.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Have it as it comes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change a rule for a client: switch it, or change its settings.

    Examples: enrich gate set acme company_cap people=5 days=14, or: enrich gate set acme country unknown=opt_out
    """
    from enrichment_assets.cli.assignments import parse_names
    from enrichment_assets.services.deliveries.gate_rules import reset_rule, set_rule
    from enrichment_assets.services.shapes.gate import GateRule

    hq = opened_hq()
    if reset:
        shown = reset_rule(hq, client, rule, actor=actor())
    else:
        shown = set_rule(hq, client, rule, parse_names(change or [], "CHANGE"), actor=actor())
    if as_json:
        print_json(GateRule.of(shown))
        return
    values = _settings(shown)
    say(f"{shown.rule} is {'on' if shown.setting.is_on else 'off'} for {client}{f': {values}' if values else ''}")


@list_app.command("add")
def list_add(
    client: Client,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Companies: CSV, or a workbook.")],
    kind: OfKind,
    replace: Annotated[bool, typer.Option("--replace", help="Take out what the file has no more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add companies to a client's list, by domain, website, name, or an address of somebody there.

    Example: enrich gate list add acme customers.csv --kind customers --replace
    """
    from enrichment_assets.domain.gate.rules import ListKind
    from enrichment_assets.services.deliveries.gate_lists import add_list
    from enrichment_assets.services.shapes.gate import GateList
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    done = add_list(opened_hq(settings), settings, client, ListKind(kind.value), file, actor=actor(), replace=replace)
    if as_json:
        print_json(GateList.of(done))
        return
    say(f"{done.rows} rows: {done.added} entries are new, {done.removed} were taken out")
    for line, reason in done.faults:
        say(f"line {line}: {reason}", err=True)
    if done.not_understood > len(done.faults):
        say(f"... and {done.not_understood - len(done.faults)} more rows that name nobody", err=True)


@list_app.command("show")
def list_show(
    client: Client,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only this list.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="How many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the entries of a client's lists.

    Example: enrich gate list show acme --kind customers
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.gate.rules import ListKind
    from enrichment_assets.services.deliveries.gate_lists import show_lists
    from enrichment_assets.services.shapes.gate import GateEntry

    found = show_lists(opened_hq(), client, None if kind is None else ListKind(kind.value), limit=limit)
    if as_json:
        print_json(map(GateEntry.of, found))
        return
    rows = [(one.kind, one.key[:60], one.label, one.owner, one.source) for one in found]
    print_table(("list", "key", "company", "owner", "source"), rows, empty="no entries", once=("list",))


@list_app.command("remove")
def list_remove(
    client: Client,
    kind: OfKind,
    company: Annotated[str | None, typer.Option("--company", help="Only this domain or name.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only what came from this file or system.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take entries out of a client's list.

    Example: enrich gate list remove acme --kind customers --company acme.com
    """
    from enrichment_assets.domain.errors import ConfigurationError
    from enrichment_assets.domain.gate.rules import ListKind
    from enrichment_assets.services.deliveries.gate_lists import remove_list
    from enrichment_assets.services.shapes.gate import GateChange

    if (company is None and source is None) is not all_:
        raise ConfigurationError("say --company, --source, or --all", code="gate.remove_what")
    gone = remove_list(opened_hq(), client, ListKind(kind.value), source=source, company=company, actor=actor())
    if as_json:
        print_json(GateChange(gone))
        return
    say(f"{gone} entr{'y was' if gone == 1 else 'ies were'} taken out")


@app.command("pass")
def pass_(
    item: Annotated[int, typer.Argument(help="The lead: its item.")],
    rule: Annotated[list[str] | None, typer.Option("--rule", help="A rule that it may pass; repeat it.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")] = "",
    take_back: Annotated[bool, typer.Option("--take-back", help="It passes nothing any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let one lead pass a rule, with a reason. Nobody passes who said no, or whose law wants a consent.

    Example: enrich gate pass 17 --rule customer --reason "an upsell, asked by Jane"
    """
    from enrichment_assets.services.deliveries.gate_rules import let_pass, take_back_pass
    from enrichment_assets.services.shapes.gate import GatePass

    hq = opened_hq()
    if take_back:
        changed = take_back_pass(hq, item, actor=actor())
    else:
        changed = let_pass(hq, item, rule or [], reason, actor=actor())
    if as_json:
        print_json(GatePass(item, tuple(one.value for one in changed)))
        return
    listed = ", ".join(changed) or "nothing more"
    say(f"lead {item} passes {listed}" if not take_back else f"lead {item} does not pass {listed} any more")


@app.command("consent")
def consent(
    client: Client,
    whom: Whom,
    kind: Annotated[ConsentKind, typer.Option("--kind", help="How they agreed.")] = ConsentKind.EXPRESS,
    evidence: Annotated[str, typer.Option("--evidence", help="Where that can be seen.")] = "",
    obtained: Annotated[
        datetime | None, typer.Option("--obtained", formats=["%Y-%m-%d"], help="The day of it. [default: today]")
    ] = None,
    days: Days = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="They take it back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write down that somebody agreed to be written to by a client, or takes that back.

    Example: enrich gate consent acme ann@acme.com --evidence "form of 2026-11-01" --obtained 2026-11-01
    """
    from enrichment_assets.domain.gate.countries import Consent
    from enrichment_assets.domain.suppression import read_identity
    from enrichment_assets.services.deliveries.gate_rules import Agreed, record_consent, withdraw_consent
    from enrichment_assets.services.shapes.gate import GateChange
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq, who = opened_hq(settings), read_identity(whom)
    if withdraw:
        changed = withdraw_consent(hq, settings, client, who, actor=actor())
    else:
        at = None if obtained is None else obtained.replace(tzinfo=UTC)
        agreed = Agreed(Consent(kind.value), evidence, at, days)
        changed = int(record_consent(hq, settings, client, who, agreed, actor=actor()))
    if as_json:
        print_json(GateChange(changed))
        return
    say("nothing changed" if not changed else "the consent is taken back" if withdraw else "the consent is recorded")


@app.command("stop")
def stop(client: Client, whom: Whom, reason: Reason, days: Days = None, as_json: AsJson = False) -> None:
    """Send nothing more to somebody, in no batch of the client: they have answered, called, or are on leave.

    Example: enrich gate stop acme ann@acme.com --reason "called us"
    """
    from enrichment_assets.domain.suppression import read_identity
    from enrichment_assets.services.deliveries.gate_rules import stop as stop_person
    from enrichment_assets.services.shapes.gate import GateChange
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    new = stop_person(opened_hq(settings), settings, client, read_identity(whom), reason, actor=actor(), days=days)
    if as_json:
        print_json(GateChange(int(new)))
        return
    say("nothing more is sent to them" if new else "nothing is sent to them already")


@app.command("go-on")
def go_on(client: Client, whom: Whom, as_json: AsJson = False) -> None:
    """Let go on what was stopped for somebody.

    Example: enrich gate go-on acme ann@acme.com
    """
    from enrichment_assets.domain.suppression import read_identity
    from enrichment_assets.services.deliveries.gate_rules import lift_stop
    from enrichment_assets.services.shapes.gate import GateChange
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    gone = lift_stop(opened_hq(settings), settings, client, read_identity(whom), actor=actor())
    if as_json:
        print_json(GateChange(gone))
        return
    say(f"{gone} stop{'' if gone == 1 else 's'} lifted")


@app.command("stops")
def stops(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's.")] = None,
    lifted: Annotated[bool, typer.Option("--lifted", help="Also those that stand no more.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what is stopped, why, and until when. Whom, the hash alone knows.

    Example: enrich gate stops --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.deliveries.gate_rules import list_stops
    from enrichment_assets.services.shapes.gate import ContactStop

    found = list_stops(opened_hq(), client=client, lifted=lifted, limit=limit)
    if as_json:
        print_json(map(ContactStop.from_store, found))
        return
    rows = [(one.id, one.client, one.reason, one.actor, one.event_id, one.stopped_at, one.until) for one in found]
    heads = ("id", "client", "reason", "by", "event", "since", "until")
    print_table(heads, rows, empty="nothing is stopped", brief=("id", "client", "reason", "since", "until"))
