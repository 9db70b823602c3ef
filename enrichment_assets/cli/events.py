"""`enrich events ...`: what comes back of deliveries, and the connections by which it comes (docs/send-gate.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.kept_messages import say_kept
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

app = typer.Typer(
    help="What comes back of deliveries: replies, bounces, corrections; and the connections by which it comes.",
    no_args_is_help=True,
)
source_app = typer.Typer(help="Connections by which events come.", no_args_is_help=True)
app.add_typer(source_app, name="source")

Name = Annotated[str, typer.Argument(help="The connection's name.")]
OfClient = Annotated[str | None, typer.Option("--client", help="Only this client's.")]
OfSource = Annotated[str | None, typer.Option("--source", help="Only what came by this connection.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest first.")]

SHOWN_ONCE = "this is shown once; whoever knows it can post events: give it to the service alone"


@source_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name for it: small letters, digits and -.")],
    client: Annotated[str, typer.Option("--client", help="Whose events come by it.")],
    kind: Annotated[str, typer.Option("--kind", help="Who reads them: `enrich events source kinds` lists them.")],
    secret: Annotated[
        str | None, typer.Option("--secret", help="NAME of the environment variable with the secret or key.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of its kind, NAME=VALUE; may be given again.")
    ] = None,
    settings: Annotated[Path | None, typer.Option("--settings", help="A YAML file with its settings.")] = None,
    every: Annotated[int | None, typer.Option("--every", min=1, help="Seconds between polls.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take events by a new connection, and print the path to which its service posts them.

    Example: enrich events source add acme-clickup --client acme --kind clickup --secret ACME_CLICKUP_SECRET
    """
    from enrichment_assets.services.deliveries.connections import add_connection
    from enrichment_assets.services.shapes.delivery_events import EventAddress

    given = _settings(settings, setting or [])
    added = add_connection(
        opened_hq(), client, name, kind, actor=actor(), secret_variable=secret, settings=given, poll_seconds=every
    )
    if as_json:
        print_json(EventAddress(name, added.path))
        return
    say(f"events of client {client} are read by {kind}")
    if added.path is not None:
        say(f"they are posted to {added.path}, behind the receiver's public address")
        say(SHOWN_ONCE)


