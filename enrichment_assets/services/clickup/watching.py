"""What changed in ClickUp, asked for: the safety net below its webhooks, which get lost without a word.

Tasks that were updated since the last look are paged through, with an overlap, archived ones too; of those that are
ours what is compared is kept (`domain.clickup.incoming.kept_part`). Once a day all tasks are listed, and each of ours
that is not among them is asked for: one that is gone was deleted. A webhook that was suspended is armed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment_assets.domain.clickup.incoming import kept_part
from enrichment_assets.domain.clickup.news import STATUS_KINDS
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.providers.clickup import TASK_IS_GONE
from enrichment_assets.services.clickup.asking import NAME, Asker, ClickUpError, asking, token_variable
from enrichment_assets.services.deliveries.readers import Page
from enrichment_assets.settings import Settings
from enrichment_assets.store.deliveries.records import known_ids, standing_ids
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq

OVERLAP = timedelta(minutes=10)
"""Looked at again each time: an answer of ours may have been stored after its task was seen."""

SWEEP_EVERY = timedelta(days=1)
MOST_PAGES = 100
"""Of a hundred tasks; what is left is asked for the next time."""

MOST_ASKED = 200
"""Tasks that are missing and asked for one by one, at a time."""

TASKS, GONE, ARMED = "tasks", "gone", "armed"
"""What a kept page is (`Page.asked`)."""

EVENTS = ("taskUpdated", "taskStatusUpdated", "taskDeleted", "taskMoved", "taskAssigneeUpdated", "taskCommentPosted")
"""What our webhooks are told of."""


def poll(hq: Hq, settings: Settings, source: Connected, secret: str | None) -> Iterator[Page]:
    """What a connection's workspace has that is new since its cursor, as pages to be kept.

    Args:
        hq: The databases.
        settings: The installation.
        source: The connection: `team_id` of its settings, and what else `check_settings` takes.
        secret: Of its webhook; nothing is asked with it.

    Raises:
        ClickUpError: It refuses, or its webhook is not there.
    """
    return iter(asyncio.run(_polled(hq, settings, source)))


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for settings of a connection that ClickUp has no use for."""
    known = {"team_id", "space_ids", "list_ids", "token_variable", "webhook_id", "statuses"}
    if not isinstance(settings.get("team_id"), str) or not settings["team_id"].isdecimal():
        raise ConfigurationError("`team_id` is the number of the workspace at ClickUp", code="clickup.team_missing")
    if unknown := sorted(settings.keys() - known):
        raise ConfigurationError(
            f"a connection to ClickUp has no setting `{unknown[0]}`: there are {', '.join(sorted(known))}",
            code="clickup.unknown_setting",
        )
    for status, kind in (settings.get("statuses") or {}).items():
        if kind not in STATUS_KINDS:
            raise ConfigurationError(
                f"`statuses`: {status!r} cannot mean {kind!r}: there are {', '.join(sorted(STATUS_KINDS))}",
                code="clickup.unknown_meaning",
            )


async def _polled(hq: Hq, settings: Settings, source: Connected) -> list[Page]:
    told = source.settings
    cursor = dict(source.cursor or {})
    async with asking(settings, token_variable(told)) as asker:
        pages = [page async for page in _changed(hq, asker, source, cursor)]
        swept = datetime.fromisoformat(cursor["swept_at"]) if "swept_at" in cursor else source.created_at
        if datetime.now(UTC) - swept >= SWEEP_EVERY:
            pages += await _swept(hq, asker, source, cursor)
        pages += await _armed(asker, told)
    return pages


