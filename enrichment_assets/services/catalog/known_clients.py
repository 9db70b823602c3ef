"""Whether there is a client of a name: a mistyped `--client` is an error, never an empty answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.files import Layout

if TYPE_CHECKING:
    from enrichment_assets.store.database import Connection
    from enrichment_assets.store.hq import Hq


def client_row(connection: Connection, slug: str, *, archived: bool = False) -> dict[str, Any]:
    """The client's row on an open connection, of an archived one only if asked for. Raises `NotFoundError`."""
    from enrichment_assets.store.catalog import clients as store
    from enrichment_assets.store.catalog.missing import no_such_client

    row = store.get_client(connection, slug, archived=archived)
    if row is None:
        raise no_such_client(connection, slug)
    return row


def check_client(hq: Hq, settings: Settings, slug: str | None) -> None:
    """See that there is such a client, where one is named. Raises `NotFoundError`.

    A client of whom something was extracted is known from the warehouse's folders: a question to the warehouse does not
    need the database.
    """
    if slug is None or Layout.of(settings).knows_client(slug):
        return
    with hq.transaction() as connection:
        client_row(connection, slug)
