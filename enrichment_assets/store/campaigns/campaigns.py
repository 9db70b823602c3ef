"""The statements on `outreach_campaigns`: a campaign is claimed by whoever has it made, and found again by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from enrichment_assets.domain.outreach.campaigns import CampaignState
from enrichment_assets.store.database import Connection

CLAIMED_SECONDS = 600
"""For so long nobody else has a campaign made that somebody is about: longer than all tries of one call."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A row, with its client's slug.

    Attributes:
        id: Its number.
        client_id: Whose, `client` by name.
        client: The client.
        service: Who sends, as `instantly`.
        name: Its name.
        key: Ours, which stands in its name there.
        definition: What its file says.
        body_sha256: Of what was sent last, or is to be.
        state: Whether it is there.
        external_id: Its id there; None: it is not known.
        status_code: As the service said last; None: it did not.
        error: Why it was not made or changed; None: it was.
        created_by: Who had it made.
        created_at: When.
        seen_at: When the service said how it stands.
        activated_by: Who said that it sends; None: nobody did here.
        activated_at: When.
    """

    id: int
    client_id: int
    client: str
    service: str
    name: str
    key: str
    definition: Mapping[str, Any]
    body_sha256: bytes
    state: CampaignState
    external_id: str | None
    status_code: int | None
    error: str | None
    created_by: str
    created_at: datetime
    seen_at: datetime | None
    activated_by: str | None
    activated_at: datetime | None

    def __post_init__(self) -> None:
        """The state as its word."""
        object.__setattr__(self, "state", CampaignState(self.state))


_COLUMNS = """
    o.id, o.client_id, c.slug as client, o.service, o.name, o.key, o.definition, o.body_sha256, o.state, o.external_id,
    o.status_code, o.error, o.created_by, o.created_at, o.seen_at, o.activated_by, o.activated_at
"""


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """What is to be made; `name` and `service` are those of its file."""

    client_id: int
    service: str
    name: str
    key: str
    definition: Mapping[str, Any]
    body_sha256: bytes
    created_by: str


# crash point: campaign-is-claimed
def claim(connection: Connection, new: NewCampaign) -> tuple[int, Campaign | None] | None:
    """The campaign of that name, to be made or changed by this process alone.

    Returns:
        Its number and how it stood before (None: it is new); None: somebody else is about it.
    """
    before = get(connection, new.client_id, new.service, new.name)
    row = connection.execute(
        """
        insert into outreach_campaigns
            (client_id, service, name, key, definition, body_sha256, state, created_by, claimed_until)
        values (%(client_id)s, %(service)s, %(name)s, %(key)s, %(definition)s, %(body)s, 'intended', %(by)s,
            clock_timestamp() + make_interval(secs => %(claimed)s))
        on conflict (client_id, service, name) do update
        set claimed_until = excluded.claimed_until, error = null
        where outreach_campaigns.claimed_until is null or outreach_campaigns.claimed_until < clock_timestamp()
        returning id
        """,
        {
            "client_id": new.client_id,
            "service": new.service,
            "name": new.name,
            "key": new.key,
            "definition": Jsonb(dict(new.definition)),
            "body": new.body_sha256,
            "by": new.created_by,
            "claimed": CLAIMED_SECONDS,
        },
    ).fetchone()
    return None if row is None else (int(row["id"]), before)


# crash point: campaign-is-noted
def note_made(connection: Connection, number: int, new: NewCampaign, external_id: str, status: int | None) -> None:
    """It is there, and says what its file says."""
    connection.execute(
        """
        update outreach_campaigns set state = 'made', external_id = %s, status_code = %s, definition = %s,
            body_sha256 = %s, error = null, claimed_until = null, seen_at = clock_timestamp()
        where id = %s
        """,
        (external_id, status, Jsonb(dict(new.definition)), new.body_sha256, number),
    )


def note_failed(connection: Connection, number: int, error: str, *, unknown: bool) -> None:
    """It was not made or changed; `unknown`: nobody knows whether it was made."""
    connection.execute(
        """
        update outreach_campaigns set error = %s, claimed_until = null,
            state = case when %s and state <> 'made' then 'unknown' else state end
        where id = %s
        """,
        (error[:500], unknown, number),
    )


def note_seen(connection: Connection, number: int, status: int | None) -> None:
    """How it stands there now."""
    connection.execute(
        "update outreach_campaigns set status_code = %s, seen_at = clock_timestamp() where id = %s", (status, number)
    )


# crash point: campaign-activation-is-noted
def note_activated(connection: Connection, number: int, actor: str, status: int | None) -> None:
    """A person said that it sends."""
    connection.execute(
        """
        update outreach_campaigns set activated_by = %s, activated_at = clock_timestamp(), status_code = %s,
            seen_at = clock_timestamp()
        where id = %s
        """,
        (actor, status, number),
    )


def get(connection: Connection, client_id: int, service: str, name: str) -> Campaign | None:
    """The campaign of that name; None: nobody had one made."""
    query = f"""
        select {_COLUMNS} from outreach_campaigns o join clients c on c.id = o.client_id
        where o.client_id = %s and o.service = %s and o.name = %s
    """
    with connection.cursor(row_factory=class_row(Campaign)) as cursor:
        return cursor.execute(query, (client_id, service, name)).fetchone()


def listed(connection: Connection, client_id: int | None) -> list[Campaign]:
    """The campaigns of a client, or of all (None), the newest first."""
    query = f"""
        select {_COLUMNS} from outreach_campaigns o join clients c on c.id = o.client_id
        where (%(client)s::bigint is null or o.client_id = %(client)s) and c.archived_at is null
        order by o.created_at desc, o.id desc
    """
    with connection.cursor(row_factory=class_row(Campaign)) as cursor:
        return cursor.execute(query, {"client": client_id}).fetchall()
