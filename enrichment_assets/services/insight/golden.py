"""Whether a person is known, over all batches of a client: questions to the golden records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.suppression import Kind, read_identity
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money.currencies import currencies_of_batches
from enrichment_assets.warehouse import ensure_built, open_warehouse

_COLUMNS = (
    "client_slug, person_id, confidence, hold_reason, full_name, email, linkedin_url, company_name, sources_disagree, "
    "batches, leads, first_seen_at, last_seen_at"
)
_PAID = """
    select p.person_id, s.batch_key, s.workflow_slug, sum(s.cost)
    from lead_people as p inner join hq.workflow_states as s on s.batch_key = p.batch_key and s.item_id = p.item_id
    where p.person_id in (select unnest(?)) and s.cost > 0 group by all order by all
"""
_ASKED = {
    Kind.EMAIL: ("email", "person_mailbox"),
    Kind.LINKEDIN: ("linkedin_url", "linkedin_person_page"),
}


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A golden record; see the model `people` for what each member means. `cost`: currency -> amount."""

    client: str
    person_id: str
    confidence: str
    hold_reason: str | None
    full_name: str | None
    email: str | None
    linkedin_url: str | None
    company_name: str | None
    sources_disagree: tuple[str, ...]
    batches: tuple[str, ...]
    leads: int
    cost: Mapping[str, Decimal]
    first_seen: datetime
    last_seen: datetime


def known_person(hq: Hq, settings: Settings, who: str, client: str | None = None) -> list[KnownPerson]:
    """The records of whoever has this address or profile, of every client or of one; nobody: none.

    Every address and profile that somebody gave for one of their leads counts, not only the best one.

    Raises:
        ConfigurationError: It is neither an address nor a profile, or an office's mailbox.
        NotFoundError: There is no such client.
    """
    identity = read_identity(who, Kind.EMAIL if "@" in who else Kind.LINKEDIN)
    check_client(hq, settings, client)
    ensure_built(settings)
    field, function = _ASKED[identity.kind]
    query = f"""
        with meant as (
          select value from (select distinct value from lead_values where field = ? and value is not null)
          where {function}(value) = ?
        )
        select {_COLUMNS} from people where (client_slug, person_id) in (
          select (p.client_slug, p.person_id) from lead_people as p
          inner join lead_values as v on v.item_id = p.item_id and v.field = ?
          where v.value in (select value from meant)
        ) order by client_slug, person_id
    """
    with open_warehouse(settings, client_slug=client) as warehouse:
        if warehouse.execute(f"select {function}(?)", [identity.value]).fetchall()[0][0] is None:
            raise ConfigurationError(
                f"{identity.value} is an office's mailbox: whoever is there reads it, and it names nobody",
                code="person.office_mailbox",
            )
        rows = warehouse.execute(query, [field, identity.value, field]).fetchall()
        paid = warehouse.execute(_PAID, [[row[1] for row in rows]]).fetchall()
    with hq.transaction() as connection:
        currencies = currencies_of_batches(connection)
    costs: dict[str, dict[str, Decimal]] = {}
    for person_id, batch_key, workflow, amount in paid:
        of_person = costs.setdefault(person_id, {})
        currency = currencies.get(batch_key, {}).get(workflow, "")
        of_person[currency] = of_person.get(currency, Decimal(0)) + amount
    return [_person(row, costs.get(row[1], {})) for row in rows]


def _person(row: Sequence[Any], cost: Mapping[str, Decimal]) -> KnownPerson:
    values = dict(zip(KnownPerson.__dataclass_fields__, [*row[:11], cost, *row[11:]], strict=True))
    lists = {name: tuple(orjson.loads(values[name] or "[]")) for name in ("sources_disagree", "batches")}
    return KnownPerson(**{**values, **lists})
