"""ClickUp: signed webhooks about tasks, and tasks that were asked for. Only what is news of a task of ours is an event.

A connection's settings: `team_id` (the workspace), `statuses` (what a status means: `{contacted: contacted}`),
`token_variable`, `space_ids`, `list_ids`, `webhook_id`; its secret is the webhook's. See docs/clickup.md.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from enrichment_assets.domain.clickup.incoming import NoMessageError, happened, seen
from enrichment_assets.domain.clickup.news import Heard, Record, gone, news_of_happened, news_of_seen
from enrichment_assets.domain.deliveries import Delivery, DeliveryState
from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.services.clickup.asking import NAME
from enrichment_assets.services.clickup.connecting import subscribe
from enrichment_assets.services.clickup.watching import ARMED, GONE, TASKS, check_settings, poll
from enrichment_assets.services.deliveries.readers import Reader, Received, UnreadableError
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.records import KnownRecord, known_records


def _is_authentic(message: Received) -> bool:
    """`X-Signature` is the hex HMAC-SHA256 of the body alone: it says who, and never when."""
    signature = message.headers.get("x-signature", "")
    expected = hmac.new((message.secret or "").encode(), message.raw, hashlib.sha256).hexdigest()
    return bool(message.secret) and hmac.compare_digest(signature.encode(), expected.encode())


def _look_up(connection: Connection, message: Received) -> Iterable[DeliveryEvent]:
    try:
        if message.polled is None:
            return list(_of_webhook(connection, message))
        return list(_OF_PAGES[message.polled](connection, message, _object(message.body)))
    except NoMessageError as error:
        raise UnreadableError(f"it is no message of ClickUp's: {error}", code="event.not_clickups") from None


def _of_webhook(connection: Connection, message: Received) -> Iterator[DeliveryEvent]:
    told = happened(message.body, message.received_at)
    records = _records(connection, message, {one.task_id for one in told})
    kinds = _kinds(message)
    for one in told:
        for record in records.get(one.task_id, []):
            yield from news_of_happened(record, one, kinds)


def _of_tasks(connection: Connection, message: Received, page: Mapping[str, Any]) -> Iterator[DeliveryEvent]:
    tasks = [seen(task) for task in page["tasks"]]
    records = _records(connection, message, {task.id for task in tasks})
    for task in tasks:
        for record in records.get(task.id, []):
            yield from news_of_seen(record, task, _kinds(message))


def _of_gone(connection: Connection, message: Received, page: Mapping[str, Any]) -> Iterator[DeliveryEvent]:
    records = _records(connection, message, {str(one) for one in page["task_ids"]})
    for task_id, known in records.items():
        for record in known:
            yield from gone(record, task_id, message.received_at)


def _of_armed(connection: Connection, message: Received, page: Mapping[str, Any]) -> Iterator[DeliveryEvent]:
    at = datetime.fromisoformat(page["at"])
    said = {"webhook": "armed again", "was": page.get("status"), "lost": page.get("fail_count")}
    yield DeliveryEvent(EventKind.NOTED, at, f"armed:{page['at']}", data=said)


_OF_PAGES = {TASKS: _of_tasks, GONE: _of_gone, ARMED: _of_armed}


def _records(connection: Connection, message: Received, task_ids: set[str]) -> dict[str, list[Record]]:
    """Tasks of ours by their ids; several where the same task stands for leads of several deliveries."""
    if not task_ids:
        return {}
    rows = known_records(connection, message.source.client_id, NAME, sorted(task_ids))
    found: dict[str, list[Record]] = {}
    for row in rows:
        found.setdefault(row.external_id, []).append(_record(row))
    return found


def _record(row: KnownRecord) -> Record:
    fields = Delivery.model_validate(row.delivery).fields
    return Record(
        delivery_id=row.delivery_id,
        is_deleted=row.state == DeliveryState.DELETED.value,
        columns={name: one.source for name, one in fields.items()},
        written={name: value for name, value in row.written.items() if name in fields},
        intended=row.intended,
        written_at=row.delivered_at,
        heard={name: Heard(value, datetime.fromisoformat(at)) for name, (value, at) in row.heard.items()},
        status=None if row.status is None else Heard(row.status[0], datetime.fromisoformat(row.status[1])),
    )


def _kinds(message: Received) -> dict[str, EventKind]:
    told = message.source.settings.get("statuses") or {}
    return {str(status).lower(): EventKind(kind) for status, kind in told.items()}


def _object(body: bytes) -> Mapping[str, Any]:
    found = parse_json(body)
    if not isinstance(found, dict):
        raise NoMessageError("it is no JSON object")
    return found


READER = Reader(
    says="tasks of ClickUp: corrections, status moves, deleted tasks; by webhook, and asked for",
    look_up=_look_up,
    is_authentic=_is_authentic,
    needs_secret=True,
    poll=poll,
    poll_seconds=300,
    check=check_settings,
    subscribe=subscribe,
)
