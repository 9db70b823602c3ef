"""What is old and needed by nobody goes: Dagster's history, bodies of answers, leads that were told. Figures stay."""

from __future__ import annotations

import json
from dataclasses import dataclass

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.durations import parse_duration
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.uploads.kept_files import forget_bytes
from enrichment_assets.settings import Settings
from enrichment_assets.store import dagster_history
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.calls import retention
from enrichment_assets.store.calls.retention import Bodies, Kind
from enrichment_assets.store.catalog import uploads as uploads_store
from enrichment_assets.store.dagster_history import History
from enrichment_assets.store.database import Connection, connect, route_to, set_for_transaction
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.outgoing import retention as outgoing

LEAST_DAYS = 7
"""Nothing younger is taken out: a person looks at last week's runs."""


@dataclass(frozen=True, slots=True)
class Retained:
    """What was taken out, or would be.

    Attributes:
        days: What is older than so many days.
        dry_run: Nothing was changed.
        history: Of Dagster's: runs, events and their bytes.
        answers: Bodies of answers, and the inputs of prompts; one that was given to several calls at once counts once.
        callbacks: Bodies of callbacks, and of what came back of deliveries.
        uploads: Kept files of uploads.
        told_leads: Leads that clients' servers were told of.
    """

    days: int
    dry_run: bool
    history: History
    answers: Bodies
    callbacks: Bodies
    uploads: Bodies
    told_leads: Bodies


def retain(hq: Hq, settings: Settings, dagster_url: str, days: int, *, dry_run: bool, actor: Actor) -> Retained:
    """Take out what is older than `days` and needed by nobody, in short transactions: killed, it is called again.

    Args:
        hq: The operational database.
        settings: The installation, which keeps the files of uploads.
        dagster_url: libpq URL of Dagster's tables.
        days: At least `LEAST_DAYS`.
        dry_run: Say what would go, and change nothing.
        actor: Who says so; kept with the figures.

    Raises:
        ConfigurationError: So few days are not allowed.
    """
    if days < LEAST_DAYS:
        raise ConfigurationError(
            f"what is younger than {LEAST_DAYS} days is kept: give more days", code="retention.too_few_days"
        )
    with hq.transaction() as connection:
        needed = retention.batches_not_done(connection)
        windows = json.dumps(_windows(connection))
    answers = _bodies(hq, Kind.ANSWERS, days, windows, dry_run=dry_run)
    answers += _bodies(hq, Kind.BULK, days, windows, dry_run=dry_run)
    answers += _bodies(hq, Kind.PROMPTS, days, windows, dry_run=dry_run)
    callbacks = _bodies(hq, Kind.CALLBACKS, days, windows, dry_run=dry_run)
    callbacks += _bodies(hq, Kind.MESSAGES, days, windows, dry_run=dry_run)
    history = _history(dagster_url, days, needed, dry_run=dry_run)
    uploads = _uploads(hq, settings, days, dry_run=dry_run)
    told_leads = _told_leads(hq, days, dry_run=dry_run)
    done = Retained(days, dry_run, history, answers, callbacks, uploads, told_leads)
    if not dry_run:
        with hq.transaction() as connection:
            note_action(connection, actor, Code.RETENTION_RUN, days, after=_figures(done))
    return done


def _windows(connection: Connection) -> dict[str, float]:
    """Slug -> the longest time that an answer of it may still be reused, whoever asks."""
    longest: dict[str, float] = {}
    for row in retention.reuse_texts(connection):
        seconds = float(parse_duration(row["reuse_for"]))  # type: ignore[arg-type]
        longest[row["slug"]] = max(seconds, longest.get(row["slug"], 0.0))
    return longest


def _bodies(hq: Hq, kind: Kind, days: int, windows: str, *, dry_run: bool) -> Bodies:
    total = Bodies()
    with connect(hq.url) as connection:
        if dry_run:
            return retention.count_bodies(connection, kind, days, windows)
        while (taken := retention.take_bodies(connection, kind, days, windows)).bodies:
            connection.commit()
            total += taken
    return total


def _uploads(hq: Hq, settings: Settings, days: int, *, dry_run: bool) -> Bodies:
    """The kept files of old uploads, and the rows of those that came one by one.

    A file goes before it is noted: killed in between, it is found again.
    """
    with hq.transaction() as connection:
        old = uploads_store.old_files(connection, days)
    for file in () if dry_run else old:
        forget_bytes(settings, file.client, file.sha256)
        with hq.transaction() as connection:
            uploads_store.note_removed(connection, file.upload_ids)
    with hq.transaction() as connection:
        gathered = uploads_store.old_gathered(connection, days)
    for upload in () if dry_run else gathered:
        with hq.transaction() as connection:
            uploads_store.take_out_rows(connection, upload.upload_ids)
    return Bodies(len(old) + len(gathered), sum(one.size for one in [*old, *gathered]))


def _told_leads(hq: Hq, days: int, *, dry_run: bool) -> Bodies:
    total, after = Bodies(), 0
    with connect(hq.url) as connection:
        if dry_run:
            return outgoing.count_told_leads(connection, days)
        while True:
            taken, last = outgoing.take_told_leads(connection, days, after)
            connection.commit()
            if last is None:
                return total
            total, after = total + taken, last


def _history(url: str, days: int, needed: list[str], *, dry_run: bool) -> History:
    total, after = History(), 0
    way = route_to(url)
    with connect(way.url) as connection:
        while True:
            with connection.transaction():
                set_for_transaction(connection, way.settings)
                if not (runs := dagster_history.old_runs(connection, days, needed, after)):
                    return total
                after, ids = max(runs), list(runs.values())
                take = dagster_history.count if dry_run else dagster_history.take_out
                total += take(connection, ids)


def _figures(done: Retained) -> dict[str, int]:
    bodies = (done.answers, done.callbacks, done.uploads, done.told_leads)
    return {
        "runs": done.history.runs,
        "events": done.history.events,
        "answers": done.answers.bodies,
        "callbacks": done.callbacks.bodies,
        "uploads": done.uploads.bodies,
        "told_leads": done.told_leads.bodies,
        "bytes": done.history.bytes + sum(one.bytes for one in bodies),
    }
