"""`enrich client`: the agency's customers, and what each of them overrides in a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.client_profile import profile
from enrichment_assets.cli.client_readers import grant_reader, list_readers, revoke_reader
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.domain.pipeline import ClientWorkflowConfig

app = typer.Typer(
    help="Clients: add, list, configure, say what they offer, let them read their results.", no_args_is_help=True
)
app.command("profile")(profile)
app.command("grant-reader")(grant_reader)
app.command("revoke-reader")(revoke_reader)
app.command("readers")(list_readers)


@app.command()
def add(
    slug: Annotated[str, typer.Argument(help="Short name: lower-case letters, digits, hyphens.")],
    name: Annotated[str | None, typer.Option("--name", help="Name for people.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a client.

    Example: enrich client add acme --name "Acme"
    """
    from enrichment_assets.services.catalog.configuration import add_client
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    client = add_client(hq, slug, name, actor=actor())
    if as_json:
        print_json(shapes.Client.of(client))
    else:
        say(f"client {client.slug} ({client.name}) is there; next: enrich upload FILE --client {client.slug}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all clients.

    Example: enrich client list --json
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.catalog.configuration import list_clients
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    found = list_clients(hq)
    if as_json:
        print_json(map(shapes.Client.of, found))
        return
    rows = [(client.slug, client.name, client.created_at, client.weight) for client in found]
    print_table(("client", "name", "added", "weight"), rows, empty="no clients yet: enrich client add SLUG")


@app.command()
def weight(
    client: Annotated[str, typer.Argument(help="The client's slug.")],
    number: Annotated[float, typer.Argument(metavar="WEIGHT", help="From 0.01 to 100; 1 is usual.")],
    as_json: AsJson = False,
) -> None:
    """Give a client more turns than others, or fewer, where they share a provider's rate or wait for a run.

    A client of weight 2 has two turns for one of a client of weight 1. It counts at once. Whoever is alone has all.

    Example: enrich client weight acme 2
    """
    from enrichment_assets.services.batches.priorities import set_weight
    from enrichment_assets.services.catalog.configuration import get_client
    from enrichment_assets.services.shapes import catalog as shapes

    hq = opened_hq()
    before = set_weight(hq, client, number, actor=actor())
    if as_json:
        print_json(shapes.Client.of(get_client(hq, client)))
    else:
        say(f"client {client}: weight {number:g}, before {before:g}")


@app.command()
def config(
    client: Annotated[str, typer.Argument(help="The client's slug.")],
    workflow: Annotated[str | None, typer.Argument(help="The workflow's slug; without it, show all overrides.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="path=value, e.g. base_url=http://127.0.0.1:9000. Repeatable.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", help="purpose=VARIABLE: the NAME of an environment variable. Repeatable."),
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", help="A path to give back to the registry, or secrets.PURPOSE.")
    ] = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether the workflow runs in this client's batches.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="A provider's key may go to another address than the provider's.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Also show the workflow as it runs for this client.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show or change what a client overrides in a workflow; batches launched before keep what they had.

    Values are YAML: 2 is a number, true a boolean, 007 stays text.

    Example: enrich client config acme match-person-via-apollo --set limits.per_second=2 --secret api_key=ACME_KEY
    """
    from enrichment_assets.cli.assignments import parse_names, parse_values
    from enrichment_assets.services.catalog import configuration
    from enrichment_assets.services.shapes import catalog as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    changes = set_ or secret or unset or enabled is not None
    if workflow is None:
        if changes or show:
            raise typer.BadParameter("name the workflow to change")
        _print_configs(configuration.get_client_configs(hq, client), as_json)
        return
    if changes:
        found = configuration.set_client_config(
            hq,
            settings,
            client,
            workflow,
            set_values=parse_values(set_ or [], "--set"),
            secrets=parse_names(secret or [], "--secret"),
            unset=unset or [],
            enabled=enabled,
            replace=replace,
            actor=actor(),
        )
    else:
        found = configuration.get_client_config(hq, client, workflow)
    if show:
        from enrichment_assets.domain.planning import apply_config

        registered = configuration.get_workflow(hq, workflow)
        print_json(shapes.Workflow.configured(registered, apply_config(client, registered.definition, found)))
    else:
        _print_configs({workflow: found}, as_json)


def _print_configs(configs: dict[str, ClientWorkflowConfig], as_json: bool) -> None:
    import json

    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.shapes import catalog as shapes

    if as_json:
        print_json({slug: shapes.ClientConfig.of(config) for slug, config in configs.items()})
        return
    rows = []
    for slug, config in configs.items():
        rows += [(slug, path, json.dumps(value, ensure_ascii=False)) for path, value in config.settings.items()]
        rows += [(slug, f"secrets.{purpose}", f"${name}") for purpose, name in config.secrets.items()]
        if not config.enabled:
            rows.append((slug, "(switched off)", ""))
    print_table(("workflow", "path", "value"), rows, empty="overrides nothing")
