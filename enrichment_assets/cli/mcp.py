"""`enrich mcp`: the platform as tools of an assistant (docs/assistants.md)."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from enrichment_assets.cli.opening import opened_hq


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("mcp")(mcp)


def mcp(
    client: Annotated[str | None, typer.Option("--client", help="The only client that the assistant sees.")] = None,
) -> None:
    """Serve an assistant over standard input and output, by the Model Context Protocol.

    It reads and plans freely. What spends money or leaves is confirmed by a person at the console first, each once.

    Example: claude mcp add enrichment -- enrich mcp --client acme
    """
    if client is not None:
        from enrichment_assets.services.catalog.clients import get_client

        get_client(opened_hq(), client)  # said now: later it would be said in an assistant's log alone
    command = [sys.executable, "-m", "enrichment_assets.web.assistants", *(["--client", client] if client else [])]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter and module: this process becomes the server
