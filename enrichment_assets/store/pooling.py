"""What stands before a server: nothing, or a connection pooler (PgBouncer, Supavisor), and what goes through it.

A pooler lends its few connections to many clients. In transaction mode each transaction may be another session, so a
setting of a session would stay with other people's statements; in session mode a session is ours until we hang up. No
pooler takes `options`, the part of a URL that carries settings. What is said here holds for both modes: settings belong
to a transaction. Statements are prepared without a pooler, or where `HQ_DATABASE_POOLER` says `session`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from psycopg.conninfo import conninfo_to_dict

from enrichment_assets.domain.errors import ConfigurationError


class Pooling(StrEnum):
    """How a server is reached."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


DECLARED_BY = "HQ_DATABASE_POOLER"
"""Setting: the mode of the pooler that `HQ_DATABASE_URL` leads to. Not set: a pooler is noticed, and transaction mode
assumed, which is right in both."""

_known: dict[frozenset[tuple[str, object]], Pooling] = {}
"""What this process has found out or was told, by where and as whom it connects."""


@dataclass(frozen=True, slots=True)
class Route:
    """How to connect to what a URL names.

    Attributes:
        url: What to connect with.
        pooling: What stands in between.
        settings: What the URL's `options` ask for and a pooler does not take: to be set in each transaction. Empty
            without a pooler, where they travel in `url`.
    """

    url: str = field(repr=False)
    pooling: Pooling
    settings: Mapping[str, str]


def declared_pooling(text: str | None) -> Pooling | None:
    """The setting's value. Raises `ConfigurationError` when it is neither `transaction` nor `session`."""
    if text is None:
        return None
    if text not in (Pooling.TRANSACTION, Pooling.SESSION):
        raise ConfigurationError(
            f'{DECLARED_BY} is "{text}": write transaction or session, as the pooler is set up, or leave it out.',
            code="setting.pooler_invalid",
        )
    return Pooling(text)


def known_pooling(url: str) -> Pooling | None:
    """What this process knows of a URL's server; None: nothing yet."""
    return _known.get(_whereabouts(url))


def note_pooling(url: str, pooling: Pooling) -> None:
    """Remember it for all connections of this process, whatever settings their URLs carry."""
    _known[_whereabouts(url)] = pooling


def route(url: str, pooling: Pooling) -> Route:
    """How to connect to what a URL names, through what stands in between."""
    if pooling is Pooling.NONE:
        return Route(url, pooling, {})
    return Route(without_options(url), pooling, options_of(url))


def options_of(url: str) -> dict[str, str]:
    """The settings in a URL's `options`: `-cjit=off -c search_path=a` gives both by name.

    As the server takes it apart (`pg_split_opts`): at white space that no backslash is before; quotes mean nothing.
    """
    options = str(conninfo_to_dict(url).get("options") or "")
    words = iter(re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|[^\s\\])+", options))
    settings = {}
    for word in words:
        said = next(words, "") if word == "-c" else word.removeprefix("-c").removeprefix("--")
        name, _, value = said.partition("=")
        settings[name.replace("-", "_")] = value
    return settings


def without_options(url: str) -> str:
    """The same URL without its `options`."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "options"]
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/")))


def advice(text: str) -> str:
    """What to do about a refusal in a pooler's own words, to end the sentence with; else empty."""
    return next((f": {advised}" for words, advised in _REFUSALS.items() if words in text), "")


_REFUSALS = {
    "unsupported startup parameter": (
        "a connection pooler takes no `options`; give the role its search_path instead "
        "(alter role NAME in database NAME set search_path = SCHEMA), or name the server itself"
    ),
    "query_wait_timeout": (
        "the connection pooler has no free connection to the server; raise its pool size, or use transaction mode"
    ),
    "no more connections allowed": "the connection pooler takes no more clients; raise its max_client_conn",
    "max clients reached": (
        "the connection pooler takes no more clients; raise its pool size, or use its port for transaction mode"
    ),
}
"""Words of PgBouncer, and of Supavisor (`MaxClientsInSessionMode: max clients reached`)."""


@lru_cache(maxsize=64)
def _whereabouts(url: str) -> frozenset[tuple[str, object]]:
    parts = conninfo_to_dict(url)
    return frozenset((name, parts.get(name)) for name in ("host", "hostaddr", "port", "dbname", "user"))
