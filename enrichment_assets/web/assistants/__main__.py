"""`python -m enrichment_assets.web.assistants`: the tools over standard input and output, as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.installation.stack import CONSOLE_URL
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.services.catalog.configuration import get_client
from enrichment_assets.settings import DEFAULT_API_PORT, Settings
from enrichment_assets.web.assistants.server import build_server
from enrichment_assets.web.assistants.tools import Tools


def main() -> int:
    """Serve until the assistant closes its end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m enrichment_assets.web.assistants", description=__doc__)
    parser.add_argument("--client", help="the only client that the assistant sees")
    options = parser.parse_args()
    try:
        settings = Settings.from_environment()
        with open_hq(settings) as hq:
            only = None if options.client is None else get_client(hq, options.client).slug
            console = os.environ.get(CONSOLE_URL) or f"http://127.0.0.1:{DEFAULT_API_PORT}"
            build_server(Tools(hq, settings, Signing.of(settings), console, only)).run("stdio")
    except EnrichError as error:
        sys.stderr.write(f"mcp: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
