"""How ClickUp shows what a workspace holds: ids as text, times as text in milliseconds, `orderindex` as text or number.

A custom field without a value has no `value` at all; `markdown_description` is shown only where it is asked for.
"""

from __future__ import annotations

from typing import Any

from enrichment_assets.sandbox.clickup.values import configuration, shown
from enrichment_assets.sandbox.clickup.workspace import (
    CustomField,
    Folder,
    Person,
    Space,
    Status,
    Task,
    TaskList,
    Webhook,
    Workspace,
)

_MADE = "1764000000000"
_PRIORITIES = {1: ("urgent", "#f50000"), 2: ("high", "#f8ae00"), 3: ("normal", "#6fddff"), 4: ("low", "#d8d8d8")}


def person_shape(one: Person) -> dict[str, Any]:
    """A member as tasks and events show them."""
    initials = "".join(part[0] for part in one.username.split())
    return {
        "id": one.id,
        "username": one.username,
        "email": one.email,
        "color": "#7b68ee",
        "initials": initials,
        "profilePicture": None,
    }


def status_shape(one: Status) -> dict[str, Any]:
    """A status with its number as a number."""
    return {"status": one.status, "color": one.color, "orderindex": one.orderindex, "type": one.type}


def space_shape(one: Space) -> dict[str, Any]:
    """A space."""
    return {"id": one.id, "name": one.name, "private": False, "archived": False, "statuses": [], "features": {}}


def folder_shape(workspace: Workspace, one: Folder) -> dict[str, Any]:
    """A folder with its lists, those that are not archived."""
    lists = [place for place in workspace.lists.values() if place.folder is one and not place.archived]
    return {
        "id": one.id,
        "name": one.name,
        "orderindex": 0,
        "override_statuses": False,
        "hidden": False,
        "space": {"id": one.space.id, "name": one.space.name, "access": True},
        "task_count": "0",
        "archived": one.archived,
        "statuses": [],
        "lists": [list_shape(place) for place in lists],
    }


def list_shape(one: TaskList) -> dict[str, Any]:
    """A list; one without a folder lies in a hidden one."""
    hidden = {"id": f"h{one.space.id}", "name": "hidden", "hidden": True, "access": True}
    folder = hidden if one.folder is None else {"id": one.folder.id, "name": one.folder.name, "hidden": False}
    return {
        "id": one.id,
        "name": one.name,
        "orderindex": 0,
        "content": "",
        "status": None,
        "priority": None,
        "assignee": None,
        "task_count": None,
        "due_date": None,
        "start_date": None,
        "archived": one.archived,
        "override_statuses": False,
        "permission_level": "create",
        "folder": {**folder, "access": True},
        "space": {"id": one.space.id, "name": one.space.name, "access": True},
        "statuses": [status_shape(status) for status in one.statuses],
    }


def field_shape(one: CustomField) -> dict[str, Any]:
    """A custom field without a value."""
    return {
        "id": one.id,
        "name": one.name,
        "type": one.type,
        "type_config": configuration(one),
        "date_created": _MADE,
        "hide_from_guests": False,
        "required": False,
    }


def task_shape(workspace: Workspace, one: Task, *, with_markdown: bool = False) -> dict[str, Any]:
    """A task as GET and searches show it."""
    fields = []
    for known in workspace.fields_of(one.home):
        value = {"value": shown(known, one.values[known.id])} if known.id in one.values else {}
        fields.append({**field_shape(known), **value})
    place = list_shape(one.home)
    closed = str(one.updated) if one.status.type == "closed" else None
    number = one.priority or 0
    shape: dict[str, Any] = {
        "id": one.id,
        "custom_id": None,
        "custom_item_id": 0,
        "name": one.name,
        "text_content": one.markdown,
        "description": one.markdown,
        "status": status_shape(one.status),
        "orderindex": "120304945.00000000000000000000000000000000",
        "date_created": str(one.created),
        "date_updated": str(one.updated),
        "date_closed": closed,
        "date_done": closed,
        "archived": one.archived,
        "creator": person_shape(one.creator),
        "assignees": [person_shape(person) for person in one.assignees],
        "group_assignees": [],
        "watchers": [],
        "checklists": [],
        "tags": [{"name": tag, "tag_fg": "#fff", "tag_bg": "#000"} for tag in one.tags],
        "parent": one.parent,
        "top_level_parent": one.parent,
        "priority": _priority(number) if number in _PRIORITIES else None,
        "due_date": None if one.due is None else str(one.due),
        "start_date": None,
        "points": None,
        "time_estimate": None,
        "custom_fields": fields,
        "dependencies": [],
        "linked_tasks": [],
        "locations": [{"id": place_id, "name": workspace.lists[place_id].name} for place_id in one.also_in],
        "team_id": workspace.id,
        "url": f"https://app.clickup.com/t/{one.id}",
        "permission_level": "create",
        "list": {"id": one.home.id, "name": one.home.name, "access": True},
        "project": place["folder"],
        "folder": place["folder"],
        "space": {"id": one.home.space.id},
    }
    if with_markdown:
        shape["markdown_description"] = one.markdown
    return shape


def webhook_shape(one: Webhook, *, with_secret: bool) -> dict[str, Any]:
    """A subscription with its health."""
    place = {"space_id": None, "folder_id": None, "list_id": None, "task_id": None, **one.place}
    shape: dict[str, Any] = {
        "id": one.id,
        "userid": one.owner.id,
        "team_id": None,
        "endpoint": one.endpoint,
        "client_id": "QVOQP06ZXC6CMGVFKB0ZT7J9Y7APOYGO",
        "events": one.events,
        **place,
        "health": {"status": one.status, "fail_count": one.fails},
    }
    return {**shape, "secret": one.secret} if with_secret else shape


def _priority(number: int) -> dict[str, Any]:
    name, color = _PRIORITIES[number]
    return {"id": str(number), "priority": name, "color": color, "orderindex": str(number)}
