"""`enrich webhook ...`: a client's own server is told of batches, budgets and leads (docs/webhooks.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.store.outgoing.webhooks import Webhook

app = typer.Typer(
    name="webhook",
    help="Clients' servers that are told of batches, budgets and leads, by signed messages (Standard Webhooks).",
    no_args_is_help=True,
)

DAY, MINUTE = "%Y-%m-%d", "%Y-%m-%dT%H:%M"

Name = Annotated[str, typer.Argument(help="Its name.")]


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    ARRIVED = "arrived"
    GIVEN_UP = "given_up"
    WITHHELD = "withheld"


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name for it: small letters, digits and -.")],
    url: Annotated[str, typer.Argument(help="Where messages go: https://..., on the public Internet.")],
    client: Annotated[str, typer.Option("--client", help="Whose server it is: it hears of this client alone.")],
    secret: Annotated[
        str, typer.Option("--secret", help="NAME of the environment variable with the secret (whsec_...).")
    ],
    event: Annotated[
        list[str] | None,
        typer.Option("--event", help="An event that it is told of; may be given again. [default: all]"),
    ] = None,
    leads_per_message: Annotated[
        int, typer.Option("--leads-per-message", min=1, max=100, help="How many leads may stand in one message.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Tell a client's server from now on of what happens to the client's batches and leads.

    Events: batch.finished, batch.paused, batch.resumed, batch.cancelled, budget.exhausted, lead.ready, lead.changed,
    contact.replied, contact.interested, contact.said_no, contact.bounced.

    Example: enrich webhook add acme-crm https://crm.acme.com/hooks --client acme --secret ACME_HOOK --event lead.ready
    """
    from enrichment_assets.services.outgoing.registering import add_webhook, known_events
    from enrichment_assets.services.shapes import webhooks as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    webhook = add_webhook(
        opened_hq(settings),
        settings,
        client,
        name,
        url,
        event or known_events(),
        secret,
        leads_per_message=leads_per_message,
        actor=actor(),
    )
    if as_json:
        print_json(shapes.Webhook.of(webhook))
        return
    say(f"webhook {name} is told of {', '.join(webhook.events)} of client {client}")
    say(f"see whether it answers: enrich webhook test {name}")


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show all webhooks, how they fare and what waits for them.

    Example: enrich webhook list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.outgoing.registering import list_webhooks
    from enrichment_assets.services.shapes import webhooks as shapes

    found = list_webhooks(opened_hq(), client=client)
    if as_json:
        print_json(map(shapes.Webhook.of, found))
        return
    rows = [
        (one.name, one.client, one.url, ", ".join(one.events), _state(one), one.waiting, one.given_up, one.last_error)
        for one in found
    ]
    heads = ("name", "client", "url", "events", "state", "waiting", "given up", "last error")
    print_table(heads, rows, empty="there are no webhooks")


@app.command("test")
def test(name: Name, as_json: AsJson = False) -> None:
    """Send a signed message of type webhook.test now, once, and say what the server answered.

    Example: enrich webhook test acme-crm
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.outgoing.registering import find_webhook
    from enrichment_assets.services.outgoing.sending import send_test
    from enrichment_assets.services.shapes import webhooks as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    sent = send_test(settings, find_webhook(opened_hq(settings), name))
    if as_json:
        print_json(shapes.WebhookTest(name, sent.arrived, sent.status, sent.error))
        return
    if not sent.arrived:
        raise EnrichError(f"the message did not arrive at {name}: {sent.error}", code="webhook.not_arrived")
    say(f"the message arrived at {name}: HTTP {sent.status}")


@app.command("events")
def events(
    name: Name,
    state: Annotated[MessageState | None, typer.Option("--state", help="Only messages that stand so.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the messages of a webhook, the latest first: what arrived, what is tried again and when.

    Example: enrich webhook events acme-crm --state waiting
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.outgoing.registering import list_messages
    from enrichment_assets.services.shapes import webhooks as shapes

    found = list_messages(opened_hq(), name, state=None if state is None else state.value, limit=limit)
    if as_json:
        print_json(map(shapes.WebhookMessage.of, found))
        return
    rows = [
        (one.created_at.astimezone(UTC), one.type, one.events, one.state, one.attempts, one.due_at, one.error)
        for one in found
    ]
    print_table(("at", "type", "events", "state", "attempts", "next", "error"), rows, empty="no messages")


@app.command("send")
def send(
    seconds: Annotated[int, typer.Option("--seconds", min=1, max=86_400, help="For how long at most.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Send what is due now, where `enrich up` does not run; with it this happens by itself.

    Example: enrich webhook send
    """
    from enrichment_assets.services.outgoing.sending import deliver
    from enrichment_assets.services.shapes import webhooks as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    done = deliver(opened_hq(settings), settings, seconds)
    if as_json:
        print_json(shapes.WebhookDelivery.of(done))
        return
    say(f"{done.arrived} messages arrived, {done.failed} attempts did not")
    for name, trouble in done.troubles.items():
        say(f"  {name}: {trouble}")
    for name in done.disabled:
        say(f"  {name} is disabled: enrich webhook list says why")


