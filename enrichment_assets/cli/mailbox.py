"""`enrich mailbox ...`: addresses that a client's mail leaves from (docs/mail.md)."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.domain.mail.mailboxes import Ramp
    from enrichment_assets.services.mail.mailboxes import MailboxStanding

app = typer.Typer(
    name="mailbox",
    help="Mailboxes that a client's mail leaves from: how many a day, from when until when, and how they fare.",
    no_args_is_help=True,
)

Address = Annotated[str, typer.Argument(help="Its address.")]


@app.command("add")
def add(
    address: Annotated[str, typer.Argument(help="The address that mail leaves from.")],
    client: Annotated[str, typer.Option("--client", help="Whose it is.")],
    postal_address: Annotated[
        str, typer.Option("--postal-address", help="Where the client can be written to; stands below each mail.")
    ],
    time_zone: Annotated[str, typer.Option("--time-zone", help="By whose clocks it works, as America/New_York.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of its kind, as host=smtp.acme.com; may be given again."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", help="PURPOSE=NAME of an environment variable, as password=ACME_SMTP_PASSWORD."),
    ] = None,
    kind: Annotated[str, typer.Option("--kind", help="How mail leaves it: smtp or gmail.")] = "smtp",
    name: Annotated[str, typer.Option("--name", help="As readers see it.")] = "",
    country: Annotated[
        str | None, typer.Option("--country", help="Whose holidays are no working days. [default: weekends alone]")
    ] = None,
    opt_out: Annotated[
        str | None, typer.Option("--opt-out", help="The sentence that says how to hear no more, with {link}.")
    ] = None,
    reply_to: Annotated[str | None, typer.Option("--reply-to", help="Where replies go. [default: to it]")] = None,
    html: Annotated[bool, typer.Option("--html", help="Send the words as HTML, too.")] = False,
    window: Annotated[str, typer.Option("--window", help="From when until when mails leave.")] = "09:00-17:00",
    daily_cap: Annotated[int, typer.Option("--daily-cap", help="Mails a day.")] = 20,
    domain_cap: Annotated[int, typer.Option("--domain-cap", help="Mails a day to one receiving domain.")] = 5,
    ramp: Annotated[
        str, typer.Option("--ramp", help="First day + more on each further day; none: the cap from the start.")
    ] = "5+2",
    as_json: AsJson = False,
) -> None:
    """Let a client's mail leave from an address.

    Example: enrich mailbox add ann@acme.com --client acme --set host=smtp.acme.com --secret password=ACME_SMTP
    --postal-address "Acme, 1 Main St, Boston MA" --time-zone America/New_York
    """
    from enrichment_assets.domain.mail.message import OPT_OUT
    from enrichment_assets.services.mail.mailboxes import NewMailbox, add_mailbox, find_mailbox
    from enrichment_assets.services.shapes import mailboxes as shapes

    new = NewMailbox(
        address=address,
        kind=_kind(kind),
        settings=_nested("--set", settings or []),
        secrets={key: str(value) for key, value in _pairs("--secret", secret or []).items()},
        postal_address=postal_address,
        time_zone=time_zone,
        name=name,
        country=country,
        opt_out=OPT_OUT if opt_out is None else opt_out,
        reply_to=reply_to,
        html=html,
        window=_window(window),
        daily_cap=daily_cap,
        domain_cap=domain_cap,
        ramp=_ramp(ramp),
    )
    hq = opened_hq()
    added = find_mailbox(hq, add_mailbox(hq, client, new, actor=actor()).address)
    if as_json:
        print_json(shapes.Mailbox.of(added))
        return
    address = added.mailbox.address
    say(f"mail of client {client} leaves from {address}: at most {added.cap_today} on its first working day")


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show all mailboxes: what each has sent today, what came back, and which are paused.

    Example: enrich mailbox list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.mail.mailboxes import list_mailboxes
    from enrichment_assets.services.shapes import mailboxes as shapes

    found = list_mailboxes(opened_hq(), client=client)
    if as_json:
        print_json(map(shapes.Mailbox.of, found))
        return
    rows = [
        (
            one.mailbox.address,
            one.mailbox.client,
            f"{one.usage.sent_today} of {one.cap_today}",
            one.usage.planned,
            f"{one.usage.bounced} of {one.usage.sent}",
            _state(one),
        )
        for one in found
    ]
    heads = ("mailbox", "client", "sent today", "planned", "bounced", "state")
    print_table(heads, rows, empty="there are no mailboxes")


@app.command("show")
def show(address: Address, as_json: AsJson = False) -> None:
    """Show one: sent today, its cap and ramp, what is planned, and what came back in 30 days.

    Example: enrich mailbox show ann@acme.com
    """
    from enrichment_assets.services.mail.mailboxes import find_mailbox
    from enrichment_assets.services.shapes import mailboxes as shapes

    found = find_mailbox(opened_hq(), address)
    if as_json:
        print_json(shapes.Mailbox.of(found))
        return
    box, used, ramp = found.mailbox, found.usage, found.mailbox.ramp
    say(f"{box.address} of client {box.client}: {_state(found)}")
    say(f"today: {used.sent_today} sent, {used.today} have a place, at most {found.cap_today} on a working day")
    grows = "from the start" if ramp is None else f"begun with {ramp.start}, {ramp.step} more each day of sending"
    say(f"cap: {box.daily_cap} a day, {box.domain_cap} of them to one domain; {grows}")
    say(f"window: {box.window_from:%H:%M} to {box.window_until:%H:%M}, {box.time_zone}")
    say(f"holidays: {box.country or 'weekends alone'}")
    say(f"planned: {used.planned}")
    say(f"in 30 days: {used.sent} sent, {used.bounced} bounced, {used.complained} complained, {used.replied} replied")


@app.command("pause")
def pause(
    address: Address,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks later.")] = "by hand",
) -> None:
    """Let nothing more leave from a mailbox.

    Example: enrich mailbox pause ann@acme.com --reason "on leave"
    """
    from enrichment_assets.services.mail.mailboxes import pause_mailbox

    found = pause_mailbox(opened_hq(), address, actor=actor(), reason=reason)
    say(f"nothing leaves from {found.address}: {found.paused_reason}")


@app.command("resume")
def resume(address: Address) -> None:
    """Let mail leave again; what came back until now is not held against the mailbox any more.

    Example: enrich mailbox resume ann@acme.com
    """
    from enrichment_assets.services.mail.mailboxes import resume_mailbox

    say(f"mail leaves from {resume_mailbox(opened_hq(), address, actor=actor()).address} again")


@app.command("caps")
def caps(
    address: Address,
    daily_cap: Annotated[int | None, typer.Option("--daily-cap", help="Mails a day.")] = None,
    domain_cap: Annotated[int | None, typer.Option("--domain-cap", help="Mails a day to one receiving domain.")] = None,
) -> None:
    """Send another number of mails a day. A lower number counts at once, for mails that have their place too.

    Example: enrich mailbox caps ann@acme.com --daily-cap 30
    """
    from enrichment_assets.services.mail.mailboxes import set_caps

    found = set_caps(opened_hq(), address, actor=actor(), daily_cap=daily_cap, domain_cap=domain_cap)
    say(f"{found.address} sends {found.daily_cap} a day, {found.domain_cap} of them to one domain")


def _state(one: MailboxStanding) -> str:
    return "active" if one.mailbox.paused_at is None else f"paused: {one.mailbox.paused_reason}"


def _kind(text: str) -> Any:
    from enrichment_assets.domain.mail.mailboxes import MailboxKind

    try:
        return MailboxKind(text)
    except ValueError:
        raise typer.BadParameter(f"is one of {', '.join(MailboxKind)}", param_hint="--kind") from None


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise typer.BadParameter("is NAME=VALUE", param_hint=option)
        pairs[key.strip()] = value.strip()
    return pairs


def _nested(option: str, texts: list[str]) -> dict[str, Any]:
    """`dkim.selector=s1` as `{"dkim": {"selector": "s1"}}`."""
    values: dict[str, Any] = {}
    for key, value in _pairs(option, texts).items():
        name, _, member = key.partition(".")
        if member:
            values[name] = {**values.get(name, {}), member: value}
        else:
            values[name] = value
    return values


def _window(text: str) -> tuple[time, time]:
    try:
        begin, end = text.split("-")
        return time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())
    except ValueError:
        raise typer.BadParameter("is two times of a day, as 09:00-17:00", param_hint="--window") from None


def _ramp(text: str) -> Ramp | None:
    from enrichment_assets.domain.mail.mailboxes import Ramp

    if text == "none":
        return None
    begin, _, step = text.partition("+")
    if not (begin.isdecimal() and step.isdecimal()):
        raise typer.BadParameter("is two numbers, as 5+2, or none", param_hint="--ramp")
    return Ramp(int(begin), int(step))
