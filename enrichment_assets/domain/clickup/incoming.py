"""What ClickUp says happened to tasks: in a webhook's body, or in tasks that a poll has seen.

A change of a status is told twice, under two events with one history item: the item's id is the event's key. A task
that was deleted has no history item at all. A new task tells its first status as if it had been changed: that is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as member
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.clickup.fields import RemoteField, read
from enrichment_assets.domain.delivery_events import EventKind
from enrichment_assets.domain.jsontext import parse_json

OPEN = "open"
LONGEST_ID = 60


class NoMessageError(ValueError):
    """It is no webhook's body of ClickUp, or no task."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a task.

    Attributes:
        task_id: ClickUp's id of the task.
        kind: What happened.
        key: The same whenever the same thing is told.
        at: When.
        actor: Who did it, by name and number; None: it is not said.
        actor_id: Their number; None: it is not said.
        field: Of `field_changed`: the custom field, with the options that it had.
        value: Of `field_changed` and `status_changed`: what it is now, as a person reads it; None: nothing.
        data: More that is worth keeping; never text that people wrote.
    """

    task_id: str
    kind: EventKind
    key: str
    at: datetime
    actor: str | None = None
    actor_id: int | None = None
    field: RemoteField | None = None
    value: str | None = None
    data: Mapping[str, Any] = member(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task as a poll has seen it. `values`: each custom field with what it says now."""

    id: str
    updated: datetime
    status: str
    status_type: str
    archived: bool
    values: tuple[tuple[RemoteField, str | None], ...]


def happened(body: bytes, received_at: datetime) -> list[Happened]:
    """What a webhook's body tells, in its order.

    Args:
        body: As it came.
        received_at: When; a task that was deleted does not say when that was.

    Raises:
        NoMessageError: It is none of ClickUp's about tasks.
    """
    message = _object(body)
    event, task_id = message.get("event"), _id(message.get("task_id"))
    if not isinstance(event, str) or not event.startswith("task") or task_id is None:
        raise NoMessageError("it tells of no task")
    if event == "taskDeleted":
        return [Happened(task_id, EventKind.DELETED, f"deleted:{task_id}", received_at)]
    items = message.get("history_items")
    if not isinstance(items, list):
        raise NoMessageError("it has no history items")
    if event == "taskCreated":
        return []
    return [told for item in items if isinstance(item, dict) and (told := _of_item(task_id, item)) is not None]


def seen(task: Mapping[str, Any]) -> SeenTask:
    """A task as `GET` and searches show it; raises `NoMessageError` for anything else."""
    task_id, status = _id(task.get("id")), task.get("status")
    if task_id is None or not isinstance(status, dict) or not isinstance(status.get("status"), str):
        raise NoMessageError("it is no task")
    values = [
        (known, read(known, shown.get("value")))
        for shown in task.get("custom_fields") or []
        if isinstance(shown, dict) and (known := _field(shown)) is not None
    ]
    return SeenTask(
        task_id,
        moment(task.get("date_updated")),
        status["status"],
        str(status.get("type")),
        bool(task.get("archived")),
        tuple(values),
    )


def kept_part(task: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a task that a poll has seen: no name, no description, no people."""
    fields = [
        {name: shown[name] for name in ("id", "name", "type", "type_config", "value") if name in shown}
        for shown in task.get("custom_fields") or []
        if isinstance(shown, dict)
    ]
    return {**{name: task.get(name) for name in ("id", "date_updated", "status", "archived")}, "custom_fields": fields}


def moment(value: Any) -> datetime:
    """Milliseconds since 1970, as a text or a number; raises `NoMessageError` for what is no point in time."""
    text = str(value)
    if not text.isdecimal() or not text.isascii() or len(text) > 14:
        raise NoMessageError("a time is no number of milliseconds")
    return datetime.fromtimestamp(int(text) / 1000, UTC)


def _of_item(task_id: str, item: Mapping[str, Any]) -> Happened | None:
    number, name = _id(item.get("id")), item.get("field")
    if number is None or not isinstance(name, str):
        return None
    actor, actor_id = _user(item.get("user"))
    kind, known, value, data = EventKind.NOTED, None, None, dict[str, Any]()
    if name == "custom_field":
        known = _field(item.get("custom_field"))
        if known is None:
            return None
        kind, value, data = EventKind.FIELD_CHANGED, read(known, item.get("after")), {"remote": known.name}
    elif name == "status":
        before, after = item.get("before"), item.get("after")
        if not isinstance(after, dict) or (isinstance(before, dict) and before.get("status") is None):
            return None
        kind, value = EventKind.STATUS_CHANGED, str(after.get("status"))
    else:
        data = {"changed": name[:LONGEST_ID], **_place(item.get("after"))}
    return Happened(task_id, kind, f"item:{number}", moment(item.get("date")), actor, actor_id, known, value, data)


def _place(after: Any) -> dict[str, Any]:
    """Of a task that was moved: the list where it is now."""
    if isinstance(after, dict) and isinstance(after.get("category"), dict):
        return {"list": str(after.get("name"))[:200], "list_id": _id(after.get("id"))}
    return {}


def _user(user: Any) -> tuple[str | None, int | None]:
    if not isinstance(user, dict):
        return None, None
    number = user.get("id")
    name = user.get("username") or user.get("email")
    return (str(name)[:200] if name else None), number if isinstance(number, int) else None


def _field(shown: Any) -> RemoteField | None:
    """A custom field; None where what is shown is none."""
    if not isinstance(shown, dict) or not {"id", "name", "type"} <= shown.keys():
        return None
    config = shown.get("type_config")
    if isinstance(config, dict) and not all(isinstance(one, dict) and "id" in one for one in _options(config)):
        return None
    return RemoteField.of(shown)


def _options(config: Mapping[str, Any]) -> Iterator[Any]:
    options = config.get("options") or []
    return iter(options if isinstance(options, list) else [None])


def _id(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= LONGEST_ID and text.isprintable() else None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = parse_json(body)
    except ValueError:
        raise NoMessageError("it is no JSON") from None
    if not isinstance(found, dict):
        raise NoMessageError("it is no JSON object")
    return found
