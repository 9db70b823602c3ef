"""Who changed what: the service behind `enrich audit`. Changes are written where they are made (`store.audit`)."""

from __future__ import annotations

from datetime import datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import OperatorAction, list_actions
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq

_NOUNS = {code.value.partition(".")[0] for code in Code}


def list_history(
    hq: Hq,
    *,
    client: str | None = None,
    batch: str | None = None,
    actor: str | None = None,
    code: str | None = None,
    name: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[OperatorAction]:
    """What was changed, the latest first.

    Args:
        hq: The operational database.
        client: Only what concerns this client.
        batch: Only what concerns this batch.
        actor: Only what this actor did, as `cli:ada`.
        code: Only this action, as `budget.set`, or all of its noun, as `budget`.
        name: Only what was done to what is called so.
        since: Only from this time on; it has a zone.
        before: Only what has a lower number: how one turns the page.
        limit: How many at most.

    Raises:
        NotFoundError: There is no such client or batch.
        ConfigurationError: `actor` is no actor, `code` no action, or `since` has no zone.
    """
    if since is not None and since.tzinfo is None:
        raise ConfigurationError("a time needs its zone to be compared", code="history.time_without_zone")
    if code is not None and code not in set(Code) | _NOUNS:
        raise ConfigurationError(
            f"{code[:64]!r} is no action{did_you_mean(code, [*Code, *sorted(_NOUNS)])}", code="audit.code_unknown"
        )
    who = None if actor is None else str(Actor.parse(actor))
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client, archived=True)["id"]
        found = None if batch is None else get_batch(connection, batch)
        if batch is not None and found is None:
            raise no_such_batch(connection, batch)
        batch_id = None if found is None else int(found["id"])
        return list_actions(
            connection,
            client_id=client_id,
            batch_id=batch_id,
            actor=who,
            action=code,
            name=name,
            since=since,
            before=before,
            limit=limit,
        )
