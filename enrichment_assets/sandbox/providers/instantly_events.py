"""What happens to Instantly's leads, and how webhooks are told: flat bodies without an id, signed by nobody.

A webhook is subscribed to by one name and told by another (`email_link_clicked` arrives as `link_clicked`; an
automatic reply as `auto_reply_received`, to which nobody can subscribe by name). It is tried three times in half a
minute, then disabled until it is resumed; meanwhile it is told nothing, and the list of events has nothing of it.
"""

from __future__ import annotations

from typing import Any

import orjson

from enrichment_assets.sandbox.exchange import PlannedCallback
from enrichment_assets.sandbox.outreach_state import Outreach, Record
from enrichment_assets.sandbox.providers.instantly_wire import now_text, refused

TRIES = 3
WAITS = (10.0, 20.0)
"""Seconds before the second and the third try."""

SUBSCRIBED = {"link_clicked": "email_link_clicked", "auto_reply_received": "reply_received"}
"""Name of an event in a body -> the name that is subscribed to, where they differ."""

EVENT_TYPES = (
    "all_events",
    "email_sent",
    "email_opened",
    "email_link_clicked",
    "reply_received",
    "email_bounced",
    "lead_unsubscribed",
    "campaign_completed",
    "account_error",
    "lead_neutral",
    "lead_interested",
    "lead_not_interested",
    "lead_meeting_booked",
    "lead_meeting_completed",
    "lead_closed",
    "lead_out_of_office",
    "lead_wrong_person",
    "lead_no_show",
    "supersearch_enrichment_completed",
)
INTERESTS: dict[int | None, str | None] = {
    None: "lead_neutral",
    0: "lead_out_of_office",
    1: "lead_interested",
    2: "lead_meeting_booked",
    3: "lead_meeting_completed",
    4: "lead_closed",
    -1: "lead_not_interested",
    -2: "lead_wrong_person",
    -3: None,
    -4: "lead_no_show",
}
"""Interest of a lead -> the event that webhooks are told; a lost one is told to nobody."""

_MAILS = {"sent": "email_sent", "replied": "reply_received", "auto_replied": "auto_reply_received"}
HAPPENINGS = (*_MAILS, "opened", "clicked", "out_of_office", "bounced", "unsubscribed", "interest")


def happened(state: Outreach, told: Record) -> tuple[Record, list[PlannedCallback]]:
    """Something happens to a lead.

    Args:
        state: Of the workspace.
        told: `email`, `event` (one of `HAPPENINGS`), and as it fits `campaign`, `text`, `interest`, `step`, `variant`.

    Returns:
        The lead as it is then, and what webhooks are told.
    """
    leads = state.leads_of(str(told.get("email")), told.get("campaign"))
    event = told.get("event")
    if not leads or event not in HAPPENINGS:
        known = ", ".join(HAPPENINGS)
        raise refused(404, f"no such lead, or no such event: there are {known}")
    lead = leads[0]
    if event in _MAILS:
        return lead, _mailed(state, lead, event, told)
    if event == "out_of_office":
        return lead, [*_mailed(state, lead, "auto_replied", told), *interest_changed(state, lead, 0)]
    if event == "interest":
        return lead, interest_changed(state, lead, told.get("interest"))
    if event == "bounced":
        lead["status"] = -1
        return lead, told_to(state, "email_bounced", lead, _step(told))
    if event == "unsubscribed":
        lead["status"] = -2
        return lead, told_to(state, "lead_unsubscribed", lead, {})
    counter = {"opened": "email_open_count", "clicked": "email_click_count"}[event]
    lead[counter] += 1
    name = {"opened": "email_opened", "clicked": "link_clicked"}[event]
    return lead, told_to(state, name, lead, _step(told))


def interest_changed(state: Outreach, lead: Record, value: int | None) -> list[PlannedCallback]:
    """A lead's interest is another one now."""
    if value not in INTERESTS:
        raise refused(400, "body/interest_value must be one of the workspace's statuses")
    lead["lt_interest_status"] = value
    lead["timestamp_last_interest_change"] = now_text()
    event = INTERESTS[value]
    return [] if event is None else told_to(state, event, lead, {})


