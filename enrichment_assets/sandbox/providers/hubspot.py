"""HubSpot's CRM: contacts and companies, their properties, associations. An account for each private app's token.

The same routes stand at the dated paths (`/crm/objects/2026-03/...`) and at those of v3, which HubSpot calls legacy.
A batch in which every input has an `objectWriteTraceId` is answered 207 where some failed, and an error has that id in
its `context`; without the ids one bad input fails the whole request with a 400. A batch by e-mail is never partial.
Results come in another order than the inputs. Properties that are not unique cannot be upserted by, and a company's
domain is not. A token written `name+crm.objects.contacts.write+...` has these scopes only; one that has run out of its
quota has reached the account's daily limit (429, `policyName: DAILY`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from enrichment_assets.sandbox.crm.hubspot_shapes import error, limit, missing_scope, shown, spec, wrong_input
from enrichment_assets.sandbox.crm.hubspot_shapes import told as error_body
from enrichment_assets.sandbox.crm.portal import Conflict, InvalidValue, Portal, Record, repeated
from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer

MOST = 100
"""Inputs of one batch."""

WINDOW = 10.0
_KINDS = "contacts|companies"
_OBJECTS = rf"/crm/(?:v3/objects|objects/2026-03)/(?P<kind>{_KINDS})"
_PROPERTIES = rf"/crm/(?:v3/properties|properties/2026-03)/(?P<kind>{_KINDS})"
_ASSOCIATE = (
    rf"/crm/(?:v4/associations|associations/2026-03)/(?P<kind>{_KINDS})/(?P<other>{_KINDS})/batch/associate/default"
)
Answer = Callable[[Call, Portal, Mapping[str, str]], Reply]


class HubSpot(SimulatedProvider):
    """Everything below `/hubspot/crm/...`."""

    name = "hubspot"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "19/s"}
    """HubSpot counts 190 calls in any ten seconds."""

    def __init__(self) -> None:
        self.portals: dict[str, Portal] = {}

    def question(self, call: Call) -> Question:
        """Any route of the CRM; each costs one call of the day."""
        for method, pattern, scope, answer in _ROUTES:
            found = re.fullmatch(pattern, call.path.rstrip("/")) if method == call.method else None
            if found is None:
                continue
            self._may(call, scope.format(**found.groupdict()))
            portal = self.portals.setdefault(call.key.partition("+")[0], Portal())
            work = partial(_answered, answer, call, portal, found.groupdict())
            about = f"{call.method} {call.path} {sorted(call.query.items())} {call.body.decode('utf-8', 'replace')}"
            return Question(answer.__name__.strip("_"), about, work)
        raise Refusal(error(404, "OBJECT_NOT_FOUND", f"No such route: {call.method} {call.path}"))

    def key(self, call: Call) -> str:
        """The private app's token."""
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 for a token that is not known."""
        message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
        return error(401, "INVALID_AUTHENTICATION", message)

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 of the ten seconds; no header says when to come back."""
        return limit("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.")

    def exhausted(self, call: Call) -> Reply:
        """429 of the day, the same status."""
        return limit("DAILY", "You have reached your daily limit.")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in its error shape."""
        return error(status, "INTERNAL_ERROR", "internal error")

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """What is left of ten seconds and of the day."""
        left = next(iter(room.remaining.values()), 189)
        return {
            "x-hubspot-ratelimit-max": "190",
            "x-hubspot-ratelimit-remaining": str(left),
            "x-hubspot-ratelimit-interval-milliseconds": str(int(WINDOW * 1000)),
            "x-hubspot-ratelimit-daily": "650000",
            "x-hubspot-ratelimit-daily-remaining": "649000",
        }

    def _may(self, call: Call, scope: str) -> None:
        _, plus, scopes = call.key.partition("+")
        if plus and scope not in scopes.split("+"):
            raise Refusal(missing_scope(scope))


def _answered(answer: Answer, call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    reply = answer(call, portal, groups)
    reply.charges = (Charge("calls", Decimal(1)),)
    return reply


def _upsert(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind, inputs = groups["kind"], _inputs(call)
    properties = {str(one.get("idProperty") or "") for one in inputs}
    by = properties.pop() if len(properties) == 1 else ""
    known = portal.properties[kind].get(by)
    if known is None or not known.unique:
        number = {"contacts": "0-1", "companies": "0-2"}[kind]
        message = f"Unable to perform update/upsert by non-unique {number} property {by or '(none)'}"
        raise Refusal(error(400, "VALIDATION_ERROR", message))
    _refuse_repeated([str(one.get("id")) for one in inputs])

    def one(told: Mapping[str, Any]) -> tuple[Record, bool]:
        values = portal.checked(kind, {by: told["id"], **(told.get("properties") or {})})
        record = portal.find(kind, values[by], by)
        if record is None:
            return portal.create(kind, values), True
        return portal.update(kind, record, values), False

    return _batch(portal, inputs, one, is_partial=by != "email")


def _update(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind, inputs = groups["kind"], _inputs(call)

    def one(told: Mapping[str, Any]) -> tuple[Record, bool]:
        values = portal.checked(kind, told.get("properties") or {})
        record = portal.find(kind, str(told.get("id")), told.get("idProperty"))
        if record is None:
            raise KeyError(str(told.get("id")))
        return portal.update(kind, record, values), False

    return _batch(portal, inputs, one, is_partial=True)


def _create(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind = groups["kind"]

    def one(told: Mapping[str, Any]) -> tuple[Record, bool]:
        return portal.create(kind, portal.checked(kind, told.get("properties") or {})), True

    return _batch(portal, _inputs(call), one, is_partial=True, created=True)


def _batch(
    portal: Portal,
    inputs: list[dict[str, Any]],
    work: Callable[[Mapping[str, Any]], tuple[Record, bool]],
    *,
    is_partial: bool,
    created: bool = False,
) -> Reply:
    """Results in another order than the inputs; what failed, where that may stand beside what did not."""
    is_partial = is_partial and all(one.get("objectWriteTraceId") for one in inputs)
    before = None if is_partial else portal.kept()
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for told in inputs:
        trace = told.get("objectWriteTraceId")
        try:
            record, new = work(told)
        except (InvalidValue, Conflict, KeyError) as wrong:
            body = wrong_input(wrong)
            if before is not None:
                portal.restore(before)
                raise Refusal(json_reply(409 if isinstance(wrong, Conflict) else 400, body)) from wrong
            errors.append(body | {"context": {**body.get("context", {}), "objectWriteTraceId": [str(trace)]}})
            continue
        about = {} if created else {"new": new}
        results.append(shown(record) | about | ({"objectWriteTraceId": str(trace)} if trace else {}))
    moments = {"startedAt": "2026-03-01T00:00:00.000Z", "completedAt": "2026-03-01T00:00:00.100Z"}
    whole: dict[str, Any] = {"status": "COMPLETE", "results": results[::-1], **moments}
    if errors:
        return json_reply(207, {**whole, "numErrors": len(errors), "errors": errors})
    return json_reply(201 if created else 200, whole)


def _read(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind, asked = groups["kind"], call.json()
    inputs = [str(one.get("id")) for one in _inputs(call)]
    found = [(value, portal.find(kind, value, asked.get("idProperty"))) for value in inputs]
    lost = [value for value, record in found if record is None]
    records = {record.id: record for _, record in found if record is not None}
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": [shown(one, asked.get("properties")) for one in reversed(records.values())],
    }
    if not lost:
        return json_reply(200, body)
    lacking = error_body("OBJECT_NOT_FOUND", "Could not get some CONTACT objects, they may be deleted or not exist.")
    return json_reply(207, {**body, "numErrors": 1, "errors": [{**lacking, "context": {"ids": lost}}]})


def _get(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    record = _record(portal, groups["kind"], groups["id"], call.query.get("idProperty"))
    return json_reply(200, shown(record, _names(call)))


def _list(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    limit, after = int(call.query.get("limit", "10")), int(call.query.get("after", "0"))
    records = sorted(portal.records[groups["kind"]].values(), key=lambda one: int(one.id))
    later = [one for one in records if int(one.id) > after]
    more = {"paging": {"next": {"after": later[limit - 1].id, "link": ""}}} if len(later) > limit else {}
    return json_reply(200, {"results": [shown(one, _names(call)) for one in later[:limit]], **more})


def _create_one(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    values = _values(portal, groups["kind"], call)
    return json_reply(201, shown(_unless_taken(lambda: portal.create(groups["kind"], values))))


def _update_one(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind = groups["kind"]
    values = _values(portal, kind, call)
    record = _record(portal, kind, groups["id"], call.query.get("idProperty"))
    return json_reply(200, shown(_unless_taken(lambda: portal.update(kind, record, values))))


def _delete(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    portal.delete(groups["kind"], groups["id"])
    return Reply(204, b"")


def _merge(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind, told = groups["kind"], call.json()
    kept, gone = (_record(portal, kind, str(told.get(name))) for name in ("primaryObjectId", "objectIdToMerge"))
    return json_reply(200, shown(portal.merge(kind, kept, gone)))


def _properties(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    return json_reply(200, {"results": [one.shown() for one in portal.properties[groups["kind"]].values()]})


def _property(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    known = portal.properties[groups["kind"]].get(groups["id"])
    if known is None:
        raise Refusal(error(404, "OBJECT_NOT_FOUND", f"{groups['id']} does not exist."))
    return json_reply(200, known.shown())


def _define(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    try:
        return json_reply(201, portal.define(groups["kind"], call.json()).shown())
    except InvalidValue as wrong:
        raise Refusal(json_reply(409 if wrong.code == "PROPERTY_EXISTS" else 400, wrong_input(wrong))) from wrong


def _associate(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind, other = groups["kind"], groups["other"]
    results, lost = [], []
    for told in _inputs(call):
        one, two = (portal.find(of, str(told[end]["id"])) for of, end in ((kind, "from"), (other, "to")))
        if one is None or two is None:
            lost.append(str(told["from"]["id"] if one is None else told["to"]["id"]))
            continue
        portal.associations.add((kind, one.id, other, two.id))
        results.append({"from": {"id": one.id}, "to": {"id": two.id}, "associationSpec": spec(kind)})
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    if not lost:
        return json_reply(200, body)
    lacking = error_body("OBJECT_NOT_FOUND", "One or more of the objects do not exist.") | {"context": {"ids": lost}}
    return json_reply(207, {**body, "numErrors": 1, "errors": [lacking]})


def _associated(call: Call, portal: Portal, groups: Mapping[str, str]) -> Reply:
    kind, other = groups["kind"], groups["other"]
    ends = [two for of, one, to, two in sorted(portal.associations) if (of, one, to) == (kind, groups["id"], other)]
    types = [{"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}]
    return json_reply(200, {"results": [{"toObjectId": int(one), "associationTypes": types} for one in ends]})


_WRITE, _READ = "crm.objects.{kind}.write", "crm.objects.{kind}.read"
_ROUTES: tuple[tuple[str, str, str, Answer], ...] = (
    ("POST", f"{_OBJECTS}/batch/upsert", _WRITE, _upsert),
    ("POST", f"{_OBJECTS}/batch/update", _WRITE, _update),
    ("POST", f"{_OBJECTS}/batch/create", _WRITE, _create),
    ("POST", f"{_OBJECTS}/batch/read", _READ, _read),
    ("POST", f"{_OBJECTS}/merge", _WRITE, _merge),
    ("GET", _OBJECTS, _READ, _list),
    ("POST", _OBJECTS, _WRITE, _create_one),
    ("GET", rf"{_OBJECTS}/(?P<id>[^/]+)", _READ, _get),
    ("PATCH", rf"{_OBJECTS}/(?P<id>[^/]+)", _WRITE, _update_one),
    ("DELETE", rf"{_OBJECTS}/(?P<id>\d+)", _WRITE, _delete),
    ("GET", _PROPERTIES, "crm.schemas.{kind}.read", _properties),
    ("GET", rf"{_PROPERTIES}/(?P<id>[^/]+)", "crm.schemas.{kind}.read", _property),
    ("POST", _PROPERTIES, "crm.schemas.{kind}.write", _define),
    ("POST", _ASSOCIATE, _WRITE, _associate),
    ("GET", rf"/crm/v4/objects/(?P<kind>{_KINDS})/(?P<id>\d+)/associations/(?P<other>{_KINDS})", _READ, _associated),
)


def _inputs(call: Call) -> list[dict[str, Any]]:
    inputs = call.json().get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise Refusal(error(400, "VALIDATION_ERROR", "Invalid input JSON: inputs is required"))
    if len(inputs) > MOST:
        message = f"The maximum number of inputs supported in a batch request for property batch operations is {MOST}."
        raise Refusal(error(400, "VALIDATION_ERROR", message))
    return inputs


def _refuse_repeated(ids: list[str]) -> None:
    if twice := repeated(ids):
        message = f"Duplicate IDs found in batch input: {twice}. IDs must be unique"
        raise Refusal(error(400, "VALIDATION_ERROR", message))


def _values(portal: Portal, kind: str, call: Call) -> dict[str, str]:
    try:
        return portal.checked(kind, call.json().get("properties") or {})
    except InvalidValue as wrong:
        raise Refusal(json_reply(400, wrong_input(wrong))) from wrong


def _unless_taken(work: Callable[[], Record]) -> Record:
    try:
        return work()
    except Conflict as taken:
        raise Refusal(json_reply(409, wrong_input(taken))) from taken


def _record(portal: Portal, kind: str, value: str, by: str | None = None) -> Record:
    found = portal.find(kind, value, by)
    if found is None:
        raise Refusal(error(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric."))
    return found


def _names(call: Call) -> list[str] | None:
    asked = call.query.get("properties")
    return asked.split(",") if asked else None
