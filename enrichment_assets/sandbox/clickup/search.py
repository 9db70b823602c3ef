"""`GET /list/{id}/task` and `GET /team/{id}/task`: which tasks a question finds.

Closed and archived tasks, subtasks and tasks of several lists are left out unless they are asked for. Of custom fields
`=` finds what contains the value, `==` what is exactly it. 100 tasks a page from page 0, with `last_page`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from enrichment_assets.sandbox.clickup.refusals import wrong
from enrichment_assets.sandbox.clickup.values import shown
from enrichment_assets.sandbox.clickup.workspace import Task, TaskList, Workspace

PAGE = 100


def found_tasks(workspace: Workspace, query: Mapping[str, str], place: TaskList | None) -> tuple[list[Task], bool]:
    """One page of the tasks of a list (None: of the workspace), the newest first, and whether it is the last."""
    chosen = [
        one
        for one in workspace.tasks.values()
        if not one.deleted
        and one.home.id not in workspace.refused_lists
        and _lies_in(one, place, query)
        and _is_asked_for(one, query)
    ]
    for condition in _conditions(query):
        chosen = [one for one in chosen if _holds(workspace, one, condition)]
    order = "updated" if query.get("order_by") == "updated" else "created"
    chosen.sort(key=lambda one: int(getattr(one, order)), reverse=query.get("reverse") != "true")
    page = _whole(query.get("page", "0"), "page")
    return chosen[page * PAGE : (page + 1) * PAGE], len(chosen) <= (page + 1) * PAGE


def _lies_in(one: Task, place: TaskList | None, query: Mapping[str, str]) -> bool:
    if place is not None:
        return one.home is place or (_is_on(query, "include_timl") and place.id in one.also_in)
    lists, spaces, folders = (
        _several(query, "list_ids[]"),
        _several(query, "space_ids[]"),
        _several(query, "project_ids[]"),
    )
    return (
        (not lists or one.home.id in lists)
        and (not spaces or one.home.space.id in spaces)
        and (not folders or (one.home.folder is not None and one.home.folder.id in folders))
    )


def _is_asked_for(one: Task, query: Mapping[str, str]) -> bool:
    statuses = _several(query, "statuses[]")
    after = _whole(query.get("date_updated_gt", "0"), "date_updated_gt")
    return (
        one.archived == _is_on(query, "archived")
        and (one.status.type != "closed" or _is_on(query, "include_closed"))
        and (one.parent is None or _is_on(query, "subtasks"))
        and (not statuses or one.status.status in statuses)
        and one.updated > after
    )


def _conditions(query: Mapping[str, str]) -> list[dict[str, Any]]:
    text = query.get("custom_fields")
    if not text:
        return []
    try:
        conditions = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise wrong("custom_fields must be a JSON string") from None
    if not isinstance(conditions, list) or not all(isinstance(one, dict) for one in conditions):
        raise wrong("custom_fields must be an array of objects")
    return conditions


def _holds(workspace: Workspace, one: Task, condition: Mapping[str, Any]) -> bool:
    field = workspace.fields.get(str(condition.get("field_id")))
    if field is None:
        raise wrong(
            "Custom field does not exist", "FIELD_057" if len(str(condition.get("field_id"))) != 36 else "FIELD_009"
        )
    stored = one.values.get(field.id)
    operator, value = condition.get("operator"), str(condition.get("value", ""))
    if operator == "IS NULL":
        return stored is None
    if operator == "IS NOT NULL":
        return stored is not None
    is_text = field.type in {"short_text", "text", "email", "url", "phone"}
    text = "" if stored is None else str(stored if is_text else shown(field, stored))
    if operator == "=":
        return value.casefold() in text.casefold() if is_text else text == value
    if operator == "==":
        return text == value
    if operator == "!==":
        return text != value
    raise wrong(f"Operator {operator} is not supported for this field")


def _is_on(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() == "true"


def _several(query: Mapping[str, str], name: str) -> list[str]:
    every = getattr(query, "getall", None)
    return list(every(name, [])) if every is not None else []


def _whole(text: str, name: str) -> int:
    if not text.isdigit() or len(text) > 18:
        raise wrong(f"{name} must be a number")
    return int(text)
