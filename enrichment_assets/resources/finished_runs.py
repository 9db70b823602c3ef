"""What Dagster's storage keeps of a run that succeeded: what became of its plans, and no longer the plans (ADR 0067).

A run of 30 tables says of each that it is going to be made, that its step gave something out, and that it was made. The
first is for pages that show what is under way, the second for a run that is executed again from its failure. When the
run has succeeded, the third says all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster import AssetKey
from dagster._core.storage.event_log.base import PlannedMaterializationInfo
from sqlalchemy.engine import Connection

_FORGET = """
    delete from event_logs e
    where e.run_id = any(%(runs)s)
      and (e.dagster_event_type = 'STEP_OUTPUT' and position(%(nothing)s in e.event) > 0
           or e.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED' and exists (
             select 1 from event_logs m
             where m.run_id = e.run_id and m.dagster_event_type = 'ASSET_MATERIALIZATION'
               and m.asset_key = e.asset_key and m.partition is not distinct from e.partition))
"""

_NOTHING = r"of type \"Nothing\"."
"""What an output says that hands no value on, in JSON."""

_TRIED = """
    (select id, run_id from event_logs
     where asset_key = %(asset)s and dagster_event_type = '{event}' and run_id <> ''{of_partition}
     order by id desc limit 1)
"""


def forget_plans(connection: Connection, run_ids: Sequence[str]) -> None:
    """Take out of the event log of these runs, which succeeded, what their materialisations say too.

    A table that was planned and not made stays planned, and so does an output with a value, which a step that is
    executed again may read.
    """
    connection.exec_driver_sql(_FORGET, {"runs": list(run_ids), "nothing": _NOTHING})


def latest_plan(connection: Connection, asset: AssetKey, partition: str | None) -> PlannedMaterializationInfo | None:
    """The run that was to make an asset, or a partition of it, last.

    It is known by its plan or, where that was kept no longer, by what it made.
    """
    of_partition = "" if partition is None else " and partition = %(partition)s"
    each = (
        _TRIED.format(event=event, of_partition=of_partition)
        for event in ("ASSET_MATERIALIZATION_PLANNED", "ASSET_MATERIALIZATION")
    )
    row = connection.exec_driver_sql(
        " union all ".join(each) + " order by id desc limit 1", {"asset": asset.to_string(), "partition": partition}
    ).fetchone()
    return None if row is None else PlannedMaterializationInfo(storage_id=row[0], run_id=row[1])