async def _changed(hq: Hq, asker: Asker, source: Connected, cursor: dict[str, Any]) -> AsyncIterator[Page]:
    began = int(source.created_at.timestamp() * 1000)
    since = int(cursor.get("updated", began)) - int(OVERLAP.total_seconds() * 1000)
    latest = int(cursor.get("updated", began))
    query = {"date_updated_gt": str(max(since, 0)), "order_by": "updated", "reverse": "true"}
    for archived in ("false", "true"):
        async for tasks in _pages(asker, source.settings, {**query, "archived": archived}):
            latest = max([latest, *(int(task.get("date_updated") or 0) for task in tasks)])
            ours = await asyncio.to_thread(_ours, hq, source.client_id, tasks)
            if ours:
                yield Page(TASKS, json_bytes({"tasks": ours}))
    if latest > int(cursor.get("updated", began)):
        cursor["updated"] = latest
        yield Page(TASKS, json_bytes({"tasks": []}), dict(cursor))


async def _swept(hq: Hq, asker: Asker, source: Connected, cursor: dict[str, Any]) -> list[Page]:
    """Ours that are listed nowhere, and that ClickUp says were deleted."""
    listed: set[str] = set()
    for archived in ("false", "true"):
        async for tasks in _pages(asker, source.settings, {"archived": archived}, most=10 * MOST_PAGES):
            listed.update(str(task.get("id")) for task in tasks)
    missing: list[str] = []
    after = ""
    while ids := await asyncio.to_thread(_standing, hq, source.client_id, after):
        missing += [one for one in ids if one not in listed]
        after = ids[-1]
    gone = [one for one in missing[:MOST_ASKED] if await _is_gone(asker, one)]
    cursor["swept_at"] = datetime.now(UTC).isoformat()
    return [Page(GONE, json_bytes({"task_ids": gone}), dict(cursor))]


async def _is_gone(asker: Asker, task_id: str) -> bool:
    """Whether a task was deleted: a permission that was taken away says nothing of the task."""
    try:
        await asker.get(f"/task/{task_id}")
    except ClickUpError as error:
        if error.ecode == TASK_IS_GONE:
            return True
        if error.ecode:
            return False
        raise
    return False


async def _pages(
    asker: Asker, told: Mapping[str, Any], query: Mapping[str, str], most: int = MOST_PAGES
) -> AsyncIterator[list[dict[str, Any]]]:
    places = [(f"{name}[]", str(one)) for name in ("space_ids", "list_ids") for one in told.get(name) or []]
    everywhere = {**query, "include_closed": "true", "subtasks": "true", "include_timl": "true"}
    for number in range(most):
        path = f"/team/{told['team_id']}/task?{_listed(places)}" if places else f"/team/{told['team_id']}/task"
        answer = await asker.get(path, {**everywhere, "page": str(number)})
        tasks = [one for one in answer.get("tasks") or [] if isinstance(one, dict)]
        if tasks:
            yield tasks
        if answer.get("last_page") is not False or not tasks:
            return


def _listed(places: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in places if value.isalnum())


async def _armed(asker: Asker, told: Mapping[str, Any]) -> list[Page]:
    """Look at the connection's webhook: one that was suspended is armed again, one that is not there is said."""
    number = told.get("webhook_id")
    if not number:
        return []
    answer = await asker.get(f"/team/{told['team_id']}/webhook")
    found = next((one for one in answer.get("webhooks") or [] if one.get("id") == number), None)
    if found is None:
        raise ClickUpError(
            "the connection's webhook is not there any more: connect it again", code="clickup.webhook_gone"
        )
    health = found.get("health") or {}
    if health.get("status") == "active":
        return []
    armed = {"endpoint": found["endpoint"], "events": found.get("events") or list(EVENTS), "status": "active"}
    await asker.ask("PUT", f"/webhook/{number}", body=armed)
    said = {"status": health.get("status"), "fail_count": health.get("fail_count"), "at": datetime.now(UTC).isoformat()}
    return [Page(ARMED, json_bytes(said))]


def _ours(hq: Hq, client_id: int, tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    with hq.transaction() as connection:
        known = known_ids(connection, client_id, NAME, [str(task.get("id")) for task in tasks])
    return [kept_part(task) for task in tasks if str(task.get("id")) in known]


def _standing(hq: Hq, client_id: int, after: str) -> list[str]:
    with hq.transaction() as connection:
        return standing_ids(connection, client_id, NAME, after, 1_000)
