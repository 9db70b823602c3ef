"""Every way in which a task changes, whoever does it. The only writer of tasks; each change says what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.sandbox.clickup.refusals import no_access, no_task, refused, wrong
from enrichment_assets.sandbox.clickup.shapes import person_shape, status_shape
from enrichment_assets.sandbox.clickup.values import configuration, taken, told
from enrichment_assets.sandbox.clickup.workspace import CustomField, Person, Status, Task, TaskList, Workspace

LONGEST_NAME = 2_048
LATEST = 10**14
_STARTED: dict[str, Any] = {"status": None, "color": "#000000", "type": "removed", "orderindex": -1}


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its names (a status is told as a status and as an update), its task, and its history items."""

    events: tuple[str, ...]
    task: Task
    items: list[dict[str, Any]] = field(default_factory=list)


def list_of(workspace: Workspace, list_id: str) -> TaskList:
    """A list by its id; raises `Refusal` where there is none or it may not be seen."""
    one = workspace.lists.get(list_id)
    if one is None:
        raise refused(404, "INPUT_011", "List not found")
    if one.id in workspace.refused_lists:
        raise no_access()
    return one


def task_of(workspace: Workspace, task_id: str) -> Task:
    """A task that is there; raises `Refusal`."""
    one = workspace.tasks.get(task_id)
    if one is None or one.deleted:
        raise no_task()
    list_of(workspace, one.home.id)
    return one


def create_task(workspace: Workspace, by: Person, place: TaskList, wanted: Mapping[str, Any]) -> tuple[Task, Told]:
    """Make a task. All of it is looked at before any of it is kept: a refusal leaves nothing behind."""
    if place.archived:
        raise refused(400, "ITEM_137", "List is archived")
    now = workspace.now()
    one = Task("", _name(wanted.get("name")), place, place.statuses[0], by, now, now)
    if wanted.get("status"):
        one.status = _status(place, wanted["status"])
    one.markdown = str(wanted.get("markdown_content") or wanted.get("description") or "")
    one.assignees = [_member(workspace, number) for number in _listed(wanted, "assignees")]
    one.tags = [str(tag) for tag in _listed(wanted, "tags")]
    one.priority, one.due = _number(wanted, "priority", 4), _number(wanted, "due_date", LATEST)
    one.parent = None if wanted.get("parent") is None else task_of(workspace, str(wanted["parent"])).id
    members = [member if isinstance(member, Mapping) else {} for member in _listed(wanted, "custom_fields")]
    values = [(field_of(workspace, place, str(member.get("id"))), member.get("value")) for member in members]
    one.values = {known.id: stored for known, value in values if (stored := taken(known, value)) is not None}
    _count_field_writes(workspace, len(values))
    one.id = workspace.task_id()
    workspace.tasks[one.id] = one
    items = [_item(workspace, one, by, "status", _STARTED, status_shape(one.status), data={"status_type": "open"})]
    return one, Told(("taskCreated", "taskStatusUpdated"), one, items)


def update_task(workspace: Workspace, by: Person, one: Task, wanted: Mapping[str, Any]) -> list[Told]:
    """What `PUT /task/{id}` does. `custom_fields` are not looked at, and the answer is 200 all the same."""
    happened: list[Told] = []
    status = _status(one.home, wanted["status"]) if wanted.get("status") else None
    if wanted.get("name") is not None and (name := _name(wanted["name"])) != one.name:
        happened.append(_updated(workspace, one, by, "name", one.name, name))
        one.name = name
    written = wanted.get("markdown_content", wanted.get("description"))
    if written is not None and str(written).strip() != one.markdown:
        happened.append(_updated(workspace, one, by, "content", one.markdown, str(written).strip()))
        one.markdown = str(written).strip()
    if status is not None and status != one.status:
        happened.append(set_status(workspace, by, one, status.status))
    if isinstance(wanted.get("archived"), bool) and wanted["archived"] != one.archived:
        happened.append(_updated(workspace, one, by, "archived", one.archived, wanted["archived"]))
        one.archived = wanted["archived"]
    asked = wanted.get("assignees") or {}
    asked = asked if isinstance(asked, Mapping) else {}
    for number in _listed(asked, "add"):
        person = _member(workspace, number)
        if person not in one.assignees:
            one.assignees.append(person)
            item = _item(workspace, one, by, "assignee_add", None, person_shape(person))
            happened.append(Told(("taskAssigneeUpdated", "taskUpdated"), one, [item]))
    one.assignees = [person for person in one.assignees if person.id not in _listed(asked, "rem")]
    one.priority = _number(wanted, "priority", 4) if "priority" in wanted else one.priority
    one.due = _number(wanted, "due_date", LATEST) if "due_date" in wanted else one.due
    one.updated = workspace.now()
    return happened


