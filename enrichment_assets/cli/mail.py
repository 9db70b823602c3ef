"""`enrich mail ...`: what a domain's records mean for mail in its name (docs/mail-check.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.domain.mail.dns_names import Names
    from enrichment_assets.services.mail.domain_standing import Checked

app = typer.Typer(
    name="mail",
    help="Mail: whether receivers would take mail of a domain, and what to publish so that they do.",
    no_args_is_help=True,
)


@app.command("check")
def check(
    what: Annotated[str, typer.Argument(help="A domain, or the address of a mailbox.")],
    client: Annotated[str | None, typer.Option("--client", help="Keep the check of a domain for this client.")] = None,
    service: Annotated[
        str | None, typer.Option("--service", help="Through whom mail leaves: google, microsoft, sendgrid ...")
    ] = None,
    server: Annotated[
        list[str] | None, typer.Option("--server", help="Host or address of an own server; may be given again.")
    ] = None,
    selector: Annotated[list[str] | None, typer.Option("--selector", help="DKIM selector; may be given again.")] = None,
    signs_as: Annotated[str | None, typer.Option("--signs-as", help="Domain of the DKIM signature (d=).")] = None,
    envelope: Annotated[str | None, typer.Option("--envelope", help="Domain that bounces go to (Return-Path).")] = None,
    dns: Annotated[
        str | None,
        typer.Option("--dns", help="Ask this DNS server (address or address:port). [default: the machine's]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look up SPF, DKIM, DMARC, MX and reverse DNS: what would land in spam, and which records to add.

    Example: enrich mail check acme.com --service google
    """
    from enrichment_assets.services.mail.domain_questions import Said
    from enrichment_assets.services.mail.domain_standing import check as check_domain
    from enrichment_assets.services.shapes import mail_checks as shapes
    from enrichment_assets.settings import Settings

    said = Said(service, tuple(server or ()), tuple(selector or ()), signs_as, envelope)
    settings = Settings.from_environment()
    found = check_domain(opened_hq(), settings, what, said, _names(dns), client=client, actor=actor())
    if as_json:
        print_json(shapes.MailCheck.of(found))
    else:
        _print(found)


@app.command("preview")
def preview(
    batch: Annotated[str, typer.Argument(help="Key of a batch that was planned for delivery.")],
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How far to look ahead.")] = 60,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the earliest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what would leave when, and from which mailbox; nothing is changed.

    Example: enrich mail preview acme-1-research-and-write-1
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.mail.preview import preview_mails
    from enrichment_assets.services.shapes import mailboxes as shapes

    found = preview_mails(opened_hq(), batch, days=days)
    if as_json:
        print_json(map(shapes.Mail.of, found.mails[:limit]))
        return
    rows = [
        (
            "-" if one.at is None else f"{one.at:%Y-%m-%d %H:%M}Z",
            one.mailbox or "none is free",
            one.recipient,
            one.workflow,
            "foreseen" if one.state is None else one.state.value,
        )
        for one in found.mails[:limit]
    ]
    print_table(("at", "from", "to", "delivery", "state"), rows, empty="no mail of this batch is planned")
    if found.batch_held is not None:
        say(f"nothing more of this batch leaves: it is {found.batch_held}")
    for address, why in found.held_back.items():
        say(f"nothing leaves from {address}: {why}")


@app.command("accept")
def accept(
    mailbox: Annotated[str, typer.Argument(help="The address of a mailbox.")],
    reason: Annotated[str, typer.Option("--reason", help="Why mail may leave all the same.")],
    as_json: AsJson = False,
) -> None:
    """Let mail leave although the last check has not passed. What a later check finds beyond that stops again.

    Example: enrich mail accept ann@acme.com --reason "the key is published on Monday"
    """
    from enrichment_assets.services.mail.domain_standing import accept as accept_domain
    from enrichment_assets.services.shapes import mail_checks as shapes

    found = accept_domain(opened_hq(), mailbox, reason, actor=actor())
    if as_json:
        print_json(shapes.MailAcceptance.of(found))
        return
    what = ", ".join(found.accepted_stops or ()) or "nothing stood against it"
    say(f"mail of {found.domain} may leave: {what}")


def _print(found: Checked) -> None:
    from enrichment_assets.cli.tables import print_table

    one = found.check
    ends = "passed" if not one.stops else "accepted, not passed" if found.accepted else "not passed"
    say(f"{one.domain}{f', mail through {one.way}' if one.way else ''}: {ends}")
    rows = [(finding.code, finding.weight.value, finding.text, finding.advice) for finding in one.findings]
    print_table(("what", "weight", "found", "to do"), rows)
    if records := list(dict.fromkeys(finding.record for finding in one.findings if finding.record)):
        say("Records to publish:")
        for record in records:
            say(f"  {record}")
    fates = [(outcome.receiver, outcome.usual, outcome.bulk, ", ".join(outcome.why)) for outcome in one.outcomes]
    print_table(("receiver", "a few a day", "many a day", "missing"), fates)


def _names(server: str | None) -> Names:
    from enrichment_assets.wire.dns_names import DnsNames

    if server is None:
        return DnsNames()
    host, _, port = server.rpartition(":") if server.count(":") == 1 or "]:" in server else (server, "", "53")
    if not port.isdecimal() or int(port) > 65_535:
        raise typer.BadParameter("is an address, or address:port", param_hint="--dns")
    return DnsNames((host.strip("[]"),), int(port))
