"""How often a process asks the code server whether it is another one by now.

Dagster asks every second and has no setting for it: two exchanges a second, in three processes, of an installation in
which nothing happens. A reload that the web server is asked for shows there at once whatever this says.
"""

from __future__ import annotations

from dagster._grpc import server_watcher

WATCH_SECONDS = 5


def watch_seldom() -> None:
    """Ask every `WATCH_SECONDS` from now on."""
    server_watcher.WATCH_INTERVAL = WATCH_SECONDS
