"""What a webhook's body or a seen task tells. Shapes: developer.clickup.com/docs/webhooktaskpayloads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment_assets.domain.clickup.incoming import Happened, NoMessageError, happened, kept_part, seen
from enrichment_assets.domain.delivery_events import EventKind

NOW = datetime(2026, 11, 29, tzinfo=UTC)
RITA = {"id": 183002, "username": "Rita Marlow", "email": "rita@fairway.example"}


def item(field: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {"id": "2800763136717140857", "date": "1642734631523", "field": field, "user": RITA, "before": before,
            "after": after, **more}  # fmt: skip


def told(event: str, *items: dict[str, Any]) -> list[Happened]:
    return happened(json.dumps({"event": event, "task_id": "86abc", "history_items": items}).encode(), NOW)


def test_a_status_is_one_event_under_whatever_name_and_a_new_tasks_first_one_is_none() -> None:
    moved = item("status", {"status": "new"}, {"status": "contacted", "type": "custom"})
    assert told("taskStatusUpdated", moved) == told("taskUpdated", moved)
    (event,) = told("taskUpdated", moved)
    assert (event.kind, event.value, event.actor, event.actor_id) == (
        EventKind.STATUS_CHANGED, "contacted", "Rita Marlow", 183002
    )  # fmt: skip
    assert (event.key, event.at) == ("item:2800763136717140857", datetime(2022, 1, 21, 3, 10, 31, 523000, UTC))
    first = item("status", {"status": None, "type": "removed", "orderindex": -1}, {"status": "new"})
    assert told("taskCreated", first) == told("taskStatusUpdated", first) == []


def test_a_fields_change_has_the_fields_options_with_it() -> None:
    config = {"options": [{"id": "a", "name": "high-end", "orderindex": 0}]}
    field = {"id": "f", "name": "Segment", "type": "drop_down", "type_config": config}
    (event,) = told("taskUpdated", item("custom_field", None, "a", custom_field=field))
    assert (event.kind, event.value, event.data) == (EventKind.FIELD_CHANGED, "high-end", {"remote": "Segment"})
    (cleared,) = told("taskUpdated", item("custom_field", "a", None, custom_field=field))
    assert (cleared.kind, cleared.value) == (EventKind.FIELD_CHANGED, None)


def test_other_changes_are_noted_without_what_people_wrote() -> None:
    (moved,) = told(
        "taskMoved", item("section_moved", {}, {"id": "77", "name": "Won", "category": {"id": "1", "name": "x"}})
    )
    assert (moved.kind, moved.data) == (EventKind.NOTED, {"changed": "section_moved", "list": "Won", "list_id": "77"})
    (comment,) = told("taskCommentPosted", item("comment", None, "she hates golf"))
    assert comment.data == {"changed": "comment"}
    gone = happened(b'{"event": "taskDeleted", "task_id": "86abc", "webhook_id": "w"}', NOW)
    assert [(one.kind, one.key, one.at) for one in gone] == [(EventKind.DELETED, "deleted:86abc", NOW)]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"not json", b'{"event": "listCreated", "list_id": "1"}', b'{"event": "taskUpdated"}',
        b'{"event": "taskUpdated", "task_id": {}, "history_items": []}', b'{"event": "taskUpdated", "task_id": "1"}',
        b'{"event": 7, "task_id": "1"}',
    ],
)  # fmt: skip
def test_what_tells_of_no_task_is_no_message(body: bytes) -> None:
    with pytest.raises(NoMessageError):
        happened(body, NOW)


def test_items_that_make_no_sense_tell_nothing_and_a_wrong_time_is_no_message() -> None:
    odd = [{"id": "1"}, item("custom_field", 1, 2), item("custom_field", 1, 2, custom_field={"id": "x"})]
    assert told("taskUpdated", *odd, item("status", None, "text")) == []
    wrong = {"id": "f", "name": "S", "type": "labels", "type_config": {"options": "none"}}
    assert told("taskUpdated", item("custom_field", 1, 2, custom_field=wrong)) == []
    for date in ("yesterday", None, "9" * 15, "1642734631523.5"):
        with pytest.raises(NoMessageError):
            told("taskUpdated", {**item("name", "a", "b"), "date": date})


def test_of_a_seen_task_only_what_is_compared_is_kept() -> None:
    shown = {
        "id": "86abc", "name": "Ann Lee - Owner", "description": "private", "assignees": [RITA], "archived": True,
        "status": {"status": "new", "type": "open"}, "date_updated": "1642734631523",
        "custom_fields": [{"id": "f", "name": "Confidence", "type": "number", "type_config": {}, "value": "8",
                           "required": None}, {"id": "g", "name": "Email", "type": "email", "type_config": {}}],
    }  # fmt: skip
    kept = kept_part(shown)
    assert "private" not in json.dumps(kept)
    assert "Rita" not in json.dumps(kept)
    task = seen(kept)
    assert (task.id, task.status, task.status_type, task.archived) == ("86abc", "new", "open", True)
    assert [(field.name, value) for field, value in task.values] == [("Confidence", "8"), ("Email", None)]
    assert task == seen(shown)
