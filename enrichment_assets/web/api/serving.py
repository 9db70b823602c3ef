"""Serving the console and the API: on this machine only, with the receiver's bounds on slow and huge request heads."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from enrichment_assets.installation.databases import open_hq
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.server import BoundedProtocol
from enrichment_assets.settings import Settings
from enrichment_assets.web.origin_guard import loopback_origins
from enrichment_assets.web.site import build_site

HOST = "127.0.0.1"
_GOODBYE_SECONDS = 10
_CONNECTIONS = 500


def serve_api(settings: Settings, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished.

    The access log is off: paths name batches. Raises `ConfigurationError` as `build_site`.
    """
    protocol = type("ApiProtocol", (BoundedProtocol,), {"limits": ReceiverLimits()})
    app = build_site(open_hq(settings), settings, loopback_origins(port))
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        http=protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
    say(f"console: http://{HOST}:{port}")
    say(f"api: http://{HOST}:{port}/api/v1")
    uvicorn.Server(config).run()
