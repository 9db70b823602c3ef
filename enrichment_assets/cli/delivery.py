"""`enrich delivery ...`: what stands for leads at destinations, and what a person says of it."""

from __future__ import annotations

from typing import Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.ids import LARGEST_ID
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.deliveries import DeliveryState

app = typer.Typer(name="delivery", help="What stands for leads at destinations.", no_args_is_help=True)

DeliveryId = Annotated[int, typer.Argument(metavar="ID", min=1, max=LARGEST_ID, help="The delivery's number.")]


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="Only those last delivered from this batch.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Only at this destination.")] = None,
    state: Annotated[
        list[DeliveryState] | None, typer.Option("--state", help="Only in this state (may be repeated).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first.

    Example: enrich delivery list --client acme --state unknown
    """
    from enrichment_assets.services.deliveries.resolving import list_deliveries
    from enrichment_assets.services.shapes.deliveries import Delivery

    found = list_deliveries(opened_hq(), client=client, batch=batch, destination=to, states=state or [], limit=limit)
    if as_json:
        print_json([Delivery.of(row) for row in found])
        return
    from enrichment_assets.cli.tables import print_table

    print_table(
        ("id", "destination", "state", "lead", "external id", "delivered"),
        [(r.id, r.destination, r.state, r.lead or "", r.external_id or "", r.delivered_at) for r in found],
        empty="no deliveries" + (" that match" if any((client, batch, to, state)) else " yet: enrich deliver BATCH"),
    )


@app.command("show")
def show(delivery: DeliveryId, as_json: AsJson = False) -> None:
    """Show one delivery: what was written there, by which calls.

    Example: enrich delivery show 17
    """
    from enrichment_assets.services.deliveries.resolving import get_delivery
    from enrichment_assets.services.shapes.deliveries import DeliveryDetail

    found = get_delivery(opened_hq(), delivery)
    if as_json:
        print_json(DeliveryDetail.of(found))
        return
    row = found.delivery
    say(f"delivery {row.id}: {row.lead or 'a lead'} at {row.destination}{f' ({row.target})' if row.target else ''}")
    say(f"  state      {row.state}{f': {row.reason}' if row.reason else ''}")
    say(f"  id there   {row.external_id or '-'}, our key {row.key}")
    say(f"  from       batch {row.batch}, item {row.item_id}, asked for by {row.actor}")
    for name, value in (row.written or {}).items():
        say(f"  {name}: {value if value is not None else '-'}")
    for call in found.calls:
        status = f"HTTP {call.http_status}" if call.http_status is not None else "no answer"
        say(f"  call {call.call_id}: {call.state}, {status}, attempt {call.attempt}, batch {call.batch}")


@app.command("stop")
def stop(
    delivery: DeliveryId,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with the delivery.")],
    as_json: AsJson = False,
) -> None:
    """Let nothing more go to a destination for this lead, from whichever batch.

    Example: enrich delivery stop 17 --reason "works there no more"
    """
    from enrichment_assets.services.deliveries.resolving import stop_delivery
    from enrichment_assets.services.shapes.deliveries import Delivery

    row = stop_delivery(opened_hq(), delivery, reason, actor=actor())
    if as_json:
        print_json(Delivery.of(row))
        return
    say(f"delivery {row.id} is stopped: nothing more goes to {row.destination} for this lead")


@app.command("resolve")
def resolve(
    delivery: DeliveryId,
    delivered: Annotated[bool, typer.Option("--delivered", help="It is there.")] = False,
    not_delivered: Annotated[
        bool, typer.Option("--not-delivered", help="It is not there: it is made, or written, again.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="What was stopped, or taken away there, may go there again.")
    ] = False,
    external_id: Annotated[
        str | None, typer.Option("--external-id", help="With --delivered: its id there.", metavar="ID")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what nobody but a person can know of a delivery: look at the destination first.

    Example: enrich delivery resolve 17 --delivered --external-id 86c1x
    """
    from enrichment_assets.domain.errors import ConfigurationError
    from enrichment_assets.services.deliveries.resolving import Decision, resolve_delivery
    from enrichment_assets.services.shapes.deliveries import Delivery

    given = {Decision.DELIVERED: delivered, Decision.NOT_DELIVERED: not_delivered, Decision.AGAIN: again}
    said = [decision for decision, is_said in given.items() if is_said]
    if len(said) != 1:
        raise ConfigurationError("say one of --delivered, --not-delivered and --again", code="option.one_decision")
    row = resolve_delivery(opened_hq(), delivery, said[0], actor=actor(), external_id=external_id)
    if as_json:
        print_json(Delivery.of(row))
        return
    say(f"delivery {row.id} is {row.state} now")
