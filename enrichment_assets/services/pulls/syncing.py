"""The one service behind CLI, HTTP, schedule and asset: a client's figures, from the service or out of a JSON file."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, ContractError, NotFoundError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pull_questions import read_items
from enrichment_assets.domain.pulls import PullDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.pulls.asking import Asker, PullError, key_of
from enrichment_assets.services.pulls.connecting import get_pull, list_connected
from enrichment_assets.services.pulls.fetching import AT_ONCE, Fetch, Fetched
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.pulls import connections, pages, tables
from enrichment_assets.store.pulls.connections import Connected
from enrichment_assets.store.pulls.pages import Asked
from enrichment_assets.store.tenancy.workspace import show_views
from enrichment_assets.wire.transport import build_client

FIRST_DAYS = 30
"""How far back the first fetch of a client goes."""

AGAIN_DAYS = 3
"""Days before the newest one that are asked for again: replies come late, and count for the day of the mail."""

LARGEST_FILE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync brought.

    Attributes:
        pull: Slug of the pull.
        client: Whose figures.
        source: `api`, or `file`.
        first_day: Of the days that were asked for.
        last_day: The last of them.
        rows: Table -> rows that the answers have for it.
        pages: How many answers there were.
        unfit: Values that did not fit the type of their column; they stand in `raw`.
        without_key: Items without anything to be known by: they are left out.
        gone: Questions about something that is not there any more.
    """

    pull: str
    client: str
    source: str
    first_day: date
    last_day: date
    rows: Mapping[str, int]
    pages: int
    unfit: int
    without_key: int
    gone: int

    @property
    def synced(self) -> int:
        """Rows in all."""
        return sum(self.rows.values())


def sync(
    hq: Hq,
    settings: Settings,
    slug: str,
    client: str,
    *,
    since: date | None = None,
    until: date | None = None,
    streams: Collection[str] | None = None,
    pull: PullDefinition | None = None,
) -> Synced:
    """Fetch a client's figures from the service. One that was broken off within the hour is gone on with.

    Args:
        hq: The databases.
        settings: The installation.
        slug: Of the pull, as `instantly`.
        client: Whose figures.
        since: First of the days; default: three days before the last fetch, at the first 30 days back.
        until: Last of the days, default today (UTC).
        streams: Names of the streams to ask; default all.
        pull: What is asked; default: what is shipped under that slug.

    Raises:
        NotFoundError: There is no such pull or client, or it is not connected.
        ConfigurationError: The days are none, or the variable may not be a key. MissingVariableError: It is not set.
        PullError: The service refuses, or does not answer; what was fetched is kept.
        ContractError: An answer is not as agreed; it is kept.
    """
    pull = pull or get_pull(slug)
    [whom] = list_connected(hq, slug, client=client)
    last = until or datetime.now(UTC).date()
    first = since or (whom.synced_day - timedelta(days=AGAIN_DAYS) if whom.synced_day else last - timedelta(FIRST_DAYS))
    if first > last:
        raise ConfigurationError(f"the days end ({last}) before they begin ({first})", code="pull.days_invalid")
    chosen = [name for name in pull.streams if streams is None or name in streams]
    key = key_of(whom.secret_variable, simulated=settings.sandbox_url is not None)
    with hq.workspace.transaction() as workspace:
        tables.ensure_tables(workspace, pull.tables)
        show_views(workspace, slug)
    with hq.transaction() as connection:
        sync_id = connections.begin(connection, whom.client_id, slug, "api", chosen, first, last)
    try:
        done = asyncio.run(_fetch(hq, settings, pull, whom, sync_id, chosen, first, last, key))
    except (PullError, ContractError) as error:
        with hq.transaction() as connection:
            connections.fail(connection, sync_id, str(error))
        raise
    with hq.transaction() as connection:
        connections.finish(connection, sync_id, done.pages, sum(done.rows.values()))
    return _report(slug, client, "api", first, last, done)


async def _fetch(
    hq: Hq,
    settings: Settings,
    pull: PullDefinition,
    whom: Connected,
    sync_id: int,
    streams: list[str],
    first: date,
    last: date,
    key: str,
) -> Fetched:
    provider = build_providers(settings.sandbox_url)[pull.provider]
    async with build_client(AT_ONCE, only_below=settings.sandbox_url) as client:
        fetch = Fetch(hq, pull, whom, sync_id, first, last, Asker(provider, key, client))
        for name in streams:
            await fetch.stream(name)
    return fetch.done


