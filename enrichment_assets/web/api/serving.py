"""Serving the console and the API: with the receiver's bounds on slow and huge request heads.

Several processes can serve one port: what they share is in HQ. One that dies is replaced, and whoever followed
something in it comes again to another.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.server import BoundedProtocol
from enrichment_assets.settings import Settings
from enrichment_assets.web.origin_guard import LOOPBACK, loopback_origins
from enrichment_assets.web.site import build_site

_GOODBYE_SECONDS = 10
_CONNECTIONS = 500
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 60
"""How long a process may say nothing before it is replaced: on a busy machine its imports take more than five."""


class ApiProtocol(BoundedProtocol):
    """The bounds of this door."""

    limits = ReceiverLimits()


@dataclass(frozen=True, slots=True)
class Site:
    """The site as each process makes its own. `watched`: the process that replaces others; None: there is one alone."""

    port: int
    is_open: bool
    workers: int
    watched: int | None = None

    def __call__(self) -> ASGIApp:
        """Made in the process that serves it. Raises `ConfigurationError` as `build_site`."""
        settings = Settings.from_environment()
        if self.watched is not None:
            threading.Thread(target=_end_with, args=(self.watched,), daemon=True).start()
        hq, origins = open_hq(settings), loopback_origins(self.port)
        return build_site(hq, settings, origins, is_open=self.is_open, workers=self.workers)


def serve_api(
    settings: Settings, host: str, port: int, say: Callable[[str], None], *, is_open: bool = False, workers: int = 1
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished.

    `is_open`: nobody has to log in; then only this machine is listened on. `workers`: processes that serve together.

    The access log is off: paths name batches. Raises `ConfigurationError` as `build_site`.
    """
    if is_open and host not in LOOPBACK:
        raise ConfigurationError(
            f"without a login only this machine is listened on, not {host}", code="access.open_to_others"
        )
    app = build_site(open_hq(settings), settings, loopback_origins(port), is_open=is_open)
    config = uvicorn.Config(
        app if workers == 1 else Site(port, is_open, workers, os.getpid()),
        factory=workers > 1,
        workers=workers,
        host=host,
        port=port,
        http=ApiProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
        timeout_worker_healthcheck=_PATIENCE_SECONDS,
    )
    say(f"console: http://{host}:{port}")
    say(f"api: http://{host}:{port}/api/v1")
    if workers == 1:
        uvicorn.Server(config).run()
    else:
        Multiprocess(config, sockets=[config.bind_socket()]).run()


def _end_with(parent: int) -> None:
    """Stop where the process that started this one is gone: nobody would replace or stop it."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    signal.raise_signal(signal.SIGTERM)
