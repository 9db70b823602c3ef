"""Dagster's own pages, served by us: its ASGI application behind `OriginGuard`, on a port of its own.

`dagster-webserver` answers whoever reaches its port, and a page of another site in the operator's browser does. Here
its application has no port; ours is the only way in. Its pages bring scripts of their own, so they keep an origin that
they share with no other page of ours.

Two of Dagster's names are private to it (`WorkspaceProcessContext`, `WorkspaceFileTarget`); the pinned set of versions
carries them (docs/dependencies.md).
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.types import ASGIApp

from enrichment_assets.installation.databases import open_hq
from enrichment_assets.installation.stack import CONSOLE_URL, HOST
from enrichment_assets.resources.code_server_watch import watch_seldom
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.settings import DEFAULT_WEBSERVER_PORT, Settings
from enrichment_assets.web.dagster_login import LoginGuard
from enrichment_assets.web.origin_guard import LOOPBACK, OriginGuard, loopback_origins

_STATEMENT_SECONDS = 15
_POOL_RECYCLE_SECONDS = 3600
_POOL_OVERFLOW = 20
_LIVE_DATA_MILLISECONDS = 2000
_GOODBYE_SECONDS = 3
"""An open page holds a WebSocket for as long as it is open: it does not keep a stopping server."""


@contextlib.contextmanager
def dagster_application(instance: DagsterInstance, workspace: Path) -> Iterator[ASGIApp]:
    """Dagster's web application over a workspace file, without a guard; the code locations are left at the end."""
    instance.optimize_for_webserver(_STATEMENT_SECONDS * 1000, _POOL_RECYCLE_SECONDS, _POOL_OVERFLOW)
    target = WorkspaceFileTarget(paths=[str(workspace)])
    with WorkspaceProcessContext(instance, target, version=__version__) as process_context:
        yield create_app_from_workspace_process_context(
            process_context, live_data_poll_rate=_LIVE_DATA_MILLISECONDS, lifespan=_lifespan
        )


@contextlib.asynccontextmanager
async def _lifespan(_app: Any) -> AsyncIterator[None]:
    yield


def serve(
    workspace: Annotated[Path, typer.Option(help="Dagster's workspace.yaml.")] = Path("workspace.yaml"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = DEFAULT_WEBSERVER_PORT,
    no_login: Annotated[bool, typer.Option("--no-login", help="Whoever reaches the port is the operator.")] = False,
) -> None:
    """Serve Dagster's pages to browsers of this machine, and of the origins in ENRICH_UI_ORIGINS.

    Who is logged in at the console comes in: whoever may see batches of all clients reads, and whoever may control them
    may launch and stop runs.
    """
    if no_login and host not in LOOPBACK:
        raise typer.BadParameter(f"without a login only this machine is listened on, not {host}")
    settings = Settings.from_environment()
    origins = [*loopback_origins(port), *([] if no_login else settings.ui_origins)]
    logging.basicConfig(level=logging.WARNING)
    watch_seldom()
    with contextlib.ExitStack() as stack:
        instance = stack.enter_context(DagsterInstance.get())
        application = stack.enter_context(dagster_application(instance, workspace))
        if not no_login:
            hq = stack.enter_context(open_hq(settings))
            application = LoginGuard(application, hq, Signing.of(settings), os.environ.get(CONSOLE_URL, ""))
        uvicorn.run(
            OriginGuard(application, origins),
            host=host,
            port=port,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )


if __name__ == "__main__":
    typer.run(serve)
