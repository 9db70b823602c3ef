"""Reading stored answers again after a mapping was mended: the service behind `enrich replay`. Makes no call.

The raw bytes are in the ledger and in the callback inbox. They are read by the same functions as live answers, with
the mapping that the registry and the client's configuration hold now, and the batch's blueprint follows. How the
request is made stays as it was launched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import orjson
import psycopg

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.destination import Destination
from enrichment_assets.domain.emission import Emission
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.statuses import Outcome, Status
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.domain.workflow import Entity, WorkflowDefinition
from enrichment_assets.engine.decisions.decision import Decision, dump
from enrichment_assets.engine.decisions.fanout import emission_for
from enrichment_assets.engine.decisions.replay import read_again
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.services.batches import known
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.operations.current_mapping import current_mapping
from enrichment_assets.services.operations.recovery import in_transaction, locked, note_change
from enrichment_assets.services.operations.replay_report import MOST_EXAMPLES, ChangedAnswer, ReplayReport
from enrichment_assets.services.operations.rereading import prepared_step, with_current_mapping, with_step
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches import fanout
from enrichment_assets.store.calls.retention import bodies_gone
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states import recovery, reopening, replaying
from enrichment_assets.store.states.recovery import LockedBatch
from enrichment_assets.store.states.replaying import NewReading, StoredAnswer
from enrichment_assets.store.states.transitions import StepFacts

REPLAYED = "read again from the stored answer"


def replay(
    hq: Hq, settings: Settings, batch_key: str, workflow: str, *, actor: Actor, dry_run: bool = False
) -> ReplayReport:
    """Read the stored answers of one workflow of a batch again.

    Args:
        hq: The databases.
        settings: The installation.
        batch_key: The batch; no run may be working on it.
        workflow: Slug of the workflow.
        actor: Who lets them be read again.
        dry_run: Only say what would change; allowed while a run works.

    Raises:
        NotFoundError: no such batch or workflow.
        ConfigurationError: a run works on the batch, the workflow has no stored answers (it is computed here), its
            mapping cannot work, or calls are open that a new version of the workflow would repeat under another key.
    """
    with registry(hq) as connection:
        current = current_mapping(connection, batch_key, workflow).workflow
    hasher = known.ready(hq, settings, batch_key)

    def change(connection: Connection) -> tuple[ReplayReport, Destination | None, str]:
        return _Replay(connection, settings, batch_key, current, actor, hasher, dry_run=dry_run).run()

    report, destination, client = in_transaction(hq, change)
    if dry_run or destination is None:
        return report
    return _with_removed_rows(hq, report, destination, client)


class _Replay:
    """One replay within its transaction."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        batch_key: str,
        current: WorkflowDefinition,
        actor: Actor,
        hasher: Hasher | None,
        *,
        dry_run: bool,
    ) -> None:
        self._actor = actor
        self._hasher = hasher
        self._connection = connection
        self._settings = settings
        self._key = batch_key
        self._slug = current.slug
        self._dry_run = dry_run
        self._batch, self._old = locked(connection, batch_key, current.slug, against_runs=not dry_run)
        self._workflow = with_current_mapping(self._old.step(current.slug).workflow, current)
        self._blueprint = with_step(self._old, self._workflow)
        self._counts: Counter[str] = Counter()
        self._examples: list[ChangedAnswer] = []
        self._answered: list[tuple[int, str]] = []
        self._emitted: set[str] = set()
        self._refused: set[int] = set()

    def run(self) -> tuple[ReplayReport, Destination | None, str]:
        """Read and write everything; the report, and where results of this workflow go."""
        before = self._old.step(self._slug).workflow.version()
        new = self._workflow.version() != before
        if not self._dry_run:
            _refuse_running(self._batch, self._key)
            if new:
                self._refuse_open_calls()
        step = prepared_step(self._settings.sandbox_url, self._blueprint, self._slug)
        for chunk in replaying.stored_answers(self._connection, self._batch.batch_id, self._slug):
            read = [(stored, decision) for stored in chunk if (decision := self._read(step, stored)) is not None]
            emitted = self._emissions(step, read)
            notes = {item_id: emission.note for item_id, emission in emitted}
            readings = [
                self._counted(stored, replace(decision, reason=notes.get(stored.item_id) or decision.reason))
                for stored, decision in read
            ]
            if readings and not self._dry_run:
                self._write(readings)
            self._emit(emitted)
        reopened = 0 if self._dry_run else self._finish(new=new)
        count = self._counts
        report = ReplayReport(
            batch=self._key,
            workflow=self._slug,
            dry_run=self._dry_run,
            new_mapping=new,
            answers=count["answers"],
            found=count["found"],
            not_found=count["not_found"],
            failed=count["failed"],
            changed=count["changed"],
            recovered=count["recovered"],
            left=count["left"],
            states=count["states"],
            reopened=reopened,
            emitted=count["emitted"],
            gone=bodies_gone(self._connection, self._batch.batch_id, self._slug),
            examples=tuple(self._examples),
            launched=self._old.step(self._slug).workflow,
            current=self._workflow,
        )
        return report, self._workflow.destination, self._blueprint.client

    def _refuse_open_calls(self) -> None:
        """A new version has new call keys: what was sent under an old one must not be sent under another."""
        batch_id = self._batch.batch_id
        if self._workflow.idempotency_header and (n := replaying.open_calls(self._connection, batch_id, self._slug)):
            raise ConfigurationError(
                f"{n} call(s) of {self._slug} have no end yet, and its provider knows repeats by the key that was sent",
                Hint(Action.FINISH_CALLS, {"batch": self._key}),
                code="replay.calls_open",
            )
        if self._workflow.entity is Entity.COMPANY and (
            n := replaying.open_states(self._connection, batch_id, self._slug)
        ):
            raise ConfigurationError(
                f"{n} item(s) still wait for {self._slug}, which is asked once per company",
                Hint(Action.FINISH_BATCH, {"batch": self._key}),
                code="replay.items_waiting",
            )

    def _read(self, step: Step, stored: StoredAnswer) -> Decision | None:
        decision = read_again(step, stored)
        if decision is None:
            self._counts["left"] += 1
            return None
        self._counts["answers"] += 1
        if decision.status is Status.COMPLETED and stored.status == Status.FAILED:
            self._counts["recovered"] += 1
        return decision

    def _emissions(self, step: Step, read: Sequence[tuple[StoredAnswer, Decision]]) -> list[tuple[int, Emission]]:
        """(parent item, child items) of the answers that emit."""
        emitting = {
            stored.item_id: decision for stored, decision in read if decision.reading and decision.reading.emitted
        }
        at = step.blueprint.position
        parents = replaying.parents(self._connection, list(emitting), at) if emitting else []
        found = [
            (p.item_id, emission_for(self._blueprint, step, p, emitting[p.item_id], self._hasher)) for p in parents
        ]
        return [(item_id, emission) for item_id, emission in found if emission is not None]

    def _emit(self, emitted: Sequence[tuple[int, Emission]]) -> None:
        """Add child items that are not there; none is taken away, whatever an answer emits no more."""
        connection, batch_id = self._connection, self._batch.batch_id
        kept = [(item_id, emission) for item_id, emission in emitted if item_id not in self._refused]
        if self._dry_run:
            wanted = {child.origin_key for _, emission in kept for child in emission.children}
            self._emitted |= wanted - fanout.origins_there(connection, batch_id, kept)
            self._counts["emitted"] = len(self._emitted)
        elif kept:
            self._counts["emitted"] += fanout.insert_children_replayed(
                connection, self._batch.client_id, batch_id, kept, simulated=bool(self._blueprint.simulated)
            )

    def _counted(self, stored: StoredAnswer, decision: Decision) -> NewReading:
        done = decision.status is Status.COMPLETED
        outcome = decision.outcome.value if decision.outcome else None
        fields = dump(decision.fields)
        changed = (
            decision.status.value != stored.status
            or outcome != stored.outcome
            or (done and orjson.loads(fields) != (stored.fields or {}))
            or (done and decision.rejected != (stored.rejected or {}))
            or (done and decision.citations != (stored.citations or {}))
        )
        self._counts[outcome or "failed"] += 1
        self._counts["changed"] += changed
        if changed and len(self._examples) < MOST_EXAMPLES:
            self._examples.append(
                _changed(stored, outcome or decision.status.value, orjson.loads(fields) if done else {})
            )
        return NewReading(
            call_id=stored.call_id,
            inbox_id=stored.inbox_id,
            received_at=stored.received_at,
            status=decision.status.value,
            outcome=outcome,
            reason=decision.reason,
            payload=decision.payload if done else None,
            fields=fields,
            rejected=dump(decision.rejected) if done and decision.rejected else None,
            citations=dump(decision.citations) if done and decision.citations else None,
            changed=changed,
        )

    def _write(self, readings: list[NewReading]) -> None:
        try:
            with self._connection.transaction():
                reached, answered = replaying.write_readings(self._connection, readings, self._workflow.step, REPLAYED)
        except psycopg.DataError as error:
            self._write_halves(readings, error)
            return
        self._counts["states"] += reached
        self._answered += [(item, self._slug) for item in answered]

    def _write_halves(self, readings: list[NewReading], error: psycopg.DataError) -> None:
        """One payload cannot be stored: find it, so that the others are not held up by it."""
        if len(readings) > 1:
            middle = len(readings) // 2
            self._write(readings[:middle])
            self._write(readings[middle:])
            return
        if readings[0].status == Status.FAILED:
            raise error
        self._counts[readings[0].outcome or Outcome.FOUND.value] -= 1
        self._counts["failed"] += 1
        reason = f"the database refuses the payload ({type(error).__name__})"
        refused = NewReading(
            readings[0].call_id, readings[0].inbox_id, readings[0].received_at, Status.FAILED, None, reason, None, "{}",
            None, changed=True,
        )  # fmt: skip
        self._refused |= replaying.callers(self._connection, [readings[0].call_id])
        self._write([refused])

    def _finish(self, *, new: bool) -> int:
        """Let the blueprint follow, wake the batch; how many later steps run again."""
        connection, batch_id = self._connection, self._batch.batch_id
        if new:
            replaying.save_blueprint(connection, batch_id, self._blueprint.model_dump(mode="json", by_alias=True))
            replaying.rekey_calls(connection, batch_id, self._key, self._slug, self._blueprint.step(self._slug).version)
        reopened = reopening.reopen_dependents(connection, self._answered, StepFacts.of(self._blueprint))
        if new or self._counts["states"]:
            recovery.wake_batch(connection, batch_id, only_if_pending=False)
            said = {"workflow": self._slug, "new_mapping": new, **self._counts}
            note_change(connection, self._actor, Code.BATCH_REPLAY, self._key, self._batch, said)
        return reopened


