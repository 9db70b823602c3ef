"""Whether this process holds its connections to Dagster's tables until it ends.

The code server does: Dagster makes a storage for each tick of a sensor there, which took a new connection and looked at
the server's version and types each time. Apart from `dagster_engines`, whose libraries nobody imports to say so.
"""

from __future__ import annotations

_kept = False


def keep_connections() -> None:
    """From now on this process makes one engine for each URL."""
    global _kept
    _kept = True


def are_kept() -> bool:
    """Whether it was told to."""
    return _kept
