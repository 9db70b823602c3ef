"""Dagster's schedules and sensors of this installation: whether they are on, when they look next, switching them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import InfrastructureError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.installation.dagster_graphql import CODE_LOCATION, REPOSITORY, asked
from enrichment_assets.installation.running_stack import running_stack
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.hq import Hq

SCHEDULE, SENSOR = "schedule", "sensor"
_SECONDS = 20.0
_PLACE = {"repositoryLocationName": CODE_LOCATION, "repositoryName": REPOSITORY}
_STATE = "id status nextTick { timestamp } ticks(limit: 1) { timestamp status skipReason error { message } }"
_LIST = f"""
    query Automations($place: RepositorySelector!) {{
      repositoryOrError(repositorySelector: $place) {{
        ... on Repository {{
          schedules {{ name description cronSchedule executionTimezone scheduleState {{ {_STATE} }} }}
          sensors {{ name description minIntervalSeconds sensorState {{ {_STATE} }} }}
        }}
      }}
    }}
"""
_SWITCH = {
    (SCHEDULE, True): """mutation On($selector: ScheduleSelector!) {
        done: startSchedule(scheduleSelector: $selector) { __typename } }""",
    (SCHEDULE, False): "mutation Off($id: String!) { done: stopRunningSchedule(id: $id) { __typename } }",
    (
        SENSOR,
        True,
    ): "mutation On($selector: SensorSelector!) { done: startSensor(sensorSelector: $selector) { __typename } }",
    (SENSOR, False): "mutation Off($id: String!) { done: stopSensor(id: $id) { __typename } }",
}
_DONE = frozenset({"ScheduleStateResult", "Sensor", "StopSensorMutationResult"})


@dataclass(frozen=True, slots=True)
class Automation:
    """A schedule or a sensor.

    Attributes:
        kind: `schedule` or `sensor`.
        name: By which Dagster knows it.
        says: What it does.
        when: Its cron line with the time zone, or how often it looks.
        is_on: Whether it does.
        next_at: When it does next; None: it is off, or Dagster does not know.
        last_at: When it did last; None: it has not.
        last_status: How that ended: `SUCCESS`, `SKIPPED`, `FAILURE` or `STARTED`.
        last_said: Why it started nothing, or why it failed.
    """

    kind: str
    name: str
    says: str
    when: str
    is_on: bool
    next_at: datetime | None
    last_at: datetime | None
    last_status: str | None
    last_said: str | None


def list_automations(settings: Settings) -> list[Automation]:
    """All of them, schedules first. Raises `InfrastructureError` where no Dagster of this home runs or answers."""
    return [automation for automation, _ in _found(settings)]


def switch(hq: Hq, settings: Settings, kind: str, name: str, *, on: bool, actor: Actor) -> Automation:
    """Switch one on or off; what it was before. Again, it changes nothing.

    Raises:
        NotFoundError: There is none of that kind and name.
        InfrastructureError: No Dagster of this home runs, or it did not do it.
    """
    automation, state_id = _one(settings, kind, name)
    if automation.is_on is on:
        return automation
    with hq.transaction() as connection:
        code = Code.AUTOMATION_ON if on else Code.AUTOMATION_OFF
        note_action(connection, actor, code, name, before={"on": automation.is_on}, after={"kind": kind, "on": on})
        selector = {**_PLACE, f"{kind}Name": name}
        done = _asked(settings, _SWITCH[kind, on], {"selector": selector} if on else {"id": state_id})
        if (done.get("done") or {}).get("__typename") not in _DONE:
            raise InfrastructureError(f"Dagster did not switch the {kind} {name}", code="dagster.not_switched")
    return automation


def _one(settings: Settings, kind: str, name: str) -> tuple[Automation, str]:
    for automation, state_id in _found(settings):
        if (automation.kind, automation.name) == (kind, name):
            return automation, state_id
    raise NotFoundError(f"there is no {kind[:20]} {name[:80]!r}", code="automation.not_found")


def _found(settings: Settings) -> list[tuple[Automation, str]]:
    """Each with Dagster's id of its state."""
    answer = _asked(settings, _LIST, {"place": _PLACE})
    repository = answer.get("repositoryOrError") or {}
    if "schedules" not in repository:
        raise InfrastructureError("Dagster has not loaded the platform's code", code="dagster.not_loaded")
    schedules = [
        (_automation(SCHEDULE, one, one["scheduleState"], _cron(one)), one["scheduleState"]["id"])
        for one in repository["schedules"]
    ]
    sensors = [
        (_automation(SENSOR, one, one["sensorState"], f"every {one['minIntervalSeconds']} s"), one["sensorState"]["id"])
        for one in repository["sensors"]
    ]
    return [*schedules, *sensors]


def _asked(settings: Settings, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    stack = running_stack(settings)
    if stack is None or not stack.webserver:
        raise InfrastructureError("no Dagster runs for this home", code="dagster.not_running")
    answer = asked(stack.webserver, Signing.of(settings).program(), query, variables, _SECONDS)
    if answer is None:
        raise InfrastructureError("Dagster's web server did not answer", code="dagster.no_answer")
    return answer


def _cron(one: Mapping[str, Any]) -> str:
    return f"{one['cronSchedule']} {one['executionTimezone'] or 'UTC'}"


def _automation(kind: str, one: Mapping[str, Any], state: Mapping[str, Any], when: str) -> Automation:
    last = state["ticks"][0] if state["ticks"] else {}
    said = (last.get("error") or {}).get("message") or last.get("skipReason")
    return Automation(
        kind,
        one["name"],
        one["description"] or "",
        when,
        state["status"] == "RUNNING",
        _at((state["nextTick"] or {}).get("timestamp")) if state["status"] == "RUNNING" else None,
        _at(last.get("timestamp")),
        last.get("status"),
        said,
    )


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
