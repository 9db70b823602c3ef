"""ClickUp's API v2: places, custom fields, tasks, comments and webhooks of one workspace per token.

developer.clickup.com (OpenAPI) and reports of the field. The token stands in `Authorization` without `Bearer`. Creating
takes `markdown_content`; `PUT` leaves custom fields out with a 200; a field written to a deleted task is a 200 too.
Every answer tells the limit (`X-RateLimit-*`, reset in seconds since 1970). A missing permission is a 401.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.clickup import changes
from enrichment_assets.sandbox.clickup.acting import act
from enrichment_assets.sandbox.clickup.changes import Told, list_of, task_of
from enrichment_assets.sandbox.clickup.layout import fresh_workspace
from enrichment_assets.sandbox.clickup.refusals import error, no_access, no_task, refused, wrong
from enrichment_assets.sandbox.clickup.search import found_tasks
from enrichment_assets.sandbox.clickup.shapes import (
    field_shape,
    folder_shape,
    list_shape,
    person_shape,
    space_shape,
    task_shape,
    webhook_shape,
)
from enrichment_assets.sandbox.clickup.webhooks import EVENTS, messages
from enrichment_assets.sandbox.clickup.workspace import Webhook, Workspace
from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.providers.base import SimulatedProvider, whole_seconds

MINUTE = 60.0
PER_MINUTE = 100

Answered = tuple[Any, list[Told]]
Handler = Callable[[Workspace, Call, tuple[str, ...]], Answered]


class ClickUp(SimulatedProvider):
    """Everything below `/clickup/api/v2/...`."""

    name = "clickup"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"*": f"{PER_MINUTE}/m"}

    def __init__(self) -> None:
        self.workspaces: dict[str, Workspace] = {}

    def question(self, call: Call) -> Question:
        """One call; what it does is done when it is answered."""
        operation, handler, ids = _route_of(call)
        about = "&".join(f"{name}={value}" for name, value in sorted(call.query.items()))
        identity = f"{call.method} {call.path}?{about} {call.body.decode('utf-8', 'replace')}"
        return Question(operation, identity, lambda: self._answer(call, handler, ids))

    def _answer(self, call: Call, handler: Handler, ids: tuple[str, ...]) -> Reply:
        workspace = self._workspace(call.population, call.key)
        content, happened = handler(workspace, call, ids)
        reply = Reply(204, b"") if content is None else json_reply(200, content)
        reply.callbacks = tuple(messages(workspace, happened))
        return reply

    def happen(self, population: Population, told: Mapping[str, Any]) -> Reply:
        """A person does something by hand (`sandbox.clickup.acting`): `{"action": "status", "task": ..., ...}`."""
        token = str(told.get("workspace") or next(iter(self.workspaces), "pk_sandbox"))
        workspace = self._workspace(population, token)
        try:
            content, happened = act(workspace, str(told.get("action")), told)
        except KeyError as missing:
            raise ValueError(f"there is no {missing}") from missing
        return json_reply(200, content, callbacks=tuple(messages(workspace, happened)))

    def _workspace(self, population: Population, token: str) -> Workspace:
        known = self.workspaces.get(token)
        if known is None:
            known = self.workspaces[token] = fresh_workspace(population.seed, token)
        return known

    def key(self, call: Call) -> str:
        """A personal token as it is; one of OAuth may have `Bearer` before it."""
        return call.headers.get("authorization", "").removeprefix("Bearer ").strip()

    def unauthorised(self, call: Call) -> Reply:
        """401 with a code of OAUTH, unlike a missing permission."""
        if not call.key:
            return error(400, "OAUTH_017", "Authorization header required")
        return error(401, "OAUTH_025", "Token invalid")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429; when it is over stands in `X-RateLimit-Reset`, and nowhere else."""
        reply = error(429, "APP_002", "Rate limit reached")
        reply.headers["x-ratelimit-reset"] = str(int(time.time()) + int(whole_seconds(retry_after)))
        return reply

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in its error shape."""
        return error(status, "APP_003", "Internal server error")

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """What is left of the minute."""
        wait = MINUTE if room.retry_after is None else room.retry_after
        return {
            "x-ratelimit-limit": str(PER_MINUTE),
            "x-ratelimit-remaining": str(room.remaining.get(MINUTE, PER_MINUTE - 1)),
            "x-ratelimit-reset": str(int(time.time()) + int(whole_seconds(wait))),
        }


def _asked(call: Call) -> dict[str, Any]:
    """The body; raises `Refusal` in ClickUp's shape for one that is no JSON object."""
    try:
        return call.json()
    except Refusal:
        raise wrong("Unable to parse JSON", "JSON_001") from None


