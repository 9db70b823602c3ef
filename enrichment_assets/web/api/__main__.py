"""`python -m enrichment_assets.web.api`: the HTTP API as a process of its own."""

from __future__ import annotations

import argparse
import sys

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.settings import DEFAULT_API_PORT, Settings
from enrichment_assets.web.api.serving import serve_api


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m enrichment_assets.web.api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_API_PORT, help="default: %(default)s")
    parser.add_argument("--no-login", action="store_true", help="whoever reaches the port is the owner")
    parser.add_argument("--workers", type=int, default=1, help="processes that serve together (default: %(default)s)")
    options = parser.parse_args()
    try:
        serve_api(
            Settings.from_environment(),
            options.host,
            options.port,
            lambda line: print(line, flush=True),  # noqa: T201
            is_open=options.no_login,
            workers=options.workers,
        )
    except EnrichError as error:
        sys.stderr.write(f"api: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
