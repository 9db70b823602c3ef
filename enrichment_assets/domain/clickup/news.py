"""Which of what ClickUp says is news: neither our own writes that come back, nor what is known, nor what came late.

ClickUp tells every change, ours too, more than once or never, and in no order; a poll sees only what stands there now.
So each change is compared with what was heard of the same field last and with what was written there last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from enrichment_assets.domain.clickup.fields import RemoteField, Unfit, read, same, written
from enrichment_assets.domain.clickup.incoming import OPEN, Happened, SeenTask
from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind

STATUS_KINDS = frozenset(
    {EventKind.CONTACTED, EventKind.INTERESTED, EventKind.NOT_INTERESTED, EventKind.UNSUBSCRIBED, EventKind.REPLIED}
)
"""What a connection may say that a status means, beside that it changed."""


class Heard(NamedTuple):
    """What was said of a field or of the status last, and when that was."""

    value: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """A task of ours.

    Attributes:
        delivery_id: Row in `deliveries`.
        is_deleted: That it is gone is known.
        columns: Name of a custom field (or its id) -> the lead's column that it shows; None: several make it.
        written: The same -> the lead's value that was written last.
        intended: The same -> what a call under way writes.
        written_at: When it was written last; None: it was not.
        heard: Name of a field -> what was heard of it last.
        status: What was heard of the status last.
    """

    delivery_id: int
    is_deleted: bool
    columns: Mapping[str, str | None]
    written: Mapping[str, Any]
    intended: Mapping[str, Any]
    written_at: datetime | None
    heard: Mapping[str, Heard]
    status: Heard | None


def news_of_happened(record: Record, told: Happened, kinds: Mapping[str, EventKind]) -> Iterator[DeliveryEvent]:
    """The events that a webhook's change makes of a task of ours; none: it is no news.

    Args:
        record: The task.
        told: What happened.
        kinds: A status in lower case -> what it means that a task was moved there.
    """
    event = _noted(record, told.at, told.key, told.data, told.actor)
    if told.kind is EventKind.FIELD_CHANGED and told.field is not None:
        yield from _of_field(record, event, told.field, told.value, is_change=True)
    elif told.kind is EventKind.STATUS_CHANGED and told.value is not None:
        yield from _of_status(record, event, told.value, kinds)
    elif not (told.kind is EventKind.DELETED and record.is_deleted):
        yield replace(event, kind=told.kind)


def news_of_seen(record: Record, task: SeenTask, kinds: Mapping[str, EventKind]) -> Iterator[DeliveryEvent]:
    """The events that a task makes as a poll sees it: what no webhook has told. Raises nothing."""
    for field, value in task.values:
        if _name_of(record.columns, field) is not None:
            key = f"seen:{task.id}:{field.id}:{_digest(value)}:{task.updated:%Y%m%d%H%M%S%f}"
            event = _noted(record, task.updated, key, {})
            yield from _of_field(record, event, field, value, is_change=False)
    if record.status is None and task.status_type == OPEN:
        return  # nobody has moved it since it was made
    key = f"seen:{task.id}:status:{task.status}:{task.updated:%Y%m%d%H%M%S%f}"[:200]
    yield from _of_status(record, _noted(record, task.updated, key, {}), task.status, kinds)


def gone(record: Record, task_id: str, at: datetime) -> Iterator[DeliveryEvent]:
    """The event of a task that is not there any more, under the key that a webhook's has."""
    if not record.is_deleted:
        yield DeliveryEvent(EventKind.DELETED, at, f"deleted:{task_id}", delivery_id=record.delivery_id)


def _noted(record: Record, at: datetime, key: str, data: Mapping[str, Any], actor: str | None = None) -> DeliveryEvent:
    return DeliveryEvent(EventKind.NOTED, at, key, delivery_id=record.delivery_id, actor=actor, data=dict(data))


def _of_field(
    record: Record, event: DeliveryEvent, field: RemoteField, value: str | None, *, is_change: bool
) -> Iterator[DeliveryEvent]:
    name = _name_of(record.columns, field)
    if name is None or not _is_news(record, name, field, value, event.at, is_change=is_change):
        return
    data = {**event.data, "remote": name}
    column = record.columns[name]
    if column is None:  # several columns make it: which of them is wrong, nobody has said
        yield replace(event, value=value, data={**data, "changed": "custom_field"})
    else:
        yield replace(event, kind=EventKind.FIELD_CHANGED, field=column, value=value, data=data)


def _is_news(
    record: Record, name: str, field: RemoteField, value: str | None, at: datetime, *, is_change: bool
) -> bool:
    known = record.heard.get(name)
    if known is not None and (same(field, known.value, value) or at < known.at):
        return False
    ours = [_as_read(field, record.intended[name])] if name in record.intended else []
    if name in record.written and (known is None or _is_after(record.written_at, known.at)):
        ours.append(_as_read(field, record.written[name]))
    elif name not in record.written and known is None:
        ours.append(Read(None))
    if not is_change and any(one.is_unclear for one in ours):
        return False
    return not any(same(field, one.value, value) for one in ours if not one.is_unclear)


class Read(NamedTuple):
    """What we wrote as ClickUp shows it. `is_unclear`: the option that was meant has another name now, or is gone."""

    value: str | None
    is_unclear: bool = False


def _as_read(field: RemoteField, value: Any) -> Read:
    try:
        return Read(read(field, written(field, value)))
    except Unfit:  # it was not written
        return Read(None, is_unclear=field.type in {"drop_down", "labels"} and value is not None)


def _is_after(one: datetime | None, other: datetime) -> bool:
    return one is not None and one > other


def _of_status(
    record: Record, event: DeliveryEvent, status: str, kinds: Mapping[str, EventKind]
) -> Iterator[DeliveryEvent]:
    known = record.status
    if known is not None and (known.value == status or event.at < known.at):
        return
    yield replace(event, kind=EventKind.STATUS_CHANGED, value=status)
    meaning = kinds.get(status.lower())
    if meaning is not None:
        yield replace(event, kind=meaning, value=None, key=f"{event.key}:{meaning.value}"[:200], reason=status)


def _name_of(columns: Mapping[str, str | None], field: RemoteField) -> str | None:
    """The name by which a delivery writes a field: as it is written there, its id, or whatever its case."""
    for name in (field.name, field.name.strip(), field.id):
        if name in columns:
            return name
    folded = " ".join(field.name.casefold().split())
    return next((name for name in columns if " ".join(name.casefold().split()) == folded), None)


def _digest(value: str | None) -> str:
    return "none" if value is None else sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
