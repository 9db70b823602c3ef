"""What each route does: read what was sent, call one service, give its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from enrichment_assets.services.access import api_keys, logging_in, users
from enrichment_assets.services.batches import status
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.insight.lead_pages import MOST, lead_page
from enrichment_assets.services.operations import holding
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.services.shapes import access as access_shapes
from enrichment_assets.services.shapes import batches as batch_shapes
from enrichment_assets.services.shapes import history as history_shapes
from enrichment_assets.services.shapes import holds as hold_shapes
from enrichment_assets.services.shapes.leads import Row
from enrichment_assets.services.shapes.operations import Retry
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.doors import forget_session, keep_session
from enrichment_assets.web.api.paging import MOST as MOST_BATCHES
from enrichment_assets.web.api.paging import NAMES, asked_page, page

Answer = Shape | Mapping[str, Any] | list[Any]


def me(call: Call) -> Answer:
    """Who asks, and what they may."""
    call.checked()
    return access_shapes.Caller.of(call.known)


def list_batches(call: Call) -> Answer:
    """The newest batches, of a client or of all."""
    limit, after = call.number("limit", 100, MOST_BATCHES), call.word("after")
    call.checked(*NAMES)
    found = status.overview(call.hq, call.settings, call.client, limit + 1, after=after)
    return page(map(batch_shapes.Batch.of, found[:limit]), found[limit - 1].batch if len(found) > limit else None)


def get_batch(call: Call) -> Answer:
    """Where a batch stands, and why."""
    call.checked()
    return batch_shapes.Batch.of(status.status(call.hq, call.settings, call.path["batch"]))


def pause_batch(call: Call) -> Answer:
    """See that no call of a batch leaves until it is resumed."""
    workflow, reason = call.text("workflow"), call.text("reason") or ""
    call.checked("workflow", "reason")
    report = holding.pause(call.hq, call.path["batch"], actor=call.known.actor, workflow=workflow, reason=reason)
    return hold_shapes.HoldChange.of(report)


def resume_batch(call: Call) -> Answer:
    """Let what was paused go on."""
    workflow = call.text("workflow")
    call.checked("workflow")
    report = holding.resume(call.hq, call.path["batch"], actor=call.known.actor, workflow=workflow)
    return hold_shapes.HoldChange.of(report)


def cancel_batch(call: Call) -> Answer:
    """End what was not sent of a batch."""
    workflow, reason = call.text("workflow"), call.text("reason") or ""
    call.checked("workflow", "reason")
    report = holding.cancel(call.hq, call.path["batch"], actor=call.known.actor, workflow=workflow, reason=reason)
    return hold_shapes.HoldChange.of(report)


def retry_batch(call: Call) -> Answer:
    """Ask again what failed or was cancelled."""
    workflow, dry_run = call.text("workflow"), call.flag("dry_run")
    call.checked("workflow", "dry_run")
    report = retry(
        call.hq,
        call.settings,
        call.path["batch"],
        actor=call.known.actor,
        workflow=workflow,
        dry_run=dry_run is True,
    )
    return Retry.of(report)


def list_leads(call: Call) -> Answer:
    """The leads of a batch as they were last extracted."""
    after, limit = call.number("after", 0), call.number("limit", 100, MOST)
    call.checked("after", "limit")
    found = lead_page(call.hq, call.settings, call.client or "", call.path["batch"], after=after, limit=limit)
    return page(Row.all_of(found.columns, found.rows), found.next)


def edit(call: Call) -> Answer:
    """Correct one value of a lead; without a value it is emptied."""
    item, name = call.path_number("item"), call.text("field", needed=True) or ""
    value, note = call.text("value"), call.text("note")
    call.checked("field", "value", "note")
    actor = call.known.actor
    made = edit_lead(
        call.hq, call.settings, call.path["batch"], item, name, value, actor=actor, by=actor.name, note=note
    )
    return {"edit_id": made}


def audit(call: Call) -> Answer:
    """Who changed what, the latest first."""
    after, limit, since = call.number("after", 0) or None, call.number("limit", 100, 1_000), call.time("since")
    actor, code = call.word("actor"), call.word("code")
    call.checked(*NAMES, "since", "actor", "code")
    found = list_history(
        call.hq,
        client=call.client,
        actor=actor,
        code=code,
        since=since,
        before=after,
        limit=limit + 1,
    )
    shapes = map(history_shapes.OperatorAction.of, found[:limit])
    return page(shapes, found[limit - 1].id if len(found) > limit else None)


def list_users(call: Call) -> Answer:
    """Who logs in, and what they are."""
    asked = asked_page(call)
    call.checked(*NAMES)
    return asked.of(users.list_users(call.hq), lambda one: (one.login,), access_shapes.User.of)


def list_keys(call: Call) -> Answer:
    """All keys, without their secrets."""
    asked = asked_page(call)
    call.checked(*NAMES)
    return asked.of(api_keys.list_keys(call.hq), lambda one: (one.name,), access_shapes.ApiKey.of)


def log_in(call: Call) -> logging_in.LoggedIn:
    """Let somebody in."""
    login, password = call.text("login", needed=True) or "", call.text("password", needed=True) or ""
    code = call.text("code") or ""
    call.checked("login", "password", "code")
    attempt = logging_in.Attempt(login, password, code, call.address, call.device)
    return logging_in.log_in(call.hq, call.signing, attempt)


def log_out(call: Call) -> Answer:
    """Let the browser forget the session."""
    call.checked()
    return {}


def set_password(call: Call) -> Answer:
    """Set a password by its one-time token."""
    token, password = call.text("token", needed=True) or "", call.text("password", needed=True) or ""
    call.checked("token", "password")
    return {"login": users.set_password(call.hq, token, password)}


def cookies(handler: object, request: Request, response: Response, made: Any) -> None:
    """What the browser keeps, or forgets, of an answer."""
    if isinstance(made, logging_in.LoggedIn):
        keep_session(request, response, made)
    elif handler is log_out:
        forget_session(response)
