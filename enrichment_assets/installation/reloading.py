"""A workflow that is added, changed or switched off shows in a running `enrich up` by itself.

The assets are made from the registry when Dagster loads the code location. So `enrich up` looks whether the registry
has changed since, and asks the web server to load the location again, as "Reload definitions" does; the daemon uses the
same code server. Runs under way go on with what they were started with.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.installation.dagster_graphql import CODE_LOCATION, asked
from enrichment_assets.store.catalog.registry import registry_mark, registry_versions
from enrichment_assets.store.database import Connection, connect

LOOK_SECONDS = 3.0
_RELOAD_SECONDS = 120.0
_RELOAD = """
    mutation Reload($location: String!) {
      reloadRepositoryLocation(repositoryLocationName: $location) {
        __typename
        ... on WorkspaceLocationEntry { locationOrLoadError { __typename ... on PythonError { message } } }
      }
    }
"""


@contextmanager
def reloaded_when_workflows_change(
    hq_url: str, webserver: str, say: Callable[[str], None], sign: Callable[[], str]
) -> Iterator[None]:
    """While the block runs, the code location is loaded again whenever the registry has changed.

    Args:
        hq_url: The database with the registry.
        webserver: Base URL of Dagster's web server; while it does not answer, the change waits.
        say: Called with a sentence for each reload.
        sign: What a program of this installation shows the web server.
    """
    stop = threading.Event()
    arguments = (hq_url, lambda: _reload(webserver, sign()), say, stop)
    watch = threading.Thread(target=_watch, args=arguments, name="registry", daemon=True)
    watch.start()
    try:
        yield
    finally:
        stop.set()
        watch.join(LOOK_SECONDS)


def _watch(hq_url: str, reload: Callable[[], str | None], say: Callable[[str], None], stop: threading.Event) -> None:
    with closing(_Registry(hq_url)) as registry:
        loaded = registry.mark()
        while not stop.wait(LOOK_SECONDS):
            there = registry.mark()
            if there is None or there == loaded:
                continue
            if loaded is None:  # the built-in workflows of a fresh installation, which the location itself put there
                loaded = there
            elif (outcome := reload()) is not None:
                loaded = there
                say(outcome)


class _Registry:
    """What the registry holds. The connection is kept between looks, and its rows are read when one was written."""

    def __init__(self, hq_url: str) -> None:
        self._url = hq_url
        self._connection: Connection | None = None
        self._versions: str | None = None
        self._mark: str | None = None

    def mark(self) -> str | None:
        """All of it, as one text; None when it cannot be read just now."""
        try:
            if self._connection is None:
                self._connection = connect(self._url, autocommit=True)
            versions = registry_versions(self._connection)
            if versions != self._versions:
                self._mark, self._versions = registry_mark(self._connection), versions
        except (EnrichError, psycopg.Error):
            self.close()
            return None
        return self._mark

    def close(self) -> None:
        """Let go of the connection; the next look makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _reload(webserver: str, signed: str) -> str | None:
    """Have the web server load the location again, and say what came of it; None: it did not answer."""
    answer = asked(webserver, signed, _RELOAD, {"location": CODE_LOCATION}, _RELOAD_SECONDS)
    try:
        loaded = (answer or {})["reloadRepositoryLocation"]["locationOrLoadError"]
    except (KeyError, TypeError):
        return None
    if loaded["__typename"] == "RepositoryLocation":
        return "code location: loaded again, because workflows have changed"
    return f"code location: workflows have changed, and it does not load: {loaded['message'].strip().splitlines()[-1]}"
