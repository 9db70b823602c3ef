"""Who is told of what: signed bodies to the subscriptions of a workspace, and their health.

`X-Signature` is the hex HMAC-SHA256 of the body alone. An event that no attempt brings home is lost and counted; 100 of
them, or one 410, suspend the subscription without a word. That of a disabled member is silent.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator

import orjson

from enrichment_assets.sandbox.clickup.changes import Told
from enrichment_assets.sandbox.clickup.workspace import Task, Webhook, Workspace
from enrichment_assets.sandbox.exchange import PlannedCallback

EVENTS = (
    "taskCreated", "taskUpdated", "taskDeleted", "taskPriorityUpdated", "taskStatusUpdated", "taskAssigneeUpdated",
    "taskDueDateUpdated", "taskTagUpdated", "taskMoved", "taskCommentPosted", "taskCommentUpdated",
    "taskTimeEstimateUpdated", "taskTimeTrackedUpdated",
)  # fmt: skip
MOST_TRIES, MOST_FAILS = 5, 100
RETRY_SECONDS = 0.2
GONE = 410


def messages(workspace: Workspace, happened: Iterable[Told]) -> Iterator[PlannedCallback]:
    """What is sent of what happened, to each subscription that wants it."""
    for told in happened:
        for one in workspace.webhooks.values():
            if one.status == "suspended" or one.owner.is_disabled or not _is_about(one, told.task):
                continue
            for event in told.events:
                if event in one.events or "*" in one.events:
                    yield _message(one, event, told)


def _message(one: Webhook, event: str, told: Told) -> PlannedCallback:
    content: dict[str, object] = {"event": event, "task_id": told.task.id, "webhook_id": one.id}
    if told.items:
        content["history_items"] = told.items
    about = told.items[0]["id"] if told.items else told.task.id
    return _try(one, orjson.dumps(content), f"{one.id}:{event}:{about}", 1)


def _try(one: Webhook, body: bytes, identity: str, number: int) -> PlannedCallback:
    """One of the five attempts; the subscription's health is counted when the last one has failed."""

    def answered(status: int | None) -> PlannedCallback | None:
        if status is not None and 200 <= status < 300:
            one.status, one.fails = "active", 0
        elif status == GONE:
            one.status = "suspended"
        elif number < MOST_TRIES:
            return _try(one, body, identity, number + 1)
        else:
            one.fails += 1
            one.status = "suspended" if one.fails >= MOST_FAILS else "failing"
        return None

    after = 0.0 if number == 1 else RETRY_SECONDS
    headers = {"x-signature": signature(one.secret, body)}
    return PlannedCallback(one.endpoint, body, identity, after, headers=headers, answered=answered)


def signature(secret: str, body: bytes) -> str:
    """The value of `X-Signature`."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _is_about(one: Webhook, task: Task) -> bool:
    """A subscription to a place hears of the tasks in it; one of the workspace of all."""
    place = {
        "space_id": task.home.space.id,
        "folder_id": task.home.folder.id if task.home.folder else None,
        "list_id": task.home.id,
        "task_id": task.id,
    }
    return all(place[name] == value for name, value in one.place.items())
