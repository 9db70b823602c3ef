"""The statements on `mail_domain_checks`: the last check of a domain and way, and what of it was accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """The last check of a domain and way.

    Attributes:
        domain: Of the address in From.
        way: Through whom the mail leaves.
        checked_at: When.
        passed: Whether nothing stood against it.
        stops: Codes for which it did not pass.
        accepted_at: When somebody accepted what was wrong; None: nobody has.
        accepted_by: Who.
        accepted_reason: Why.
        accepted_stops: Which codes.
    """

    domain: str
    way: str
    checked_at: datetime
    passed: bool
    stops: list[str]
    accepted_at: datetime | None
    accepted_by: str | None
    accepted_reason: str | None
    accepted_stops: list[str] | None


_COLUMNS = "domain, way, checked_at, passed, stops, accepted_at, accepted_by, accepted_reason, accepted_stops"


def note(
    connection: Connection,
    client_id: int,
    domain: str,
    way: str,
    stops: Sequence[str],
    findings: Sequence[Mapping[str, Any]],
) -> None:
    """Keep a check in the place of the last one; what was accepted stays."""
    connection.execute(
        """
        insert into mail_domain_checks (client_id, domain, way, passed, stops, findings)
        values (%(client)s, %(domain)s, %(way)s, %(passed)s, %(stops)s::text[], %(findings)s)
        on conflict (client_id, domain, way) do update
        set checked_at = clock_timestamp(), passed = excluded.passed, stops = excluded.stops,
            findings = excluded.findings
        """,
        {
            "client": client_id,
            "domain": domain,
            "way": way,
            "passed": not stops,
            "stops": list(stops),
            "findings": Jsonb(list(findings)),
        },
    )


def find(connection: Connection, client_id: int, domain: str, way: str) -> StoredCheck | None:
    """The last check of a domain and way; None: there was none."""
    with connection.cursor(row_factory=class_row(StoredCheck)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from mail_domain_checks where client_id = %s and domain = %s and way = %s",
            (client_id, domain, way),
        ).fetchone()


def accept(connection: Connection, client_id: int, domain: str, way: str, actor: str, reason: str) -> None:
    """Accept all that stands against a domain now."""
    connection.execute(
        """
        update mail_domain_checks
        set accepted_at = clock_timestamp(), accepted_by = %s, accepted_reason = %s, accepted_stops = stops
        where client_id = %s and domain = %s and way = %s
        """,
        (actor, reason, client_id, domain, way),
    )