@source_app.command("connect")
def connect(
    name: Annotated[str, typer.Argument(help="A name for it: small letters, digits and -.")],
    client: Annotated[str, typer.Option("--client", help="Whose events come by it.")],
    kind: Annotated[str, typer.Option("--kind", help="Who reads them, as clickup.")],
    secret: Annotated[str, typer.Option("--secret", help="NAME of the variable that is to hold the secret.")],
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of its kind, NAME=VALUE; may be given again.")
    ] = None,
    settings: Annotated[Path | None, typer.Option("--settings", help="A YAML file with its settings.")] = None,
    every: Annotated[int | None, typer.Option("--every", min=1, help="Seconds between polls.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a connection, tell its service the address by its API, and print the secret that the service made.

    Example: enrich events source connect acme-crm --client acme --kind clickup --settings crm.yaml --secret ACME_SECRET
    """
    from enrichment_assets.services.deliveries.subscribing import subscribe
    from enrichment_assets.services.shapes.delivery_events import EventSecret
    from enrichment_assets.settings import Settings

    given, installation = _settings(settings, setting or []), Settings.from_environment()
    made = subscribe(
        opened_hq(installation), installation, client, name, kind, secret, actor=actor(), told=given, poll_seconds=every
    )
    if as_json:
        print_json(EventSecret(made.name, made.variable, made.secret))
        return
    say(f"{kind} posts events of client {client} to us, and signs them with this secret, which is shown once:")
    say(f"{made.variable}={made.secret}")
    say("messages wait until the variable is set where the receiver's messages are read")


def _settings(file: Path | None, pairs: list[str]) -> dict[str, Any]:
    import yaml

    from enrichment_assets.domain.errors import ConfigurationError
    from enrichment_assets.domain.yaml_text import load_yaml
    from enrichment_assets.services.catalog.definition_files import read_definition

    found: Any = {} if file is None else load_yaml(read_definition(file), str(file))
    if not isinstance(found, dict):
        raise ConfigurationError("the settings are no mapping", code="event_source.settings_invalid")
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise ConfigurationError(f"--set {pair!r}: write NAME=VALUE", code="event_source.setting_invalid")
        found[name] = yaml.safe_load(value) if value else ""
    return found


@source_app.command("kinds")
def kinds_() -> None:
    """Show the kinds of connections.

    Example: enrich events source kinds
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.deliveries.readers import kinds, reader_of

    rows = []
    for kind in kinds():
        reader = reader_of(kind)
        ways = [way for way, is_so in (("posted", reader.is_posted), ("asked", reader.poll is not None)) if is_so]
        rows.append((kind, reader.says, " and ".join(ways), "needed" if reader.needs_secret else "optional"))
    print_table(("kind", "what", "how", "secret"), rows, empty="no kind is known")


@source_app.command("list")
def sources_(client: OfClient = None, as_json: AsJson = False) -> None:
    """Show connections, what came by them, and what is wrong with them.

    Example: enrich events source list --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.deliveries.connections import list_connections
    from enrichment_assets.services.shapes.delivery_events import EventSource

    found = list_connections(opened_hq(), client=client)
    if as_json:
        print_json(map(EventSource.of, found))
        return
    rows = [
        (one.name, one.client, one.kind, "paused" if one.paused_at else "on", one.events, one.event_at, one.unread,
         one.dead, one.error)
        for one in found
    ]  # fmt: skip
    heads = ("name", "client", "kind", "state", "events", "last event", "unread", "dead", "error")
    brief = ("name", "kind", "state", "events", "unread", "dead", "error")
    print_table(heads, rows, empty="events come by no connection", brief=brief)


@source_app.command("address")
def address(name: Name, as_json: AsJson = False) -> None:
    """Give a connection another path, and print it; by the one before nothing comes any more.

    Example: enrich events source address acme-clickup
    """
    from enrichment_assets.services.deliveries.connections import new_address
    from enrichment_assets.services.shapes.delivery_events import EventAddress

    added = new_address(opened_hq(), name, actor=actor())
    if as_json:
        print_json(EventAddress(name, added.path))
        return
    say(f"events of {name} are posted to {added.path} from now on")
    say(SHOWN_ONCE)


@source_app.command("pause")
def pause(name: Name, as_json: AsJson = False) -> None:
    """Read nothing of a connection and do not ask it; what is posted is kept.

    Example: enrich events source pause acme-clickup
    """
    _pause(name, paused=True, as_json=as_json)


@source_app.command("resume")
def resume(name: Name, as_json: AsJson = False) -> None:
    """Go on with a connection that was paused.

    Example: enrich events source resume acme-clickup
    """
    _pause(name, paused=False, as_json=as_json)


def _pause(name: str, *, paused: bool, as_json: bool) -> None:
    from enrichment_assets.services.deliveries.connections import pause_connection
    from enrichment_assets.services.shapes.delivery_events import EventSource

    found = pause_connection(opened_hq(), name, paused=paused, actor=actor())
    if as_json:
        print_json(EventSource.of(found))
        return
    say(f"{name} is paused" if paused else f"{name} is read again")


@source_app.command("remove")
def remove(name: Name, as_json: AsJson = False) -> None:
    """Forget a connection and the messages that came by it; its events stay.

    Example: enrich events source remove acme-clickup
    """
    from enrichment_assets.services.deliveries.connections import remove_connection
    from enrichment_assets.services.shapes.delivery_events import EventSource

    found = remove_connection(opened_hq(), name, actor=actor())
    if as_json:
        print_json(EventSource.of(found))
        return
    say(f"{name} is gone; the events that came by it stay")


@app.command("list")
def list_(
    client: OfClient = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only these, as replied.")] = None,
    source: OfSource = None,
    item: Annotated[int | None, typer.Option("--item", help="Only those about this lead.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show what came back, the newest first, and what followed.

    Example: enrich events list --client acme --kind replied
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.deliveries.connections import list_events
    from enrichment_assets.services.shapes.delivery_events import DeliveryEvent

    found = list_events(opened_hq(), client=client, kind=kind, source=source, item_id=item, limit=limit)
    if as_json:
        print_json(map(DeliveryEvent.of, found))
        return
    rows = [
        (one.id, one.happened_at, one.client, one.source, one.kind, one.batch_key, one.item_id, one.actor, one.followed)
        for one in found
    ]
    heads = ("id", "happened", "client", "source", "kind", "batch", "item", "by", "followed")
    brief = ("id", "happened", "kind", "item", "followed")
    print_table(heads, rows, empty="nothing came back", once=("client", "source"), brief=brief)


@app.command("read")
def read(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One connection: it is asked now, due or not.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long at most.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Read what came and ask who is to be asked, now; the daemon does it by itself.

    Example: enrich events read acme-clickup
    """
    from enrichment_assets.services.deliveries.listening import listen
    from enrichment_assets.services.shapes.delivery_events import EventReading
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    done = listen(opened_hq(settings), settings, seconds, name=name)
    if as_json:
        print_json(EventReading.of(done))
        return
    say(f"{done.read} messages read, {done.dead} dead; {done.taken.new} events are new, {done.taken.known} were known")
    for source, trouble in done.troubles.items():
        say(f"{source}: {trouble}", err=True)


@app.command("inbox")
def inbox(
    dead: Annotated[bool, typer.Option("--dead", help="Only messages that could not be read.")] = False,
    source: OfSource = None,
    client: OfClient = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show kept messages, the newest first.

    Example: enrich events inbox --dead
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.statuses import EventInboxStatus
    from enrichment_assets.services.deliveries.connections import list_messages
    from enrichment_assets.services.shapes.delivery_events import EventMessage

    status = EventInboxStatus.DEAD if dead else None
    found = list_messages(opened_hq(), status=status, source=source, client=client, limit=limit)
    if as_json:
        print_json(map(EventMessage.of, found))
        return
    rows = [(one.id, one.status, one.received_at, one.source, one.size, one.events, one.error) for one in found]
    heads = ("id", "status", "received", "source", "bytes", "events", "error")
    print_table(heads, rows, empty="no messages" + (" are dead" if dead else ""))


@app.command("show")
def show(
    message_id: Annotated[int, typer.Argument(metavar="ID", help="The message's id, from `enrich events inbox`.")],
    max_bytes: Annotated[int, typer.Option("--bytes", min=0, help="How much of the body to print.")] = 4000,
    as_json: AsJson = False,
) -> None:
    """Show one kept message: its headers, its body, and what is wrong with it.

    Example: enrich events show 41
    """
    from dataclasses import asdict

    from enrichment_assets.services.deliveries.connections import show_message
    from enrichment_assets.services.shapes.delivery_events import EventMessageDetail

    detail = show_message(opened_hq(), message_id)
    if as_json:
        print_json(EventMessageDetail.of(detail, max_bytes))
        return
    say_kept(asdict(detail.row), detail.headers, detail.rendered_body(max_bytes), width=15)


@app.command("replay")
def replay(
    message_id: Annotated[int | None, typer.Argument(metavar="[ID]", help="One message.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Messages of this connection.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="With --source: also those that were read.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read messages again from their bytes, for instance after a secret was mended. No event is taken twice.

    Examples: enrich events replay 41, or: enrich events replay --source acme-clickup
    """
    from enrichment_assets.services.deliveries.connections import replay as again
    from enrichment_assets.services.shapes.delivery_events import EventReplay

    dead_only = source is not None and not all_
    ids = again(opened_hq(), actor=actor(), inbox_id=message_id, source=source, dead_only=dead_only)
    if as_json:
        print_json(EventReplay(tuple(ids)))
        return
    say(f"{len(ids)} message{'' if len(ids) == 1 else 's'} will be read again")
