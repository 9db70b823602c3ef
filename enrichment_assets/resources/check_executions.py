"""The executions of checks in Dagster's storage, all of a transaction by one statement each way.

A batch's run plans some 70 checks and evaluates them; Dagster takes a statement for each, and keeps the event that
planned or evaluated a check whole with its execution, besides the event log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._serdes import serialize_value
from sqlalchemy.engine import Connection

COMPACT = (",", ":")
"""Separators of JSON that nobody reads by eye."""

_EVALUATED = """
    update asset_check_executions x
    set execution_status = e.status, evaluation_event = e.event, evaluation_event_timestamp = e.at,
        evaluation_event_storage_id = e.id, materialization_event_storage_id = e.made
    from unnest(%(keys)s::text[], %(names)s::text[], %(partitions)s::text[], %(runs)s::text[], %(statuses)s::text[],
                %(events)s::text[], %(times)s::timestamp[], %(ids)s::bigint[], %(made)s::bigint[])
         as e(asset_key, check_name, partition, run_id, status, event, at, id, made)
    where x.asset_key = e.asset_key and x.check_name = e.check_name and x.run_id = e.run_id
      and x.partition is not distinct from e.partition
    returning e.id
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
        "events": [serialize_value(_told_by_an_execution(event), separators=COMPACT) for event, _ in events],
        "times": [time_of(event) for event, _ in events],
        "ids": [event_id for _, event_id in events],
        "made": [None if one is None else one.storage_id for one in made],
    }
    return {int(row[0]) for row in connection.exec_driver_sql(_EVALUATED, values)}


def _told_by_an_execution(event: EventLogEntry) -> EventLogEntry:
    """What is read of an execution of a check: its evaluation, time, run and step. The event log has the message."""
    told = event.get_dagster_event()
    return event._replace(
        user_message="", dagster_event=told._replace(message=None, node_handle=None, step_handle=None, pid=None)
    )


def time_of(event: EventLogEntry) -> datetime:
    """When it was: in UTC and without a zone, as the column has it."""
    return datetime.fromtimestamp(event.timestamp, UTC).replace(tzinfo=None)