def _mailed(state: Outreach, lead: Record, event: str, told: Record) -> list[PlannedCallback]:
    """A mail to or from a lead is in the inbox, and webhooks are told."""
    received = event != "sent"
    text = str(told.get("text") or ("Thanks, tell me more." if received else "Hello"))
    mail = {
        "id": state.uuid("email"),
        "timestamp_created": now_text(),
        "timestamp_email": now_text(),
        "message_id": f"<{state.uuid('message')}@mail.example>",
        "subject": f"{'Re: ' if received else ''}An idea for {lead.get('company_name') or 'you'}",
        "from_address_email": lead["email"] if received else "ana@try-harborline.example",
        "to_address_email_list": "ana@try-harborline.example" if received else lead["email"],
        "body": {"text": text, "html": None},
        "organization_id": lead["organization"],
        "campaign_id": lead["campaign"],
        "lead": lead["email"],
        "lead_id": lead["id"],
        "eaccount": "ana@try-harborline.example",
        "ue_type": 2 if received else 1,
        "step": "0_0_0",
        "is_unread": 1,
        "is_auto_reply": None,
        "i_status": 0 if event == "auto_replied" else None,
        "thread_id": state.uuid("thread"),
    }
    state.emails.append(mail)
    if event == "replied":
        lead["email_reply_count"] += 1
        lead["timestamp_last_reply"] = mail["timestamp_email"]
        lead["status"] = 3
    reply = {"reply_subject": mail["subject"], "reply_text": text, "reply_text_snippet": text[:80]} if received else {}
    about = {"email_account": mail["eaccount"], "email_id": mail["id"], **_step(told), **reply}
    return told_to(state, _MAILS[event], lead, about)


def told_to(state: Outreach, event: str, lead: Record, about: Record) -> list[PlannedCallback]:
    """What each webhook that wants to know is told, and the list of events with it."""
    campaign = state.campaigns.get(lead["campaign"] or "", {})
    body = {
        **lead["payload"],
        "timestamp": now_text(),
        "event_type": event,
        "workspace": lead["organization"],
        "campaign_id": lead["campaign"],
        "campaign_name": campaign.get("name"),
        "lead_email": lead["email"],
        "email": lead["email"],
        **about,
    }
    wanted = {"all_events", SUBSCRIBED.get(event, event)}
    hooks = [
        hook
        for hook in state.webhooks.values()
        if hook["status"] == 1 and hook["event_type"] in wanted and hook.get("campaign") in {None, lead["campaign"]}
    ]
    return [_try(state, hook, body, state.uuid("retry group"), 0) for hook in hooks]


def _try(state: Outreach, hook: Record, body: Record, group: str, number: int) -> PlannedCallback:
    """One try to tell a webhook; what it answers goes into the list of events, and may bring the next one."""

    def answered(status: int | None) -> PlannedCallback | None:
        worked = status is not None and 200 <= status < 300
        again = not worked and number + 1 < TRIES
        state.events.append(
            {
                "id": state.uuid("webhook event"),
                "timestamp_created": now_text(),
                "webhook_url": hook["target_hook_url"],
                "status_code": status,
                "success": worked,
                "retry_count": number,
                "will_retry": again,
                "retry_group_id": group,
                "retry_successful": worked if number else None,
                "payload": body,
            }
        )
        if not worked and not again:
            hook["status"] = -1
            hook["timestamp_error"] = now_text()
        return _try(state, hook, body, group, number + 1) if again else None

    after = WAITS[number - 1] if number else 0.0
    headers = {str(name): str(value) for name, value in (hook.get("headers") or {}).items()}
    raw, identity = orjson.dumps(body), f"{group}/{number}"
    return PlannedCallback(hook["target_hook_url"], raw, identity, after, headers=headers, answered=answered)


def _step(told: Record) -> dict[str, Any]:
    return {"step": told.get("step", 1), "variant": told.get("variant", 1)}
