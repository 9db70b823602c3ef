"""The search optimiser: yields become a list for a model, its answers proposals, and accepted ones searches."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.search_plans import Searches
from enrichment_assets.domain.search_proposals import WORKFLOW, State, said_of, template_of, with_accepted
from enrichment_assets.registry.loader import builtin_searches
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.insight.queries import ask
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.upload import UploadReport, upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review import proposals as store
from enrichment_assets.store.review.proposals import Proposal

COLUMNS = ("system", "industry_slug", "industry", "yields")
_ONE_IS_A_FIELD = UploadOptions(mapping={name: "industry" if name == "industry" else "" for name in COLUMNS})


def upload_yields(hq: Hq, settings: Settings, batch_key: str, *, actor: Actor) -> tuple[str, UploadReport]:
    """What the queries of a batch came to, a row for each industry, as an upload of its client; the client's slug too.

    Raises:
        NotFoundError: There is no such batch.
        ConfigurationError: It is of no system that searches, is not finished, or asked no queries.
    """
    with hq.transaction() as connection:
        batch = get_batch(connection, batch_key)
        if batch is None:
            raise no_such_batch(connection, batch_key)
    searches = builtin_searches().get(batch["blueprint"].get("system") or "")
    if searches is None or batch["finished_at"] is None:
        why = "is of no system that searches" if searches is None else "is not finished"
        raise ConfigurationError(f"batch {batch_key} {why}", code="proposal.batch_without_yield")
    question = "select * from query_yield where batch_key = ?"
    with ask(hq, settings, question, [batch_key], client=batch["client"]) as answer:
        names = answer.columns
        found = [dict(zip(names, row, strict=True)) for row in answer.rows()]
    titles = {one.title: slug for slug, one in searches.industries.items()}
    rows = [
        (searches.slug, slug, title, said_of(row for row in found if row["industry"] == title))
        for title, slug in titles.items()
        if any(row["industry"] == title for row in found)
    ]
    if not rows:
        raise ConfigurationError(
            f"batch {batch_key} asked no queries of the system's industries", code="proposal.no_queries"
        )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "yields.csv"
        path.write_text(out.getvalue(), encoding="utf-8", newline="")
        name = f"yields-of-{batch_key}.csv"
        upload = upload_file(hq, settings, path, batch["client"], actor=actor, filename=name, options=_ONE_IS_A_FIELD)
    return batch["client"], upload


def list_proposals(hq: Hq, *, client: str | None = None, state: State | None = None) -> list[Proposal]:
    """What was proposed, the latest first; answers that came since are taken over.

    Raises:
        NotFoundError: There is no such client.
    """
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        new = []
        for row in store.answers(connection, WORKFLOW, client_id):
            asked = row["original_data"]
            for one in row["proposed"] if isinstance(row["proposed"], list) else ():
                template = template_of(one.get("words")) if isinstance(one, dict) else None
                if template is not None:
                    whose = (asked.get("system") or "", asked.get("industry_slug") or "")
                    new.append((row["client_id"], row["batch_id"], *whose, template, str(one.get("reason") or "")))
        store.add(connection, new)
        return store.listed(connection, client_id, state=state)


def decide(hq: Hq, ids: Sequence[int], state: State, *, actor: Actor) -> list[Proposal]:
    """Accept or reject proposals; as they are then.

    Raises:
        NotFoundError: One of them does not exist; nothing was changed.
    """
    with hq.transaction() as connection:
        known = {one.id: one for one in store.listed(connection, None, ids=ids)}
        if missing := [number for number in ids if number not in known]:
            raise NotFoundError(f"there is no proposal {missing[0]}", code="proposal.not_found")
        code = Code.PROPOSAL_ACCEPT if state is State.ACCEPTED else Code.PROPOSAL_REJECT
        for number in store.decide(connection, ids, state, actor):
            before, after = {"state": known[number].state.value}, {"state": state.value}
            whose = known[number].client_id
            note_action(connection, actor, code, number, client_id=whose, before=before, after=after)
        return store.listed(connection, None, ids=ids)


def searches_for(hq: Hq, searches: Searches, client: str) -> Searches:
    """A system's searches with what was accepted for a client. Raises `NotFoundError`: there is no such client."""
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        return with_accepted(searches, store.accepted(connection, client_id, searches.slug))
