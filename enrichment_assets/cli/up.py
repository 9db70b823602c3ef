"""`enrich up` and `enrich down`: everything for daily work, started and stopped with one command."""

from __future__ import annotations

from typing import Annotated

import typer

from enrichment_assets.cli.sentences import say
from enrichment_assets.settings import (
    DEFAULT_API_PORT,
    DEFAULT_RECEIVER_PORT,
    DEFAULT_SANDBOX_PORT,
    DEFAULT_WEBSERVER_PORT,
    Settings,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(up)
    app.command()(down)


def up(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Also run the provider sandbox, and call it.")] = False,
    port: Annotated[int, typer.Option(help="Port of the Dagster web server.")] = DEFAULT_WEBSERVER_PORT,
    receiver_port: Annotated[int, typer.Option(help="Port of the receiver.")] = DEFAULT_RECEIVER_PORT,
    sandbox_port: Annotated[int, typer.Option(help="Port of the sandbox.")] = DEFAULT_SANDBOX_PORT,
    console_port: Annotated[int, typer.Option(help="Port of the console and the API.")] = DEFAULT_API_PORT,
    workers: Annotated[
        int,
        typer.Option(min=1, max=32, help="Processes that serve console and API together; one that dies is replaced."),
    ] = 1,
    no_login: Annotated[
        bool, typer.Option("--no-login", help="Whoever reaches the ports is the owner: for development only.")
    ] = False,
) -> None:
    """Start the database, Dagster (web server and daemon), the console and the receiver; Ctrl-C stops them all.

    With HQ_DATABASE_URL set no database is started. Each process writes to $ENRICH_HOME/logs/<name>.log and is
    started again should it die. Everything listens on 127.0.0.1 only. Console and Dagster's pages ask for a login: the
    first start prints a link by which the owner sets a password.

    Example: `enrich up --sandbox`, then open http://127.0.0.1:8730 (the console) or http://127.0.0.1:3000 (Dagster).
    """
    from enrichment_assets.installation import stack
    from enrichment_assets.services.access.signing import Signing

    settings = Settings.from_environment()
    metrics = settings.metrics_port
    ports = stack.Ports(port, receiver_port, sandbox_port if sandbox else None, metrics, console_port)
    entrance = stack.Entrance(
        sign=lambda: Signing.of(settings).program(),
        invite=lambda: None if no_login else _invitation(settings, console_port),
        is_open=no_login,
        workers=workers,
    )
    stack.run_stack(settings, ports, entrance, say=say)


def _invitation(settings: Settings, console_port: int) -> str | None:
    """How the first owner gets in; None: somebody owns the platform already."""
    from enrichment_assets.cli.actor import actor
    from enrichment_assets.installation.databases import open_hq
    from enrichment_assets.services.access.users import first_owner

    with open_hq(settings) as hq:
        made = first_owner(hq, actor=actor())
    if made is None:
        return None
    address = f"http://127.0.0.1:{console_port}/password?token={made.token}"
    return f"first owner: set the password of `{made.login}`, once and within 24 hours: {address}"


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