def _refuse_running(batch: LockedBatch, batch_key: str) -> None:
    if batch.runners:
        raise ConfigurationError(
            f"a run works on batch {batch_key} ({', '.join(batch.runners)}) with the mapping that it was started with: "
            "stop it or wait until it has ended, then replay",
            code="replay.batch_running",
        )


def _with_removed_rows(hq: Hq, report: ReplayReport, destination: Destination, client: str) -> ReplayReport:
    """Take rows out of the destination whose item is not found any more; repeating it does no harm."""
    with ExitStack() as stack:
        connection = stack.enter_context(hq.transaction())
        elsewhere = destination.database == "workspace"
        target = stack.enter_context(hq.workspace.transaction()) if elsewhere else connection
        batch, _ = locked(connection, report.batch, report.workflow)
        found = replaying.items_found(connection, batch.batch_id, report.workflow)
        removed = replaying.remove_stored(target, destination.table, client, report.batch, report.workflow, found)

    return replace(report, removed=removed)


def _changed(stored: StoredAnswer, after: str, now: Mapping[str, Any]) -> ChangedAnswer:
    was = stored.fields or {}
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    differs = {name: (was.get(name), now.get(name)) for name in names}
    return ChangedAnswer(stored.item_id, stored.outcome or stored.status, after, differs)
