"""`python -m enrichment_assets.receiver`: the receiver as a process of its own."""

from __future__ import annotations

import argparse
import sys

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.receiver.app import build_app
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.server import serve
from enrichment_assets.settings import DEFAULT_RECEIVER_PORT, Settings


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m enrichment_assets.receiver", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_RECEIVER_PORT, help="0 takes a free one (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        limits = ReceiverLimits.from_environment()
        serve(build_app(Settings.from_environment(), limits), options.host, options.port, limits)
    except EnrichError as error:
        sys.stderr.write(f"receiver: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
