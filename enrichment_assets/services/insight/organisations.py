"""One organisation as a client's data name it: its aliases, and why each of them is an alias of it."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse

_ALIASES = """
    select client_slug, alias_kind, alias_key, rule, is_ambiguous, name, evidence, mentions
    from organisation_aliases where organisation_id = $id order by mentions desc, alias_kind, alias_key
"""
_OTHERS = """
    select distinct o.organisation_id, coalesce(o.name, o.organisation_id) as name, a.alias_key
    from organisation_aliases a
    join organisation_aliases b on b.client_slug = a.client_slug and b.alias_key = a.alias_key
    join organisations o on o.client_slug = b.client_slug and o.organisation_id = b.organisation_id
    where a.organisation_id = $id and a.is_ambiguous and b.organisation_id <> $id order by 2, 3
"""


@dataclass(frozen=True, slots=True)
class Alias:
    """One way in which an organisation is named.

    Attributes:
        kind: `provider_id`, `linkedin`, `account`, `name` or `host`.
        key: The alias, with its kind before it.
        rule: Why it is one: `identifier`, `only_name`, `only_host`, `alone` or `ambiguous`.
        is_ambiguous: It is an alias of others, too, and joins none of them.
        name: How the name was written most often beside it.
        evidence: What was named together.
        mentions: How often.
    """

    kind: str
    key: str
    rule: str
    is_ambiguous: bool
    name: str | None
    evidence: str
    mentions: int


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation with its aliases. `others`: (id, name, alias) of those that share an ambiguous alias with it."""

    organisation_id: str
    client: str
    name: str
    aliases: tuple[Alias, ...]
    others: tuple[tuple[str, str, str], ...]


def get_organisation(hq: Hq, settings: Settings, organisation_id: str, *, client: str | None = None) -> Organisation:
    """One organisation, of a client or of any.

    Raises:
        NotFoundError: There is no such client, or no organisation of that id in its data.
    """
    check_client(hq, settings, client)
    connection = open_warehouse(settings, client_slug=client, question=f"{_ALIASES};{_OTHERS}")
    try:
        rows = connection.execute(_ALIASES, {"id": organisation_id}).fetchall()
        if not rows:
            raise NotFoundError(f"there is no organisation {organisation_id[:80]!r}", code="organisation.unknown_id")
        others = connection.execute(_OTHERS, {"id": organisation_id}).fetchall()
    finally:
        connection.close()
    aliases = tuple(Alias(*row[1:]) for row in rows)
    named = next((one.name for one in aliases if one.name), organisation_id)
    return Organisation(organisation_id, rows[0][0], named, aliases, tuple(others))