def sync_file(hq: Hq, slug: str, client: str, file: Path, *, actor: Actor, stream: str | None = None) -> Synced:
    """Take a client's figures out of a JSON file, which is kept as it is before it is read.

    The file is an object of lists by the names of streams, `{"campaigns": [...], "accounts": [...]}`, or with `stream`
    an answer of the service as it came: a list, or an object with `items`. The client need not be connected.

    Args:
        hq: The databases.
        slug: Of the pull.
        client: Whose figures.
        file: At most 64 MiB.
        actor: Who brings it.
        stream: What it has, where it does not say so.

    Raises:
        NotFoundError: There is no such pull, client or file.
        ConfigurationError: The file is too large, or there is no such stream.
        ContractError: It is no JSON, or has none of this; it is kept.
    """
    pull = get_pull(slug)
    body = _bytes_of(file)
    with hq.transaction() as connection:
        client_id = int(client_row(connection, client)["id"])
    if stream is not None and stream not in pull.streams:
        raise ConfigurationError(f"{slug} has no {stream!r}: {', '.join(pull.streams)}", code="pull.stream_unknown")
    today = datetime.now(UTC).date()
    with hq.transaction() as connection:
        sync_id = connections.begin(connection, client_id, slug, "file", [stream or "*"], today, today)
        asked = Asked(client_id, slug, sync_id, stream or "*", f"file:{hashlib.sha256(body).hexdigest()}")
        page = pages.keep(connection, asked, 200, body)
    done = Fetched(pages=0)
    try:
        for name, items in _lists(pull, body, stream).items():
            one = pull.streams[name]
            read = read_items(one, pull.tables[one.table], items, {}, client, page.fetched_at)
            with hq.workspace.transaction() as workspace:
                tables.ensure_tables(workspace, pull.tables)
                show_views(workspace, slug)
                tables.upsert(workspace, one.table, pull.tables[one.table], read.rows)
            done.add(one.table, read)
    except ContractError as error:
        with hq.transaction() as connection:
            connections.fail(connection, sync_id, str(error))
        raise
    with hq.transaction() as connection:
        pages.note_read(connection, asked, page)
        connections.finish(connection, sync_id, 1, sum(done.rows.values()))
        after = {"sha256": asked.request.removeprefix("file:"), "rows": dict(done.rows)}
        note_action(connection, actor, Code.PULL_FILE, slug, client_id=client_id, after=after)
    done.pages = 1
    return _report(slug, client, "file", today, today, done)


# opens files of ours: what a person names
def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            body = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise NotFoundError(f"{file.name} cannot be read: {error.strerror}", code="pull.file_unreadable") from None
    if len(body) > LARGEST_FILE:
        raise ConfigurationError(f"{file.name} is larger than {LARGEST_FILE} bytes", code="pull.file_too_large")
    return body


def _lists(pull: PullDefinition, body: bytes, stream: str | None) -> dict[str, list[Any]]:
    """Stream -> its items, in the order of the pull."""
    try:
        document = parse_json(body)
    except ValueError as error:
        raise ContractError(f"the file is no JSON: {error}", code="pull.not_as_agreed") from None
    if stream is not None:
        document = {stream: document}
    if not isinstance(document, dict):
        raise ContractError("the file does not say what its list is of: name a stream", code="pull.not_as_agreed")
    found = {}
    for name, one in pull.streams.items():
        given = document.get(name)
        if isinstance(given, dict):
            given = given.get(one.items) if one.items is not None and one.items in given else [given]
        if given is not None and not isinstance(given, list):
            raise ContractError(f"`{name}` of the file is no list", code="pull.not_as_agreed")
        if given is not None:
            found[name] = given
    if not found:
        names = ", ".join(pull.streams)
        raise ContractError(f"the file has none of: {names}", code="pull.not_as_agreed")
    return found


def _report(slug: str, client: str, source: str, first: date, last: date, done: Fetched) -> Synced:
    return Synced(
        slug, client, source, first, last, dict(done.rows), done.pages, done.unfit, done.without_key, done.gone
    )
