"""Dagster's event log, written in few transactions: dagster-postgres takes four or more statements for each event.

A small batch's run writes some 350 events; each was inserted, announced, looked up and committed by itself, which was a
fifth of the run's time and most of Postgres's. Here the events of a run that this process executes wait for each other,
at most `WAIT_SECONDS` and until the next event that people wait for (a step or the run begins or ends), or until this
process reads from the log. What is written, and in which order, is the same (ADR 0024).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, cast

from dagster import AssetKey, DagsterEventType, EventLogEntry, EventLogRecord, EventRecordsResult
from dagster._core.event_api import AssetRecordsFilter, EventLogCursor
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorageTable
from dagster._serdes import serialize_value
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.utils import create_pg_connection
from sqlalchemy.engine import Connection

from enrichment_assets.resources import check_executions

WAIT_SECONDS = 0.5
MOST_WAITING = 200

_ENDS = {DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED}
_OF_A_STEP = {
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SKIPPED,
    DagsterEventType.STEP_UP_FOR_RETRY,
}


class GatheringEventLog(PostgresEventLogStorage):
    """The event log of an installation; what is waiting is written by whichever thread comes first."""

    def __init__(self, postgres_url: str) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._lock = threading.RLock()
        self._executed: set[str] = set()
        self._waiting: list[EventLogEntry] = []
        self._timer: threading.Timer | None = None
        self._writing: Connection | None = None
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._partitions: set[tuple[str, str]] = set()
        self._newest: dict[tuple[AssetKey | None, str | None], EventLogRecord] = {}

    def store_event(self, event: EventLogEntry) -> None:
        """Write an event, or let it wait where it belongs to a run that this process executes."""
        kind = event.dagster_event_type
        with self._lock:
            if kind is DagsterEventType.RUN_START:
                self._executed.add(event.run_id)
            self._waiting.append(event)
            if kind is DagsterEventType.ASSET_MATERIALIZATION:
                self._newest.pop(_place(event), None)
            waits = event.run_id in self._executed and kind not in _OF_A_STEP and not _is_of_the_run(event)
            if waits and len(self._waiting) < MOST_WAITING:
                self._write_soon()
                return
            self._write()
            if kind in _ENDS:
                self._executed.discard(event.run_id)
                self._newest.clear()
                self._partitions.clear()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events together; Dagster gives those that plan a run."""
        with self._lock:
            self._waiting += [e for e in events if not e.get_dagster_event().is_asset_failed_to_materialize]
            self._write()

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """As Dagster's. Each check of a model asks for its newest materialisation: a run that made it knows it."""
        if isinstance(records_filter, AssetRecordsFilter) and limit == 1 and cursor is None and not ascending:
            known = self._known(records_filter)
            if known is not None:
                return EventRecordsResult([known], EventLogCursor.from_storage_id(known.storage_id).to_string(), True)
        return super().fetch_materializations(records_filter, limit, cursor, ascending)

    def has_table(self, table_name: str) -> bool:
        """Whether there is such a table; one that was there is not asked for again: Dagster does for every event."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        """Whether the table of assets has a column; one that was there is not asked for again."""
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def has_asset_key_col(self, column_name: str) -> bool:
        """As above, without a connection where it is known."""
        return column_name in self._columns or super().has_asset_key_col(column_name)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether there is such a partition; a run asks for its own with every output, and is told once."""
        place = (partitions_def_name, partition_key)
        with self._lock:
            if place in self._partitions:
                return True
        found = super().has_dynamic_partition(partitions_def_name, partition_key)
        with self._lock:
            if found and self._executed:
                self._partitions.add(place)
        return found

    def dispose(self) -> None:
        """Write what is waiting, and close the connections."""
        with self._lock:
            self._write()
        super().dispose()

    def _known(self, asked: AssetRecordsFilter) -> EventLogRecord | None:
        """The newest materialisation of one asset and partition, where this process's run made it."""
        partitions: Sequence[str | None] = asked.asset_partitions or [None]
        if len(partitions) != 1 or asked != AssetRecordsFilter(asked.asset_key, asked.asset_partitions):
            return None
        place = (asked.asset_key, partitions[0])
        with self._lock:
            if place not in self._newest:
                self._write()
            return self._newest.get(place)

    def _write_soon(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(WAIT_SECONDS, self._write_in_time)
            self._timer.daemon = True
            self._timer.start()

    def _write_in_time(self) -> None:
        with self._lock, suppress(Exception):  # they go on waiting, and the run's next event says what is wrong
            self._timer = None
            self._write()

    def _write(self) -> None:
        """Write what is waiting in one transaction. The caller holds the lock; what raises goes on waiting."""
        if not self._waiting or self._writing is not None:
            return
        events = self._waiting
        with create_pg_connection(self._engine) as plain:
            connection = plain.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                self._writing = connection
                try:
                    ids = self._insert(connection, events)
                finally:
                    self._writing = None
        self._waiting = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for event, event_id in zip(events, ids, strict=True):
            if event.dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION and event.run_id in self._executed:
                self._newest[_place(event)] = EventLogRecord(storage_id=event_id, event_log_entry=event)

    def _insert(self, connection: Connection, events: Sequence[EventLogEntry]) -> list[int]:
        """The events' rows, and what follows from them: the newest of each asset, its tags, the state of each check."""
        insert = SqlEventLogStorageTable.insert().returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
        ids = [int(row[0]) for row in connection.execute(insert, [self._event_to_row(event) for event in events])]
        numbered = list(zip(events, ids, strict=True))
        # In one order: two runs that report the same assets at a time would wait for each other's rows for ever.
        of_assets = sorted(filter(lambda one: _is_of_an_asset(one[0]), numbered), key=lambda one: _asset(one[0]))
        if of_assets:
            self._store_asset_event_tags(connection, [e for e, _ in of_assets], [i for _, i in of_assets])
        for event, event_id in of_assets:
            self._store_asset_event(connection, event, event_id)
        evaluated = check_executions.evaluate(connection, [one for one in numbered if _evaluates_in_a_run(one[0])])
        for event, event_id in numbered:
            if event.dagster_event_type in ASSET_CHECK_EVENTS and event_id not in evaluated:
                self.store_asset_check_event(event, event_id)
        return ids

    def _event_to_row(self, event: EventLogEntry) -> dict[str, Any]:
        """As Dagster's, in compact JSON."""
        told = event.dagster_event
        return {
            "run_id": event.run_id,
            "event": serialize_value(event, separators=check_executions.COMPACT),
            "dagster_event_type": None if told is None else told.event_type_value,
            "timestamp": check_executions.time_of(event),
            "step_key": event.step_key if told is None else told.step_key,
            "asset_key": None if told is None or told.asset_key is None else told.asset_key.to_string(),
            "partition": None if told is None else told.partition or None,
        }

    def _connect(self) -> AbstractContextManager[Connection]:
        """A connection; what this process has waiting is written first, so that it is seen."""
        with self._lock:
            if self._writing is not None:
                return nullcontext(self._writing)
            self._write()
        return cast("AbstractContextManager[Connection]", create_pg_connection(self._engine))


def _is_of_the_run(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.get_dagster_event().is_job_event


def _is_of_an_asset(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS and bool(_asset(event))


def _evaluates_in_a_run(event: EventLogEntry) -> bool:
    return event.dagster_event_type is DagsterEventType.ASSET_CHECK_EVALUATION and bool(event.run_id)


def _place(event: EventLogEntry) -> tuple[AssetKey | None, str | None]:
    """The asset and the partition that a materialisation is of."""
    return event.get_dagster_event().asset_key, event.get_dagster_event().partition


def _asset(event: EventLogEntry) -> str:
    key = event.get_dagster_event().asset_key
    return "" if key is None else key.to_string()
