"""Queries on `clients`."""

from __future__ import annotations

from typing import Any

from enrichment_assets.store.database import Connection

Row = dict[str, Any]


def insert_client(connection: Connection, slug: str, name: str) -> Row | None:
    """Insert a client; None when the slug is taken."""
    return connection.execute(
        "insert into clients (slug, name) values (%s, %s) on conflict (slug) do nothing returning *", (slug, name)
    ).fetchone()


def get_client(connection: Connection, slug: str, *, archived: bool = False) -> Row | None:
    """The client with that slug; one that was archived only where `archived` says so."""
    return connection.execute(
        "select * from clients where slug = %s and (%s or archived_at is null)", (slug, archived)
    ).fetchone()


def list_clients(connection: Connection) -> list[Row]:
    """Clients by slug, archived ones left out."""
    return connection.execute("select * from clients where archived_at is null order by slug").fetchall()


def client_slugs(connection: Connection) -> dict[int, str]:
    """Id -> slug of every client, archived ones too."""
    return {row["id"]: row["slug"] for row in connection.execute("select id, slug from clients").fetchall()}


def client_exists(connection: Connection, client_id: int) -> bool:
    """Whether there is a client with that id, archived or not."""
    return connection.execute("select 1 from clients where id = %s", (client_id,)).fetchone() is not None
