"""`enrich up` and `enrich down`: everything for daily work, started and stopped with one command."""

from __future__ import annotations

from typing import Annotated

import typer

from enrichment_assets.cli.sentences import say
from enrichment_assets.settings import DEFAULT_RECEIVER_PORT, DEFAULT_SANDBOX_PORT, DEFAULT_WEBSERVER_PORT, Settings


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(up)
    app.command()(down)


def up(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Also run the provider sandbox, and call it.")] = False,
    port: Annotated[int, typer.Option(help="Port of the Dagster web server.")] = DEFAULT_WEBSERVER_PORT,
    receiver_port: Annotated[int, typer.Option(help="Port of the receiver.")] = DEFAULT_RECEIVER_PORT,
    sandbox_port: Annotated[int, typer.Option(help="Port of the sandbox.")] = DEFAULT_SANDBOX_PORT,
) -> None:
    """Start the database, Dagster (web server and daemon) and the receiver; Ctrl-C stops them all.

    With HQ_DATABASE_URL set no database is started. Each process writes to $ENRICH_HOME/logs/<name>.log and is
    started again should it die. Everything listens on 127.0.0.1 only.

    Example: `enrich up --sandbox`, then open http://127.0.0.1:3000.
    """
    from enrichment_assets.installation import stack

    settings = Settings.from_environment()
    ports = stack.Ports(port, receiver_port, sandbox_port if sandbox else None, settings.metrics_port)
    stack.run_stack(settings, ports, say=say)


def down() -> None:
    """Stop the embedded database of this home, and the process that `enrich run` left for the next command.

    Commands start it when they need it and leave it running. Nothing is lost: the next command starts it again.

    Example: `enrich down`
    """
    from enrichment_assets.installation.databases import embedded_server
    from enrichment_assets.installation.handing_over import stop
    from enrichment_assets.installation.stack import only_stack_of

    settings = Settings.from_environment()
    stop(settings.home)
    with only_stack_of(settings):
        stopped = embedded_server(settings).stop()
    say("The embedded database is stopped." if stopped else "The embedded database was not running.")
