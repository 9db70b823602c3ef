"""The executions of checks in Dagster's storage, all of a transaction by one statement each way.

A batch's run plans some 70 checks and evaluates them; Dagster takes a statement for each, and keeps the event that
planned or evaluated a check whole with its execution, besides the event log. Here an execution has its event in the log
alone, and is read together with it; only one whose run is deleted takes the event with it (ADR 0067).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from dagster import AssetCheckKey
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from sqlalchemy.engine import Connection

COMPACT = (",", ":")
"""Separators of JSON that nobody reads by eye."""

_EVALUATED = """
    update asset_check_executions x
    set execution_status = e.status, evaluation_event = null, evaluation_event_timestamp = e.at,
        evaluation_event_storage_id = e.id, materialization_event_storage_id = e.made
    from unnest(%(keys)s::text[], %(names)s::text[], %(partitions)s::text[], %(runs)s::text[], %(statuses)s::text[],
                %(times)s::timestamp[], %(ids)s::bigint[], %(made)s::bigint[])
         as e(asset_key, check_name, partition, run_id, status, at, id, made)
    where x.asset_key = e.asset_key and x.check_name = e.check_name and x.run_id = e.run_id
      and x.partition is not distinct from e.partition
    returning e.id
"""

_WITH_EVENTS = """
    select x.id, x.asset_key, x.check_name, x.run_id, x.execution_status, x.create_timestamp, x.partition,
           coalesce(x.evaluation_event, e.event) as evaluation_event
    from asset_check_executions x left join event_logs e on e.id = x.evaluation_event_storage_id
    where (x.execution_status = 'PLANNED' or x.evaluation_event is not null or e.event is not null)
"""
"""An execution whose event is gone, though it had one, cannot be shown."""

_OF_PARTITION = " and x.partition is not distinct from %(partition)s"

_KEEP_EVENTS = """
    update asset_check_executions x set evaluation_event = e.event
    from event_logs e
    where x.run_id = %(run)s and x.evaluation_event is null and e.id = x.evaluation_event_storage_id
"""


def plan(connection: Connection, events: Sequence[EventLogEntry]) -> None:
    """Write that these checks are planned. Their rows say all that the events do, so none is kept with them."""
    rows = [
        {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "partition": partition,
            "run_id": event.run_id,
            "execution_status": Status.PLANNED.value,
            "evaluation_event_timestamp": time_of(event),
        }
        for event in events
        for planned in [event.get_dagster_event().asset_check_planned_data]
        for partition in (planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None])
    ]
    if rows:
        connection.execute(AssetCheckExecutionsTable.insert(), rows)


def evaluate(connection: Connection, events: Sequence[tuple[EventLogEntry, int]]) -> set[int]:
    """Write how planned checks went.

    Args:
        connection: Dagster's storage, in the transaction that wrote the events.
        events: Evaluations of checks, each with its id in the event log.

    Returns:
        Ids of the events whose check had been planned; the others are still to be written.
    """
    if not events:
        return set()
    told = [event.get_dagster_event().asset_check_evaluation_data for event, _ in events]
    made = [one.target_materialization_data for one in told]
    values = {
        "keys": [one.asset_key.to_string() for one in told],
        "names": [one.check_name for one in told],
        "partitions": [one.partition for one in told],
        "runs": [event.run_id for event, _ in events],
        "statuses": [(Status.SUCCEEDED if one.passed else Status.FAILED).value for one in told],
        "times": [time_of(event) for event, _ in events],
        "ids": [event_id for _, event_id in events],
        "made": [None if one is None else one.storage_id for one in made],
    }
    return {int(row[0]) for row in connection.exec_driver_sql(_EVALUATED, values)}


def history(
    connection: Connection,
    key: AssetCheckKey,
    limit: int,
    before: int | None,
    statuses: Collection[Status] | None,
    partition: PartitionKeyFilter | None,
) -> list[AssetCheckExecutionRecord]:
    """The executions of a check, newest first.

    Args:
        connection: Dagster's storage.
        key: The check.
        limit: How many at most.
        before: Only those with a smaller id.
        statuses: Only those of these statuses.
        partition: Only those of this partition.
    """
    asked = _WITH_EVENTS + " and x.asset_key = %(asset)s and x.check_name = %(name)s"
    if before:
        asked += " and x.id < %(before)s"
    if statuses:
        asked += " and x.execution_status = any(%(statuses)s)"
    if partition is not None:
        asked += _OF_PARTITION
    values = {
        "asset": key.asset_key.to_string(),
        "name": key.name,
        "before": before,
        "statuses": [one.value for one in statuses or ()],
        "partition": None if partition is None else partition.key,
        "limit": limit,
    }
    rows = connection.exec_driver_sql(asked + " order by x.id desc limit %(limit)s", values).mappings()
    return [AssetCheckExecutionRecord.from_db_row(row, key=key) for row in rows]


def latest(
    connection: Connection, keys: Sequence[AssetCheckKey], partition: PartitionKeyFilter | None
) -> Mapping[AssetCheckKey, AssetCheckExecutionRecord]:
    """The newest execution of each of these checks that has one, of all partitions or of one."""
    of_partition = "" if partition is None else _OF_PARTITION
    values = {
        "assets": [key.asset_key.to_string() for key in keys],
        "names": [key.name for key in keys],
        "partition": None if partition is None else partition.key,
    }
    newest = f"""
      and x.id in (
        select (select max(x.id) from asset_check_executions x
                where x.asset_key = k.asset and x.check_name = k.name{of_partition})
        from unnest(%(assets)s::text[], %(names)s::text[]) as k(asset, name))
    """
    by_name = {(key.asset_key.to_string(), key.name): key for key in keys}
    rows = connection.exec_driver_sql(_WITH_EVENTS + newest, values).mappings()
    found = ((by_name[row["asset_key"], row["check_name"]], row) for row in rows)
    return {key: AssetCheckExecutionRecord.from_db_row(row, key=key) for key, row in found}


def keep_events(connection: Connection, run_id: str) -> None:
    """Write a run's evaluations to its executions of checks: its events are about to be deleted."""
    connection.exec_driver_sql(_KEEP_EVENTS, {"run": run_id})


def time_of(event: EventLogEntry) -> datetime:
    """When it was: in UTC and without a zone, as the column has it."""
    return datetime.fromtimestamp(event.timestamp, UTC).replace(tzinfo=None)
