"""Opening this installation's databases for those who work with them: entry points open a handle, services take it."""

from __future__ import annotations

from functools import partial

from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect_hq, connect_workspace
from enrichment_assets.store.hq import MOST_CONNECTIONS, PATIENCE_SECONDS, Hq


def open_hq(settings: Settings, *, most: int = MOST_CONNECTIONS, patience: float = PATIENCE_SECONDS) -> Hq:
    """The handle for the databases of an installation. Nothing is connected, started or made before its first use.

    Its first use starts the embedded server where no URL is configured, and migrates HQ where it is behind.

    Args:
        settings: Which installation.
        most: Bound of the connections to each database.
        patience: Seconds that a transaction waits for a connection.
    """
    return Hq(partial(connect_hq, settings), partial(connect_workspace, settings), most=most, patience=patience)
