"""`enrich api`: the HTTP API (docs/access.md)."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from enrichment_assets.settings import DEFAULT_API_PORT


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("api")(api)


def api(
    port: Annotated[int, typer.Option(help="Port to listen on, on 127.0.0.1.")] = DEFAULT_API_PORT,
    workers: Annotated[
        int, typer.Option(min=1, max=32, help="Processes that serve together; one that dies is replaced.")
    ] = 1,
) -> None:
    """Serve the HTTP API on this machine until Ctrl-C, for users and API keys.

    Example: enrich api, then curl -H 'Authorization: Bearer KEY' http://127.0.0.1:8730/api/v1/me
    """
    command = [sys.executable, "-m", "enrichment_assets.web.api", "--port", str(port), "--workers", str(workers)]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter and module: this process becomes the server