def set_field(workspace: Workspace, by: Person, one: Task, field_id: str, value: Any) -> Told | None:
    """Write one custom field, or clear it with None. A deleted task takes it with a 200, and nothing happens."""
    known = field_of(workspace, one.home, field_id)
    stored = taken(known, value)
    _count_field_writes(workspace, 1)
    before = one.values.get(known.id)
    if one.deleted or stored == before:
        return None
    one.values.pop(known.id, None)
    if stored is not None:
        one.values[known.id] = stored
    one.updated = workspace.now()
    item = _item(workspace, one, by, "custom_field", told(before), told(stored))
    item["custom_field"] = {
        "id": known.id,
        "name": known.name,
        "type": known.type,
        "type_config": configuration(known),
    }
    return Told(("taskUpdated",), one, [item])


def set_status(workspace: Workspace, by: Person, one: Task, status: str) -> Told:
    """Move a task to a column."""
    before, one.status = one.status, _status(one.home, status)
    one.updated = workspace.now()
    data = {"status_type": one.status.type}
    item = _item(workspace, one, by, "status", status_shape(before), status_shape(one.status), data=data)
    return Told(("taskStatusUpdated", "taskUpdated"), one, [item])


def move_task(workspace: Workspace, by: Person, one: Task, place: TaskList) -> Told:
    """Give it another home. Values of fields that the new home does not have stay behind."""
    before, one.home = one.home, place
    known = {each.id for each in workspace.fields_of(place)}
    one.values = {name: value for name, value in one.values.items() if name in known}
    one.updated = workspace.now()
    item = _item(workspace, one, by, "section_moved", _place(before), _place(place))
    return Told(("taskMoved",), one, [item])


def comment_on(workspace: Workspace, by: Person, one: Task, text: str) -> tuple[str, Told]:
    """Write a comment; its id and what is told."""
    number = str(90_110_000_000_000 + workspace.number("comment"))
    made = {"id": number, "comment_text": text, "user": person_shape(by), "date": str(workspace.now())}
    one.comments.insert(0, made)
    item = _item(workspace, one, by, "comment", None, number)
    return number, Told(("taskCommentPosted",), one, [item])


def delete_task(workspace: Workspace, one: Task) -> Told:
    """Delete it; the webhook has no history items and does not say who did it."""
    one.deleted = True
    one.updated = workspace.now()
    return Told(("taskDeleted",), one)


def field_of(workspace: Workspace, place: TaskList, field_id: str) -> CustomField:
    """A field that the tasks of a list have; raises `Refusal`."""
    if len(field_id) != 36:
        raise wrong("Custom field id must be a valid UUID", "FIELD_057")
    known = workspace.fields.get(field_id)
    if known is None or known not in list(workspace.fields_of(place)):
        raise refused(404, "FIELD_009", "Custom field not found in this location")
    return known


def _count_field_writes(workspace: Workspace, count: int) -> None:
    """The plan counts each value that is ever written; a call that goes over it is refused whole."""
    most = workspace.most_field_writes
    if most is not None and count and workspace.field_writes + count > most:
        raise wrong("Custom field usages exceeded for your plan", "FIELD_033")
    workspace.field_writes += count


def _listed(wanted: Mapping[str, Any], name: str) -> list[Any]:
    value = wanted.get(name)
    if value is not None and not isinstance(value, list):
        raise wrong(f"{name} must be an array")
    return value or []


def _number(wanted: Mapping[str, Any], name: str, most: int) -> int | None:
    value = wanted.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most):
        return value
    raise wrong(f"{name} is invalid")


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise wrong("Task name invalid", "INPUT_005")
    if len(value) > LONGEST_NAME:
        raise wrong(f"Task name is longer than {LONGEST_NAME} characters", "INPUT_006")
    return value.strip()


def _status(place: TaskList, name: Any) -> Status:
    found = next((one for one in place.statuses if one.status == str(name).lower()), None)
    if found is None:
        raise wrong("Status does not exist", "CRTSK_001")
    return found


def _member(workspace: Workspace, number: Any) -> Person:
    found = workspace.people.get(number) if isinstance(number, int) else None
    if found is None:
        raise wrong("Assignee is not a member of this workspace", "ASSIGN_002")
    return found


def _updated(workspace: Workspace, one: Task, by: Person, name: str, before: Any, after: Any) -> Told:
    return Told(("taskUpdated",), one, [_item(workspace, one, by, name, before, after)])


def _place(one: TaskList) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "category": {"id": one.folder.id if one.folder else one.space.id}}


def _item(
    workspace: Workspace,
    one: Task,
    by: Person,
    name: str,
    before: Any,
    after: Any,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "id": str(2_800_763_136_717_000_000 + workspace.number("history")),
        "type": 1,
        "date": str(workspace.now()),
        "field": name,
        "parent_id": one.home.id,
        "data": dict(data or {}),
        "source": None,
        "user": person_shape(by),
        "before": before,
        "after": after,
    }
