"""The database handle of an installation, in tests: as many as a test asks for, closed when it ends."""

from __future__ import annotations

from enrichment_assets.installation.databases import open_hq
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

_open: dict[Settings, Hq] = {}


def hq_of(settings: Settings) -> Hq:
    """The handle, the same one for equal settings.

    It has one connection to each database: a service that held one while it asked for another would wait in vain.
    """
    if settings not in _open:
        _open[settings] = open_hq(settings, most=1)
    return _open[settings]


def close_handles() -> None:
    """Close what was opened."""
    while _open:
        _open.popitem()[1].close()
