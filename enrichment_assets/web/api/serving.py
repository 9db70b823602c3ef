"""Serving the console and the API: with the receiver's bounds on slow and huge request heads."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.server import BoundedProtocol
from enrichment_assets.settings import Settings
from enrichment_assets.web.origin_guard import LOOPBACK, loopback_origins
from enrichment_assets.web.site import build_site

_GOODBYE_SECONDS = 10
_CONNECTIONS = 500


def serve_api(settings: Settings, host: str, port: int, say: Callable[[str], None], *, is_open: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished.

    `is_open`: nobody has to log in; then only this machine is listened on.

    The access log is off: paths name batches. Raises `ConfigurationError` as `build_site`.
    """
    if is_open and host not in LOOPBACK:
        raise ConfigurationError(
            f"without a login only this machine is listened on, not {host}", code="access.open_to_others"
        )
    protocol = type("ApiProtocol", (BoundedProtocol,), {"limits": ReceiverLimits()})
    app = build_site(open_hq(settings), settings, loopback_origins(port), is_open=is_open)
    config = uvicorn.Config(
        app,
        host=host,
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
    say(f"console: http://{host}:{port}")
    say(f"api: http://{host}:{port}/api/v1")
    uvicorn.Server(config).run()
