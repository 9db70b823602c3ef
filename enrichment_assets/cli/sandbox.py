"""`enrich sandbox`: the provider simulator."""

from __future__ import annotations

import typer

from enrichment_assets.sandbox.command import sandbox


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox")(sandbox)