def _user(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    return {"user": person_shape(workspace.owner)}, []


def _teams(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    members = [{"user": person_shape(one)} for one in workspace.people.values()]
    team = {"id": workspace.id, "name": workspace.name, "color": "#000", "avatar": None, "members": members}
    return {"teams": [team]}, []


def _plan(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    _team(workspace, ids[0])
    name = "Unlimited" if workspace.most_field_writes is None else "Free Forever"
    return {"plan_id": 1 if name != "Unlimited" else 2, "plan_name": name}, []


def _spaces(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    _team(workspace, ids[0])
    return {"spaces": [space_shape(one) for one in workspace.spaces.values()]}, []


def _folders(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    archived = call.query.get("archived") == "true"
    mine = [one for one in workspace.folders.values() if one.space.id == ids[0] and one.archived == archived]
    return {"folders": [folder_shape(workspace, one) for one in mine]}, []


def _lists(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    """Of a folder, or those of a space that lie in no folder."""
    archived = call.query.get("archived") == "true"
    kind, place = ids
    mine = [
        one
        for one in workspace.lists.values()
        if one.archived == archived
        and (one.folder.id if one.folder else None) == (place if kind == "folder" else None)
        and (kind == "folder" or one.space.id == place)
    ]
    return {"lists": [list_shape(one) for one in mine]}, []


def _list(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    return list_shape(list_of(workspace, ids[0])), []


def _members(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    list_of(workspace, ids[0])
    return {"members": [person_shape(one) for one in workspace.people.values()]}, []


def _fields(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    """Of a list: all that its tasks have. Of any other place: those that were made there, and no others."""
    kind, place = ids
    if kind == "list":
        return {"fields": [field_shape(one) for one in workspace.fields_of(list_of(workspace, place))]}, []
    return {"fields": [field_shape(one) for one in workspace.fields.values() if one.home == place]}, []


def _create(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    place = list_of(workspace, ids[0])
    made, told = changes.create_task(workspace, workspace.owner, place, _asked(call))
    if workspace.loses_next:
        workspace.loses_next = False
        raise refused(502, "APP_003", "Bad gateway")
    return task_shape(workspace, made), [told]


def _get(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    with_markdown = call.query.get("include_markdown_description") == "true"
    return task_shape(workspace, task_of(workspace, ids[0]), with_markdown=with_markdown), []


def _put(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    one = task_of(workspace, ids[0])
    happened = changes.update_task(workspace, workspace.owner, one, _asked(call))
    return task_shape(workspace, one), happened


def _delete(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    return None, [changes.delete_task(workspace, task_of(workspace, ids[0]))]


def _write_field(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    """POST writes a value, DELETE clears it."""
    one = workspace.tasks.get(ids[0])
    if one is None:
        raise no_task()
    if one.home.id in workspace.refused_lists:
        raise no_access()
    asked = _asked(call)
    if call.method == "POST" and "value" not in asked:
        raise wrong("Value is required", "FIELD_010")
    told = changes.set_field(workspace, workspace.owner, one, ids[1], asked.get("value"))
    return {}, [] if told is None else [told]


def _search(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    kind, place = ids
    if kind == "team":
        _team(workspace, place)
    found, is_last = found_tasks(workspace, call.query, list_of(workspace, place) if kind == "list" else None)
    with_markdown = call.query.get("include_markdown_description") == "true"
    tasks = [task_shape(workspace, one, with_markdown=with_markdown) for one in found]
    return {"tasks": tasks, "last_page": is_last}, []


def _comment(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    asked = _asked(call)
    if "comment_text" not in asked or "notify_all" not in asked:
        raise wrong("comment_text and notify_all are required", "COMM_001")
    one = task_of(workspace, ids[0])
    number, told = changes.comment_on(workspace, workspace.owner, one, str(asked["comment_text"]))
    return {"id": number, "hist_id": told.items[0]["id"], "date": int(told.items[0]["date"])}, [told]


def _comments(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    """The newest 25, or those before `start` and `start_id`."""
    comments = task_of(workspace, ids[0]).comments
    start = call.query.get("start_id")
    first = next((place + 1 for place, one in enumerate(comments) if one["id"] == start), 0)
    return {"comments": comments[first : first + 25]}, []


def _webhooks(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    _team(workspace, ids[0])
    return {"webhooks": [webhook_shape(one, with_secret=True) for one in workspace.webhooks.values()]}, []


def _add_webhook(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    _team(workspace, ids[0])
    asked = _asked(call)
    endpoint, events = _subscription(asked)
    places = ("space_id", "folder_id", "list_id", "task_id")
    place = {name: str(asked[name]) for name in places if asked.get(name) is not None}
    if any(one.endpoint == endpoint and one.place == place for one in workspace.webhooks.values()):
        raise wrong("Webhook configuration already exists", "OAUTH_171")
    number = workspace.number("webhook")
    secret = workspace.uuid("webhook secret", number).replace("-", "").upper()
    one = Webhook(workspace.uuid("webhook", number), workspace.owner, endpoint, events, secret, place)
    workspace.webhooks[one.id] = one
    return {"id": one.id, "webhook": webhook_shape(one, with_secret=True)}, []


def _put_webhook(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    """Endpoint, events and status, all three required; `active` arms a suspended one again."""
    one = _webhook(workspace, ids[0])
    asked = _asked(call)
    one.endpoint, one.events = _subscription(asked)
    if asked.get("status") not in {"active", "inactive"}:
        raise wrong("Webhook status is required", "OAUTH_173")
    one.status, one.fails = ("active", 0) if asked["status"] == "active" else ("suspended", one.fails)
    return {"id": one.id, "webhook": webhook_shape(one, with_secret=False)}, []


def _delete_webhook(workspace: Workspace, call: Call, ids: tuple[str, ...]) -> Answered:
    del workspace.webhooks[_webhook(workspace, ids[0]).id]
    return {}, []


def _subscription(asked: Mapping[str, Any]) -> tuple[str, list[str]]:
    endpoint, events = asked.get("endpoint"), asked.get("events")
    events = ["*"] if events == "*" else events
    if not isinstance(endpoint, str) or not endpoint.startswith(("http://", "https://")):
        raise wrong("Webhook endpoint is required", "OAUTH_172")
    if not isinstance(events, list) or not events or not {*events} <= {*EVENTS, "*"}:
        raise wrong("Webhook events are required", "OAUTH_172")
    return endpoint, events


def _webhook(workspace: Workspace, webhook_id: str) -> Webhook:
    if webhook_id not in workspace.webhooks:
        raise refused(404, "OAUTH_174", "Webhook not found")
    return workspace.webhooks[webhook_id]


def _team(workspace: Workspace, team_id: str) -> None:
    if team_id != workspace.id:
        raise refused(401, "OAUTH_027", "Team(s) not authorized")


def _route_of(call: Call) -> tuple[str, Handler, tuple[str, ...]]:
    """Operation, handler and the ids in the path; raises `Refusal` for a path that ClickUp does not have."""
    for method, pattern, operation, handler in _ROUTES:
        match = pattern.fullmatch(call.path.rstrip("/"))
        if match is not None and method == call.method:
            return operation, handler, match.groups()
    raise refused(404, "APP_001", "Route not found")


def _route(method: str, path: str, operation: str, handler: Handler) -> tuple[str, re.Pattern[str], str, Handler]:
    return method, re.compile("/api/v2" + path.replace("{}", "([^/]+)")), operation, handler


_ROUTES = (
    _route("GET", "/user", "user", _user),
    _route("GET", "/team", "teams", _teams),
    _route("GET", "/team/{}/plan", "plan", _plan),
    _route("GET", "/team/{}/space", "spaces", _spaces),
    _route("GET", "/space/{}/folder", "folders", _folders),
    _route("GET", "/(folder|space)/{}/list", "lists", _lists),
    _route("GET", "/list/{}", "list", _list),
    _route("GET", "/list/{}/member", "members", _members),
    _route("GET", "/(list|folder|space|team)/{}/field", "fields", _fields),
    _route("POST", "/list/{}/task", "create-task", _create),
    _route("GET", "/(list|team)/{}/task", "search-tasks", _search),
    _route("GET", "/task/{}", "task", _get),
    _route("PUT", "/task/{}", "update-task", _put),
    _route("DELETE", "/task/{}", "delete-task", _delete),
    _route("POST", "/task/{}/field/{}", "write-field", _write_field),
    _route("DELETE", "/task/{}/field/{}", "write-field", _write_field),
    _route("POST", "/task/{}/comment", "comment", _comment),
    _route("GET", "/task/{}/comment", "comments", _comments),
    _route("GET", "/team/{}/webhook", "webhooks", _webhooks),
    _route("POST", "/team/{}/webhook", "create-webhook", _add_webhook),
    _route("PUT", "/webhook/{}", "update-webhook", _put_webhook),
    _route("DELETE", "/webhook/{}", "delete-webhook", _delete_webhook),
)
