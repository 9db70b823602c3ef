"""`python -m enrichment_assets.sandbox --host 127.0.0.1 --port 8720 [...]`."""

from __future__ import annotations

import sys

import typer

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.sandbox.command import sandbox

if __name__ == "__main__":
    try:
        typer.run(sandbox)
    except EnrichError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