@app.command("recover")
def recover(
    name: Name,
    since: Annotated[
        datetime, typer.Option("--since", formats=[DAY, MINUTE], help="From this day or minute on, in UTC.")
    ],
    as_json: AsJson = False,
) -> None:
    """Send again what did not arrive since a time, also what happened while the webhook was disabled.

    Example: enrich webhook recover acme-crm --since 2026-11-01
    """
    from enrichment_assets.services.outgoing.registering import recover_messages
    from enrichment_assets.services.shapes import webhooks as shapes

    done = recover_messages(opened_hq(), name, since.replace(tzinfo=UTC), actor=actor())
    if as_json:
        print_json(shapes.WebhookRecovery(done.webhook, done.since, done.given_up, done.missing))
        return
    say(f"{done.given_up} messages that were given up and {done.missing} that were never made are sent to {name} now")


@app.command("rotate")
def rotate(
    name: Name,
    secret: Annotated[str, typer.Option("--secret", help="NAME of the variable with the new secret.")],
    hours: Annotated[
        float, typer.Option("--hours", min=0, max=720, help="How long the secret before signs as well.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Sign by another secret; for some hours each message is signed by the one before as well.

    Example: enrich webhook rotate acme-crm --secret ACME_HOOK_2027
    """
    from enrichment_assets.services.outgoing.registering import rotate_secret

    webhook = rotate_secret(opened_hq(), name, secret, hours=hours, actor=actor())
    _changed(webhook, f"webhook {name} signs by {secret}, and for {hours:g} hours by the one before", as_json)


@app.command("enable")
def enable(name: Name, as_json: AsJson = False) -> None:
    """Send again to a webhook that was disabled: what waited goes out.

    Example: enrich webhook enable acme-crm
    """
    from enrichment_assets.services.outgoing.registering import enable_webhook

    webhook = enable_webhook(opened_hq(), name, actor=actor())
    _changed(webhook, f"webhook {name} is sent to again; what it missed: enrich webhook recover {name}", as_json)


@app.command("disable")
def disable(name: Name, as_json: AsJson = False) -> None:
    """Send nothing more to a webhook; what waits is kept.

    Example: enrich webhook disable acme-crm
    """
    from enrichment_assets.services.outgoing.registering import disable_webhook

    webhook = disable_webhook(opened_hq(), name, actor=actor())
    _changed(webhook, f"nothing is sent to webhook {name} any more", as_json)


@app.command("remove")
def remove(name: Name, as_json: AsJson = False) -> None:
    """Forget a webhook and its messages.

    Example: enrich webhook remove acme-crm
    """
    from enrichment_assets.services.outgoing.registering import remove_webhook

    webhook = remove_webhook(opened_hq(), name, actor=actor())
    _changed(webhook, f"webhook {name} is gone, with {webhook.waiting} messages that waited", as_json)


def _changed(webhook: Webhook, sentence: str, as_json: bool) -> None:
    from enrichment_assets.services.shapes import webhooks as shapes

    if as_json:
        print_json(shapes.Webhook.of(webhook))
    else:
        say(sentence)


def _state(webhook: Webhook) -> str:
    if webhook.disabled_at is not None:
        return f"disabled: {webhook.disabled_reason}"
    if webhook.failing_since is not None:
        return f"failing since {webhook.failing_since.astimezone(UTC):%Y-%m-%d %H:%M}"
    return "in use"
