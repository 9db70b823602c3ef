"""Instantly's webhooks, the list of what they were told, and the mails of its inbox."""

from __future__ import annotations

from typing import Any

from enrichment_assets.sandbox.exchange import Call, Reply, json_reply
from enrichment_assets.sandbox.outreach import Workspace
from enrichment_assets.sandbox.outreach_state import Outreach, Record
from enrichment_assets.sandbox.providers.instantly_events import EVENT_TYPES
from enrichment_assets.sandbox.providers.instantly_wire import (
    asked_page,
    body_of,
    now_text,
    refused,
    without_nulls,
)

_MEMBERS = frozenset({"target_hook_url", "event_type", "campaign", "name", "headers", "custom_interest_value"})


def list_webhooks(call: Call, workspace: Workspace, state: Outreach) -> dict[str, Any]:
    """The webhooks."""
    return asked_page(call, list(state.webhooks.values()))


def event_types(call: Call, workspace: Workspace, state: Outreach) -> Reply:
    """What can be subscribed to."""
    return json_reply(200, {"event_types": [{"id": name, "label": name} for name in EVENT_TYPES]})


def create_webhook(call: Call, workspace: Workspace, state: Outreach) -> Record:
    """A new one. It has no secret: what proves a call is the `headers` that the caller makes up."""
    body = _checked(body_of(call, _MEMBERS, ("target_hook_url",)))
    hook = {
        "id": state.uuid("webhook"),
        "organization": workspace.uuid("organization"),
        "campaign": None,
        "event_type": None,
        "headers": None,
        **body,
        "status": 1,
        "timestamp_created": now_text(),
    }
    state.webhooks[hook["id"]] = hook
    return hook


def get_webhook(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """One webhook; `status` -1: it was disabled after it could not be told something three times."""
    if name not in state.webhooks:
        raise refused(404, "Webhook not found")
    return state.webhooks[name]


def change_webhook(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """Other settings."""
    found = get_webhook(call, workspace, state, name)
    found |= _checked(body_of(call, _MEMBERS))
    return found


def delete_webhook(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """It is gone."""
    get_webhook(call, workspace, state, name)
    return state.webhooks.pop(name)


def resume_webhook(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """A disabled one is told again; what happened meanwhile it is not."""
    found = get_webhook(call, workspace, state, name)
    found |= {"status": 1, "timestamp_error": None}
    return found


def list_events(call: Call, workspace: Workspace, state: Outreach) -> dict[str, Any]:
    """Every try to tell a webhook, the newest first; `success`, `from` and `to` narrow it."""
    first, last = call.query.get("from", ""), call.query.get("to", "9999")
    success = call.query.get("success")
    found = [
        one
        for one in reversed(state.events)
        if first <= one["timestamp_created"] <= last and success in {None, str(one["success"]).lower()}
    ]
    return asked_page(call, found)


def list_emails(call: Call, workspace: Workspace, state: Outreach) -> dict[str, Any]:
    """The mails of the inbox, the newest first. `lead_id` is taken and not looked at; what is null is left out."""
    kind = {"received": {2}, "sent": {1}, "manual": {3}}.get(call.query.get("email_type", ""), {1, 2, 3})
    found = [
        without_nulls(mail)
        for mail in reversed(state.emails)
        if mail["ue_type"] in kind
        and call.query.get("campaign_id") in {None, mail["campaign_id"]}
        and call.query.get("lead") in {None, mail["lead"]}
    ]
    return asked_page(call, found)


def _checked(body: Record) -> Record:
    if body.get("event_type") not in {None, *EVENT_TYPES}:
        raise refused(400, "body/event_type must be equal to one of the allowed values")
    if "target_hook_url" in body and not str(body["target_hook_url"]).startswith(("http://", "https://")):
        raise refused(400, 'body/target_hook_url must match format "uri"')
    return body
