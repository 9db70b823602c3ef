"""Search plans as uploads: made from a system's templates, or a file that a person wrote."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.search_plans import Searches, plan_file, plan_searches
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.registry.loader import builtin_searches
from enrichment_assets.services.catalog.configuration import list_clients
from enrichment_assets.services.review.proposing import searches_for
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.upload import UploadReport, upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

QUERY = "query"
"""The column without which a file is no plan."""

_COLUMNS_OF_OURS = UploadOptions(mapping={QUERY: "", "region": "", "page": "", "industry": "industry"})
"""No guess is needed for a plan that we write: a region is no state of a person."""


def searches_of(system: str) -> Searches:
    """The search templates of a system. Raises `NotFoundError` where it has none."""
    known = builtin_searches()
    if system not in known:
        raise NotFoundError(
            f"there are no searches for {system!r}: {instead(system, known)}", code="discovery.system_unknown"
        )
    return known[system]


def upload_plan(
    hq: Hq,
    settings: Settings,
    searches: Searches,
    client: str,
    *,
    industries: Sequence[str],
    regions: Sequence[str],
    target: int,
    actor: Actor,
) -> UploadReport:
    """Make a plan and keep it as an upload of the client; the same plan again is the same upload.

    What was accepted of the client's proposals is asked, too.

    Raises:
        ConfigurationError: As `domain.search_plans.plan_searches`.
        NotFoundError: There is no such client.
    """
    rows = plan_searches(searches_for(hq, searches, client), industries, regions, target)
    about = "-".join([*(industries or ["all"]), *regions])
    name = re.sub(r"[^a-z0-9]+", "-", f"{searches.slug}-plan-{about}".casefold()).strip("-")[:80]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.csv"
        path.write_bytes(plan_file(rows))
        return upload_file(hq, settings, path, client, actor=actor, filename=f"{name}.csv", options=_COLUMNS_OF_OURS)


def upload_own_plan(hq: Hq, settings: Settings, path: Path, client: str, *, actor: Actor) -> UploadReport:
    """Keep a person's plan as an upload; it has to have the column `query`.

    Raises:
        UploadRefusedError: The file is no table.
        ConfigurationError: It has no such column; it is kept as an upload all the same.
        NotFoundError: There is no such client.
    """
    upload = upload_file(hq, settings, path, client, actor=actor)
    if all(column.key != QUERY for column in upload.columns):
        raise ConfigurationError(
            f"{path.name} is no search plan: it has no column {QUERY!r}", code="discovery.plan_without_query"
        )
    return upload


def refuse_both(industries: Sequence[str] | None, regions: Sequence[str] | None) -> None:
    """Raise `ConfigurationError` where a plan is given and templates are asked for, too."""
    if industries or regions:
        raise ConfigurationError(
            "a plan of your own says what is searched for: give it without industry and region",
            code="discovery.plan_and_templates",
        )


def client_or_only(hq: Hq, client: str | None) -> str:
    """The client that was named, or the only one that there is. Raises `ConfigurationError` where there are several."""
    if client is not None:
        return client
    known = [one.slug for one in list_clients(hq)]
    if len(known) != 1:
        said = f"there are {', '.join(known)}" if known else "there is none yet"
        raise ConfigurationError(f"say for which client: {said}", code="discovery.client_missing")
    return known[0]
