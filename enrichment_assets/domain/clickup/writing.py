"""What is written into a task for a lead: its own attributes as they are, custom fields by id, options by theirs.

Which custom fields a task has depends on its list. For a task that is to be made they are those of the list that the
delivery's `place` names, out of a lookup `fields` that was asked for each list; for one that stands already its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enrichment_assets.domain.clickup.checking import NATIVE
from enrichment_assets.domain.clickup.fields import RemoteField, Unfit, field_named, read, same, written
from enrichment_assets.domain.provider import RemoteField as Sent
from enrichment_assets.domain.provider import Seen

LONGEST_NAME = 250
"""Characters of a task's name: more is cut, since ClickUp refuses a long one."""

TASK = "task"
"""Where `fields_there` keeps the task itself, for its fields and its list."""


def fields_written(fields: Mapping[str, Any], seen: Seen) -> dict[str, Sent]:
    """What is sent for each value; one that its field does not take is left out, and says why."""
    there = _there(seen)
    return {name: _sent(name, value, there) for name, value in fields.items()}


def fields_there(task: Any, ours: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a task says now, in the words of the lead that it was written from.

    Args:
        task: As `GET /task/{id}` shows it, with its Markdown.
        ours: Name of a field -> the lead's value that was written last; None: none was.
    """
    if not isinstance(task, Mapping):
        return {}
    found: dict[str, Any] = {TASK: task}
    listed = [one for one in task.get("custom_fields") or [] if isinstance(one, Mapping)]
    fields, shown = _fields(listed), {str(one.get("id")): one.get("value") for one in listed}
    for name, value in ours.items():
        if name == "name":
            said = str(task.get("name") or "").strip()
            found[name] = value if said == _own(name, value) else said
        elif name not in NATIVE and (field := _known(fields, name)) is not None:
            now = read(field, shown.get(field.id))
            found[name] = value if same(field, now, _as_read(field, value)) else now
    return found


def _there(seen: Seen) -> Sequence[RemoteField]:
    """The custom fields of the task, or of the list in which it is to be made."""
    if seen.current is not None and isinstance(seen.current.get(TASK), Mapping):
        return _fields(seen.current[TASK].get("custom_fields"))
    for entry in seen.lookups.get("fields") or []:
        if isinstance(entry, Mapping) and str((entry.get("of") or {}).get("id")) == seen.place:
            return _fields(entry.get("value"))
    return []


def _fields(shown: Any) -> list[RemoteField]:
    listed = shown if isinstance(shown, list) else []
    return [RemoteField.of(one) for one in listed if isinstance(one, Mapping) and {"id", "name", "type"} <= one.keys()]


def _sent(name: str, value: Any, there: Sequence[RemoteField]) -> Sent:
    if name in NATIVE:
        return Sent(_own(name, value))
    try:
        field = field_named(there, name)
        return Sent(written(field, value), field.id, {"name": field.name, "type": field.type})
    except Unfit as error:
        return Sent(None, left_out=str(error))


def _own(name: str, value: Any) -> Any:
    """A value of the task itself: a name in one line, and not too long."""
    if name == "name" and isinstance(value, str):
        line = " ".join(value.split())
        return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 3]}..."
    return value.strip() if isinstance(value, str) else value


def _known(fields: Sequence[RemoteField], name: str) -> RemoteField | None:
    try:
        return field_named(fields, name)
    except Unfit:
        return None


def _as_read(field: RemoteField, value: Any) -> str | None:
    try:
        return read(field, written(field, value))
    except Unfit:
        return None
