"""Dagster's event log without what it says twice.

A batch's run tells of some 30 tables and 70 checks. As Dagster writes it, a table's metadata is stored with the step's
output and again with the materialisation, every message twice in each event, and every planned check as an event
besides its row among the executions of checks. Here each of them is stored once: where Dagster's pages read it.
When a run has succeeded, its plans go (`finished_runs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from dagster import AssetCheckKey, AssetKey, DagsterEventType
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.handle import StepHandle
from dagster._core.execution.plan.outputs import StepOutputData
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from dagster._core.storage.event_log.base import PlannedMaterializationInfo
from sqlalchemy.engine import Connection

from enrichment_assets.resources import check_executions, finished_runs
from enrichment_assets.resources.event_log import GatheringEventLog


def said_once(event: EventLogEntry) -> EventLogEntry:
    """The event without what is stored elsewhere.

    - The message of an event of Dagster's is in the event; the entry's own copy goes.
    - `logging_tags` were for loggers at the time; run, job and step are fields of their own.
    - The step's handle is that of its node, from which Dagster makes it where it is not written.
    - The metadata of an output is that of its materialisation. The output itself stays: a run that is executed again
      from its failure goes by it.
    """
    told = event.dagster_event
    if told is None:
        return event
    told = told._replace(logging_tags={})
    if told.node_handle is not None and told.step_handle == StepHandle(told.node_handle):
        told = told._replace(step_handle=None)
    if isinstance(told.event_specific_data, StepOutputData):
        told = told._replace(event_specific_data=told.event_specific_data._replace(metadata={}))
    return event._replace(dagster_event=told, user_message="" if told.message is not None else event.user_message)


class EventLogSaidOnce(GatheringEventLog):
    """The event log that is written in few transactions, each thing once."""

    def store_event(self, event: EventLogEntry) -> None:
        """Write an event, or let it wait for others."""
        super().store_event(said_once(event))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events together."""
        super().store_event_batch([said_once(event) for event in events])

    def _insert(self, connection: Connection, events: Sequence[EventLogEntry]) -> list[int]:
        """The events' rows; of a planned check only its row among the executions of checks (0 stands for its id).

        The output of a check is left out where its evaluation is written with it: nothing is made from a check. With
        the success of a run its plans go.
        """
        check_executions.plan(connection, [event for event in events if _plans_a_check(event)])
        evaluated = {place for event in events if (place := _output_of_a_check(event)) is not None}
        left_out = [_plans_a_check(event) or _output(event) in evaluated for event in events]
        others = [event for event, is_left_out in zip(events, left_out, strict=True) if not is_left_out]
        ids = iter(super()._insert(connection, others) if others else [])
        succeeded = [event.run_id for event in others if event.dagster_event_type is DagsterEventType.RUN_SUCCESS]
        if succeeded:
            finished_runs.forget_plans(connection, succeeded)
        return [0 if is_left_out else next(ids) for is_left_out in left_out]

    def get_latest_planned_materialization_info(
        self, asset_key: AssetKey, partition: str | None = None
    ) -> PlannedMaterializationInfo | None:
        """As Dagster's; a run whose plans went is known by what it made."""
        with self.index_connection() as connection:
            return finished_runs.latest_plan(connection, asset_key, partition)

    def get_asset_check_execution_history(
        self,
        check_key: AssetCheckKey,
        limit: int,
        cursor: int | None = None,
        status: AbstractSet[AssetCheckExecutionRecordStatus] | None = None,
        partition_filter: PartitionKeyFilter | None = None,
    ) -> Sequence[AssetCheckExecutionRecord]:
        """As Dagster's, with the evaluations from the event log."""
        with self.index_connection() as connection:
            return check_executions.history(connection, check_key, limit, cursor, status, partition_filter)

    def get_latest_asset_check_execution_by_key(
        self, check_keys: Sequence[AssetCheckKey], partition_filter: PartitionKeyFilter | None = None
    ) -> Mapping[AssetCheckKey, AssetCheckExecutionRecord]:
        """As Dagster's, with the evaluations from the event log."""
        with self.index_connection() as connection:
            return check_executions.latest(connection, check_keys, partition_filter)

    def delete_events_for_run(self, conn: Connection, run_id: str) -> None:
        """As Dagster's; the executions of checks stay, as they do there, and so keep their evaluations."""
        check_executions.keep_events(conn, run_id)
        super().delete_events_for_run(conn, run_id)


def _plans_a_check(event: EventLogEntry) -> bool:
    return event.dagster_event_type is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED


def _output(event: EventLogEntry) -> tuple[str, str] | None:
    """Run and output's name of an event that tells of an output."""
    told = event.dagster_event.event_specific_data if event.dagster_event is not None else None
    return (event.run_id, told.step_output_handle.output_name) if isinstance(told, StepOutputData) else None


def _output_of_a_check(event: EventLogEntry) -> tuple[str, str] | None:
    """Run and output's name of the check that an event evaluates."""
    if event.dagster_event_type is not DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    told = event.get_dagster_event().asset_check_evaluation_data
    return event.run_id, f"{told.asset_key.to_python_identifier()}_{told.check_name}"
