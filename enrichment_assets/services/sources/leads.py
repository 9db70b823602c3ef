"""Leads by hand and from programs: each is a job whose id is its item's, in the open batch of its hour or day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.sources.gathering import Gathered, Incoming, Into, gather, make_ready
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.sources import jobs as store

MOST_LEADS = 1_000
"""Leads of one request."""

MOST_CELLS, LONGEST_NAME, LONGEST_CELL = 200, 200, 100_000
"""Cells of a lead, and characters of a cell's name and of its value."""


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    """Nothing of it has been done yet."""
    PROCESSING = "processing"
    """Some of its steps have not settled."""
    HELD = "held"
    """A call of it has an unknown fate: a person decides."""
    DONE = "done"
    """Its steps have settled, whatever they found."""
    FAILED = "failed"
    """Its steps have settled, and one of them failed or was cancelled."""


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step of a job: its workflow, where it stands, and why."""

    workflow: str
    status: str
    outcome: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """One lead that somebody asked for.

    Attributes:
        job_id: The number of its item.
        state: Where it stands.
        batch: Key of its batch.
        client: Whose it is.
        pipeline: What it goes through.
        row_number: Its row in the batch's upload.
        children: Items that its steps emitted; they count for where it stands.
        reason: Why it failed; None: it has not.
        created_at: When it came.
        ended_at: When its last step settled; None: one has not.
        steps: Its own steps, in order.
    """

    job_id: int
    state: JobState
    batch: str
    client: str
    pipeline: str
    row_number: int
    children: int
    reason: str | None
    created_at: datetime
    ended_at: datetime | None
    steps: tuple[JobStep, ...]


def add_leads(
    hq: Hq,
    settings: Settings,
    into: Into,
    leads: Sequence[Mapping[str, str]],
    *,
    actor: Actor,
    add_partition: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Gathered:
    """Take leads: once this returns they are kept, and their jobs go on by themselves where the platform runs.

    Args:
        hq: The databases.
        settings: The installation.
        into: Where they go.
        leads: Each the cells of a lead by name: identity fields (`company_domain`), or whatever its pipeline reads.
        actor: Who brings them.
        add_partition: Tells Dagster of a new batch; default: the sequencer does.
        environment: Where keys are looked for; default `os.environ`.

    Raises:
        NotFoundError: There is no such client or pipeline.
        ConfigurationError: A lead cannot be taken (all of them are refused then), or the pipeline cannot run.
    """
    incoming = checked_leads(leads)
    ready = make_ready(hq, settings, into.client, into.pipeline)
    with registry(hq) as connection:
        done = gather(connection, settings, into, incoming, ready, environment=environment)
        said = {"jobs": done.jobs, "source": into.gathers, "opened": done.opened}
        note_action(
            connection,
            actor,
            Code.LEAD_ADD,
            done.batch_key,
            client_id=ready.client_id,
            batch_id=done.batch_id,
            after=said,
        )
    if done.opened and add_partition is not None:
        add_partition(done.batch_key)
    return done


def checked_leads(leads: Sequence[Mapping[str, str]]) -> Incoming:
    """Leads as rows that have the same columns, all cells as they came.

    Raises:
        ConfigurationError: There are none or too many, or a cell is none; names the lead and the cell.
    """
    if not 1 <= len(leads) <= MOST_LEADS:
        raise ConfigurationError(
            f"1 to {MOST_LEADS:,} leads are taken at once, not {len(leads):,}", code="lead.how_many"
        )
    for number, lead in enumerate(leads, start=1):
        which = f"lead {number}" if len(leads) > 1 else "the lead"
        if not any(value.strip() for value in lead.values()):
            raise ConfigurationError(f"{which} says nothing: give at least one value", code="lead.empty")
        if len(lead) > MOST_CELLS:
            raise ConfigurationError(
                f"{which} has {len(lead):,} values; at most {MOST_CELLS} are taken", code="lead.too_many_values"
            )
        for name, value in lead.items():
            _check_cell(which, name, value)
    names = list(dict.fromkeys(name for lead in leads for name in lead))
    return Incoming(names, [tuple(lead.get(name) for name in names) for lead in leads])


def _check_cell(which: str, name: str, value: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        shown = name[:LONGEST_NAME]
        raise ConfigurationError(
            f"{which}: {shown!r} is no name of a value: 1 to {LONGEST_NAME} printable characters",
            code="lead.name_invalid",
        )
    if len(value) > LONGEST_CELL:
        raise ConfigurationError(
            f"{which}: {name} has {len(value):,} characters; at most {LONGEST_CELL:,} are taken",
            code="lead.value_too_long",
        )
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigurationError(
            f"{which}: {name} has a character that no text can hold (NUL or half of a pair)", code="lead.value_no_text"
        )


def get_job(hq: Hq, settings: Settings, job_id: int, client: str | None = None) -> Job:
    """One job; `client`: it has to be this one's.

    Raises:
        NotFoundError: There is no such job, of this client, or no such client.
    """
    check_client(hq, settings, client)
    with hq.transaction() as connection:
        found = store.find_jobs(connection, [job_id], client)
        if not found:
            whose = f" of client {client}" if client else ""
            raise NotFoundError(f"there is no job {job_id}{whose}", code="lead.not_found")
        steps = store.steps_of(connection, job_id)
    return _job(found[0], tuple(JobStep(**step) for step in steps))


def _job(row: store.JobRow, steps: tuple[JobStep, ...]) -> Job:
    return Job(
        job_id=row.item_id,
        state=state_of(row),
        batch=row.batch_key,
        client=row.client,
        pipeline=row.pipeline,
        row_number=row.row_number,
        children=row.children,
        reason=row.failure,
        created_at=row.created_at,
        ended_at=None if row.open or row.ambiguous else row.moved_at,
        steps=steps,
    )


def state_of(row: store.JobRow) -> JobState:
    """Where a job stands."""
    if row.open:
        return JobState.PROCESSING if row.moved else JobState.WAITING
    if row.ambiguous:
        return JobState.HELD
    return JobState.DONE if row.failure is None else JobState.FAILED
