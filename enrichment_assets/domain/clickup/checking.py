"""What a workspace lacks for a delivery: places, fields, options, people, rights and plan. Questions only.

Nothing is made there. ClickUp documents no way to make a field, and a folder or list that a program made silently would
be one that nobody looks into.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from enrichment_assets.domain.clickup.fields import RemoteField, Unfit, can_be_written, field_named
from enrichment_assets.domain.http_answers import object_of
from enrichment_assets.domain.provider import Answer, Check, RenderedRequest, Wanted
from enrichment_assets.domain.suggestions import instead

NATIVE = frozenset({"name", "description", "folder", "assignee", "status", "priority", "due_date", "tags"})
"""Fields of a delivery that are the task's own, and no custom fields."""

_FREE = 60
"""Values of custom fields that the Free plan has in all, ever (help.clickup.com)."""

Asking = Generator[RenderedRequest, Answer, list[Mapping[str, Any]]]


def checked(wanted: Wanted) -> Check:
    """Ask for everything that a delivery names, and say what is missing."""
    told = wanted.parameters
    team_id = str(told.get("team_id") or "")
    if not team_id.isdecimal():
        return ["`parameters.team_id` is not set: it is the number of the workspace, the first one in its addresses"]
    teams = yield from _listed("/team", "teams")
    team = next((one for one in teams if one.get("id") == team_id), None)
    if team is None:
        return [
            f"the token's owner is in no workspace {team_id}: {instead(team_id, [str(t.get('id')) for t in teams])}"
        ]
    custom = [name for name in wanted.fields if name not in NATIVE]
    faults = yield from _plan(team_id, len(custom) + 1)
    faults += _people(told, team)
    spaces = yield from _listed(f"/team/{team_id}/space", "spaces")
    space = _named(spaces, told.get("space"))
    if space is None:
        return [*faults, _missing("space", told.get("space"), spaces)]
    lists, missing = yield from _lists(told, str(space["id"]))
    faults += missing
    for place, list_id in lists:
        fields = yield from _listed(f"/list/{list_id}/field", "fields")
        faults += _fields(place, [RemoteField.of(one) for one in fields], custom, told)
    return list(dict.fromkeys(faults))


def _plan(team_id: str, fields: int) -> Generator[RenderedRequest, Answer, list[str]]:
    answer = yield RenderedRequest("GET", f"/api/v2/team/{team_id}/plan")
    plan = str(object_of(answer).get("plan_name") or "")
    if "free" not in plan.lower():
        return []
    return [
        f"the workspace is on the plan {plan}: it has {_FREE} values of custom fields in all (FIELD_033 afterwards), "
        f"which are {_FREE // max(fields, 1)} tasks of {fields} fields"
    ]


def _people(told: Mapping[str, Any], team: Mapping[str, Any]) -> Iterator[str]:
    users = [member.get("user") or {} for member in team.get("members") or []]
    known = [str(user.get("email") or "").lower() for user in users]
    for address in dict.fromkeys((told.get("assignees") or {}).values()):
        if str(address).lower() not in known:
            yield f"nobody in the workspace has the address {address}, to whom tasks are assigned"


def _lists(
    told: Mapping[str, Any], space_id: str
) -> Generator[RenderedRequest, Answer, tuple[list[tuple[str, str]], list[str]]]:
    """The lists that leads go to, each with where it lies, and what of them is missing."""
    folders = yield from _listed(f"/space/{space_id}/folder", "folders")
    archived = yield from _listed(f"/space/{space_id}/folder", "folders", {"archived": "true"})
    found, faults = list[tuple[str, str]](), list[str]()
    for name in dict.fromkeys((told.get("folders") or {}).values()):
        folder = _named(folders, name)
        if folder is None:
            gone = _named(archived, name)
            faults.append(f"the folder {name!r} is archived" if gone else _missing("folder", name, folders))
            continue
        lists = yield from _listed(f"/folder/{folder['id']}/list", "lists")
        one = _named(lists, told.get("list"))
        if one is not None:
            found.append((f"{name} / {one['name']}", str(one["id"])))
            continue
        old = yield from _listed(f"/folder/{folder['id']}/list", "lists", {"archived": "true"})
        if _named(old, told.get("list")) is not None:
            faults.append(
                f"the list {told.get('list')!r} of the folder {name!r} is archived: no task can be made in it"
            )
        else:
            faults.append(f"{_missing('list', told.get('list'), lists)} (folder {name!r})")
    return found, faults


def _fields(place: str, fields: Sequence[RemoteField], names: Sequence[str], told: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        try:
            field = field_named(fields, name)
        except Unfit as error:
            yield f"{place}: {error}"
            continue
        if not can_be_written(field):
            yield f"{place}: `{name}` is of type {field.type}, which is not written: make it another one"
        if field.type == "drop_down" and name == told.get("segment_field"):
            yield from _options(place, field, list(told.get("folders") or {}))
    key = str(told.get("key_field") or "")
    try:
        if field_named(fields, key).type != "short_text":
            yield f"{place}: `{key}` has to be a short text: by it a task is found again"
    except Unfit as error:
        yield f"{place}: {error}; create it as a short text: by it a task is found again"


def _options(place: str, field: RemoteField, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        try:
            field.option(value)
        except Unfit:
            known = ", ".join(name for _, name in field.options) or "none"
            yield f"{place}: `{field.name}` has no option {value!r}; it has {known}"


def _listed(path: str, name: str, query: Mapping[str, str] | None = None) -> Asking:
    answer = yield RenderedRequest("GET", f"/api/v2{path}", query=dict(query or {}))
    found = object_of(answer).get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _named(places: Sequence[Mapping[str, Any]], name: object) -> Mapping[str, Any] | None:
    """A place by its name, whatever its case, or by its number."""
    wanted = " ".join(str(name).casefold().split())
    return next(
        (one for one in places if wanted in (" ".join(str(one.get("name")).casefold().split()), str(one.get("id")))),
        None,
    )


def _missing(kind: str, name: object, places: Sequence[Mapping[str, Any]]) -> str:
    return f"there is no {kind} {str(name)!r}: {instead(str(name), [str(one.get('name')) for one in places])}"
