"""What a person does in ClickUp by hand, and what an administrator does to the workspace.

    POST /_sandbox/happen/clickup
    {"action": "field", "task": "86..", "field": "Phone", "value": "+1 406 555 0100", "by": "rita@fairway.example"}

`workspace` (a token) may be left out while there is one; `by` is an address of a member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from enrichment_assets.sandbox.clickup import changes, layout
from enrichment_assets.sandbox.clickup.changes import Told
from enrichment_assets.sandbox.clickup.shapes import folder_shape, list_shape, task_shape, webhook_shape
from enrichment_assets.sandbox.clickup.workspace import CustomField, Option, Person, Task, TaskList, Workspace

Done = tuple[dict[str, Any], list[Told]]


def act(workspace: Workspace, action: str, wanted: Mapping[str, Any]) -> Done:
    """Do it. Raises `ValueError` for an action or a name that there is not, `Refusal` as ClickUp would refuse."""
    if action not in _ACTIONS:
        raise ValueError(f"no action {action!r}; there are {', '.join(sorted(_ACTIONS))}")
    return _ACTIONS[action](workspace, wanted)


def _tasks(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Every task with what became of it, and how many field values were ever written."""
    tasks = [
        {**task_shape(workspace, one, with_markdown=True), "deleted": one.deleted, "comments": one.comments}
        for one in workspace.tasks.values()
    ]
    webhooks = [webhook_shape(one, with_secret=True) for one in workspace.webhooks.values()]
    return {"tasks": tasks, "webhooks": webhooks, "field_writes": workspace.field_writes}, []


def _places(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Every folder and list, archived ones too."""
    folders = [folder_shape(workspace, one) for one in workspace.folders.values()]
    lists = [list_shape(one) for one in workspace.lists.values()]
    return {"team": workspace.id, "spaces": list(workspace.spaces), "folders": folders, "lists": lists}, []


def _add_task(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """A task that a person makes by hand, in the list `list`."""
    place = changes.list_of(workspace, str(wanted["list"]))
    made, told = changes.create_task(workspace, _by(workspace, wanted), place, wanted)
    return {"id": made.id}, [told]


def _field(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Change a field, by its name; an option or label by its name too."""
    task = _task(workspace, wanted)
    field = _named_field(workspace, task.home, str(wanted["field"]))
    ids = {option.name: option.id for option in field.options}
    value = wanted.get("value")
    value = [ids.get(one, one) for one in value] if isinstance(value, list) else ids.get(value, value)  # type: ignore[arg-type]
    return _done(changes.set_field(workspace, _by(workspace, wanted), task, field.id, value))


def _status(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    return _done(changes.set_status(workspace, _by(workspace, wanted), _task(workspace, wanted), str(wanted["status"])))


def _update(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Name, description, assignees, archived: what `PUT` takes."""
    happened = changes.update_task(workspace, _by(workspace, wanted), _task(workspace, wanted), wanted)
    return {"told": len(happened)}, happened


def _comment(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    task, text = _task(workspace, wanted), str(wanted["text"])
    return _done(changes.comment_on(workspace, _by(workspace, wanted), task, text)[1])


def _move(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """To another home, `to` being a list's id."""
    place = changes.list_of(workspace, str(wanted["to"]))
    return _done(changes.move_task(workspace, _by(workspace, wanted), _task(workspace, wanted), place))


def _delete(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    return _done(changes.delete_task(workspace, _task(workspace, wanted)))


def _merge(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Merge `task` into `into`: its text becomes a comment there, and it is gone."""
    gone = _task(workspace, wanted)
    kept = changes.task_of(workspace, str(wanted["into"]))
    _, told = changes.comment_on(workspace, _by(workspace, wanted), kept, f"Merged: {gone.name}\n{gone.markdown}")
    return {"told": 2}, [told, changes.delete_task(workspace, gone)]


def _plan(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """How many field values may ever be written; null: no limit."""
    workspace.most_field_writes = wanted.get("field_writes")
    return {"field_writes": workspace.field_writes}, []


def _permission(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Take the token's access to a list away, or give it back."""
    place = str(wanted["list"])
    (workspace.refused_lists.add if wanted.get("revoked", True) else workspace.refused_lists.discard)(place)
    return {"revoked": sorted(workspace.refused_lists)}, []


def _archive(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Archive a list or take it out of the archive."""
    workspace.lists[str(wanted["list"])].archived = bool(wanted.get("archived", True))
    return {}, []


def _person(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Disable a member, whose webhooks are silent from then on."""
    _by(workspace, wanted).is_disabled = bool(wanted.get("disabled", True))
    return {}, []


def _lose(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Let the next task be made and its answer be a 502 of a gateway."""
    workspace.loses_next = True
    return {}, []


def _webhook(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Let a subscription be suspended, as ClickUp does without a word."""
    workspace.webhooks[str(wanted["id"])].status = str(wanted["status"])
    return {}, []


def _add_list(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """A further list, in a folder or beside them."""
    folder = next((one for one in workspace.folders.values() if one.name == wanted.get("folder")), None)
    space = folder.space if folder else next(iter(workspace.spaces.values()))
    return {"id": layout.add_list(workspace, str(wanted["name"]), space, folder).id}, []


def _add_field(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """A further field, at the space unless `home` is the id of another place."""
    home = str(wanted.get("home") or next(iter(workspace.spaces)))
    options = tuple(wanted.get("options") or ())
    return {"id": workspace.add_field(str(wanted["name"]), str(wanted["type"]), home, options).id}, []


def _edit_field(workspace: Workspace, wanted: Mapping[str, Any]) -> Done:
    """Rename a field or its options (`options`: old name -> new name, null: gone), or remove it (`removed`)."""
    for field in [one for one in workspace.fields.values() if one.name == wanted["field"]]:
        if wanted.get("removed"):
            del workspace.fields[field.id]
            continue
        field.name = str(wanted.get("name") or field.name)
        names: Mapping[str, str | None] = wanted.get("options") or {}
        field.options = [
            Option(one.id, new, one.color)
            for one in field.options
            if (new := names.get(one.name, one.name)) is not None
        ]
    return {}, []


_ACTIONS: Mapping[str, Callable[[Workspace, Mapping[str, Any]], Done]] = {
    "places": _places,
    "tasks": _tasks,
    "add-task": _add_task,
    "field": _field,
    "status": _status,
    "update": _update,
    "comment": _comment,
    "move": _move,
    "delete": _delete,
    "merge": _merge,
    "plan": _plan,
    "permission": _permission,
    "archive-list": _archive,
    "person": _person,
    "webhook": _webhook,
    "lose": _lose,
    "add-list": _add_list,
    "add-field": _add_field,
    "edit-field": _edit_field,
}


def _done(told: Told | None) -> Done:
    return {"told": int(told is not None)}, [] if told is None else [told]


def _task(workspace: Workspace, wanted: Mapping[str, Any]) -> Task:
    return changes.task_of(workspace, str(wanted["task"]))


def _by(workspace: Workspace, wanted: Mapping[str, Any]) -> Person:
    """Who does it: an address; without one the first member that is no program."""
    asked = wanted.get("by", layout.PEOPLE[1][2])
    found = next((one for one in workspace.people.values() if one.email == asked), None)
    if found is None:
        raise ValueError(f"no member {asked!r}")
    return found


def _named_field(workspace: Workspace, place: TaskList, name: str) -> CustomField:
    found = next((one for one in workspace.fields_of(place) if one.name == name), None)
    if found is None:
        raise ValueError(f"no field {name!r}")
    return found
