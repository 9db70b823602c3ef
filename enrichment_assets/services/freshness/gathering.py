"""Which leads of a client were not verified for a while, and the batch that they form: one for each client and month.

Leads are read from the warehouse; a row stands for every copy of a person, by address or profile. What is known travels
in the row, so that the batch's items read nothing of other batches.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from enrichment_assets.domain import freshness
from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.home import prepare_home
from enrichment_assets.services.batches.launch_plan import draft_of
from enrichment_assets.services.batches.launching import Launched, launch
from enrichment_assets.services.batches.step_plans import StepPlan, step_plans
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse

PIPELINE = "freshness"
DAYS = 30
"""A lead that nobody has spoken of for so long is asked about again."""

_CELLS = ("full_name", "first_name", "last_name", "title", "company_name", "company_domain", "email", "linkedin_url")
COLUMNS = (*_CELLS, freshness.EMAIL_STATUS, freshness.VERIFIED, freshness.LEADS, freshness.DAY)

_STALE = f"""
    with counted as (
        select l.*, coalesce(l.last_verified, cast(l.last_advanced_at as date)) as spoken_of,
            coalesce(lower(trim(l.email)), lower(l.linkedin_url)) as person
        from leads as l
        inner join hq.batches as b on b.batch_key = l.batch_key and b.client_slug = l.client_slug
        where l.is_finished and (l.email is not null or l.linkedin_url is not null)
            and not (b.pipeline_slug = $pipeline and l.parent_item_id is null)
    ),

    people as (
        select person, max(spoken_of) as spoken_of, coalesce(bool_or(not is_active), false) as is_known_inactive,
            string_agg(batch_key || '#' || item_id, ';' order by batch_key, item_id) as leads
        from counted
        group by person
    )

    select {", ".join(f"c.{name}" for name in _CELLS)}, c.email_status, cast(p.spoken_of as varchar), p.leads
    from people as p
    inner join counted as c on c.person = p.person
    where p.spoken_of <= $until and not p.is_known_inactive
    qualify row_number() over (partition by p.person order by c.spoken_of desc, c.batch_key desc, c.item_id desc) = 1
    order by p.spoken_of, p.person
"""
"""One row per person of whom nobody has spoken since: the cells are those of the copy that was worked on last. Rows of
freshness batches are copies of leads, and no leads of their own; people who were found in place of others are."""


@dataclass(frozen=True, slots=True)
class FreshnessPlan:
    """What a freshness batch would ask.

    Attributes:
        client: Whose leads.
        batch: The key that the batch of this month has, or would have.
        exists: It is there already: nothing more is asked this month.
        leads: People who were not verified since `until`.
        until: The last day on which they were.
        steps: What each step would call at most.
        cost_at_most: By currency.
        problems: What keeps it from being launched.
    """

    client: str
    batch: str
    exists: bool
    leads: int
    until: date
    steps: tuple[StepPlan, ...]
    cost_at_most: Mapping[str, Decimal]
    problems: tuple[str, ...]


def batch_key_of(client: str, month: date) -> str:
    """The key of a client's freshness batch of a month: `acme-freshness-2026-11`."""
    return f"{client}-{PIPELINE}-{month:%Y-%m}"


def plan_freshness(hq: Hq, settings: Settings, client: str, today: date, *, days: int = DAYS) -> FreshnessPlan:
    """How many leads a batch of today would have, and what it would cost at most. Writes nothing.

    Raises:
        NotFoundError: There is no such client, or no pipeline `freshness`.
        ConfigurationError: The pipeline cannot run at all.
    """
    until = today - timedelta(days=days)
    with hq.transaction() as connection:
        row = client_row(connection, client)
        there = get_batch(connection, batch_key_of(client, today)) is not None
    with open_warehouse(settings, client_slug=client) as warehouse:
        asked = {"pipeline": PIPELINE, "until": until}
        [[leads]] = warehouse.execute(f"select count(*) from ({_STALE}) as s", asked).fetchall()
    columns = [{"key": name, "field": name if name in _CELLS else None} for name in COLUMNS]
    upload = {"id": 0, "client": client, "client_id": row["id"], "row_count": leads, "rejected_count": 0}
    with registry(hq) as connection:
        draft = draft_of(connection, {**upload, "columns": columns}, PIPELINE)
    steps = step_plans(settings, draft, None, None)
    cost: dict[str, Decimal] = {}
    for step in steps:
        cost[step.currency] = cost.get(step.currency, Decimal(0)) + step.cost_at_most
    problems = tuple(problem for step in steps for problem in step.problems)
    return FreshnessPlan(client, batch_key_of(client, today), there, leads, until, steps, cost, problems)


def launch_freshness(
    hq: Hq,
    settings: Settings,
    client: str,
    today: date,
    *,
    actor: Actor,
    add_partition: Callable[[str], None],
    days: int = DAYS,
) -> Launched | None:
    """Make the client's freshness batch of this month, or go on with it; None: no lead has to be asked about.

    Doing it again in the same month makes no second one. People who are suppressed are items that are not asked about;
    whoever was erased is no lead.

    Raises:
        NotFoundError: There is no such client.
        ConfigurationError: The pipeline cannot run, or a key is missing (names workflow and variable).
    """
    key = batch_key_of(client, today)
    with hq.transaction() as connection:
        client_row(connection, client)
        there = get_batch(connection, key)
    if there is not None:
        return launch(
            hq, settings, there["upload_id"], PIPELINE, client=client, batch_key=key, actor=actor,
            add_partition=add_partition,
        )  # fmt: skip
    prepare_home(settings.home)
    with tempfile.TemporaryDirectory(prefix="freshness-", dir=settings.home) as folder:
        file = Path(folder) / f"{PIPELINE}-{today:%Y-%m}.csv"
        if not _write(file, _stale(settings, client, today - timedelta(days=days)), today):
            return None
        upload = upload_file(hq, settings, file, client, actor=actor, source=PIPELINE)
    return launch(
        hq, settings, upload.upload_id, PIPELINE, client=client, batch_key=key, actor=actor, add_partition=add_partition
    )


def _stale(settings: Settings, client: str, until: date) -> Iterator[Sequence[Any]]:
    """The people to be asked about: their cells, status of the address, since when, and the leads that they are."""
    with open_warehouse(settings, client_slug=client) as warehouse:
        result = warehouse.execute(_STALE, {"pipeline": PIPELINE, "until": until})
        while chunk := result.fetchmany(10_000):
            yield from chunk


# opens files of ours: a list that is about to be uploaded
def _write(file: Path, people: Iterator[Sequence[Any]], today: date) -> int:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        count = 0
        for person in people:
            writer.writerow([*person, today.isoformat()])
            count += 1
    return count


def month_of(text: str) -> date:
    """The first day of a month that is written `2026-11`. Raises `ConfigurationError`."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ConfigurationError(f"{text!r} is no month: write it like 2026-11", code="freshness.month") from None
