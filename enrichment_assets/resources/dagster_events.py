"""Dagster's event log without what it says twice.

A batch's run tells of some 30 tables and 70 checks. As Dagster writes it, a table's metadata is stored with the step's
output and again with the materialisation, every message twice in each event, and every planned check as an event
besides its row among the executions of checks. Here each of them is stored once: where Dagster's pages read it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.outputs import StepOutputData
from sqlalchemy.engine import Connection

from enrichment_assets.resources.event_log import GatheringEventLog


def said_once(event: EventLogEntry) -> EventLogEntry:
    """The event without what is stored elsewhere.

    - The message of an event of Dagster's is in the event; the entry's own copy goes.
    - `logging_tags` were for loggers at the time; run, job and step are fields of their own.
    - The metadata of an output is that of its materialisation. The output itself stays: a run that is executed again
      from its failure goes by it.
    """
    told = event.dagster_event
    if told is None:
        return event
    told = told._replace(logging_tags={})
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
        """The events' rows; of a planned check only its row among the executions of checks (0 stands for its id)."""
        planned = [event for event in events if _plans_a_check(event)]
        for event in planned:
            self.store_asset_check_event(event, None)
        others = [event for event in events if not _plans_a_check(event)]
        ids = iter(super()._insert(connection, others) if others else [])
        return [0 if _plans_a_check(event) else next(ids) for event in events]


def _plans_a_check(event: EventLogEntry) -> bool:
    return event.dagster_event_type is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
