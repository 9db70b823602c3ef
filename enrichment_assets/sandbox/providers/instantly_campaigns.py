"""Instantly's campaigns: made as drafts, changed, activated and stopped, and why one does not send.

A member that it does not know is a 400, and so is a time zone that is not in its list. Only the first sequence is kept.
A campaign that is made twice is there twice: there is no key to be known by.
"""

from __future__ import annotations

import re
from typing import Any

from enrichment_assets.domain.outreach.time_zones import INSTANTLY_ZONES
from enrichment_assets.sandbox.exchange import Call, Reply, json_reply
from enrichment_assets.sandbox.outreach import Workspace
from enrichment_assets.sandbox.outreach_state import Outreach, Record
from enrichment_assets.sandbox.providers.instantly_figures import campaign_record
from enrichment_assets.sandbox.providers.instantly_wire import asked_page, body_of, now_text, refused

_DOCUMENTED = """
    name pl_value is_evergreen campaign_schedule sequences email_gap random_wait_max text_only first_email_text_only
    email_list daily_limit stop_on_reply email_tag_list link_tracking open_tracking stop_on_auto_reply daily_max_leads
    prioritize_new_leads auto_variant_select match_lead_esp stop_for_company insert_unsubscribe_header
    allow_risky_contacts disable_bounce_protect limit_emails_per_company_override cc_list bcc_list owned_by ai_sdr_id
    provider_routing_rules
"""
_MEMBERS = frozenset(_DOCUMENTED.split())
"""What its documentation lists as the body of a campaign."""

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_UNITS = ("minutes", "hours", "days")
DRAFT, ACTIVE, PAUSED = 0, 1, 2


def list_campaigns(call: Call, workspace: Workspace, state: Outreach) -> dict[str, Any]:
    """The campaigns, the newest first; `search` looks into their names, whatever the letters."""
    found = all_campaigns(workspace, state)
    wanted = call.query.get("search", "").casefold()
    return asked_page(call, [one for one in found if wanted in one["name"].casefold()])


def all_campaigns(workspace: Workspace, state: Outreach) -> list[Record]:
    """Those that were made, the newest first, then the invented ones."""
    invented = [one.id for one in workspace.campaigns]
    made = [one for name, one in reversed(state.campaigns.items()) if name not in invented]
    old = (state.campaigns.get(one.id) or campaign_record(workspace, one) for one in workspace.campaigns)
    return [one for one in (*made, *old) if one["id"] not in state.deleted]


def get_campaign(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """One campaign."""
    found = next((one for one in all_campaigns(workspace, state) if one["id"] == name), None)
    if found is None:
        raise refused(404, "Campaign not found")
    return found


def create_campaign(call: Call, workspace: Workspace, state: Outreach) -> Record:
    """A new one, as a draft: nothing is sent."""
    body = _checked(body_of(call, _MEMBERS, ("name", "campaign_schedule")))
    record = {
        "id": state.uuid("campaign"),
        "status": DRAFT,
        "organization": workspace.uuid("organization"),
        "email_list": [],
        "sequences": [],
        **body,
        "timestamp_created": now_text(),
        "timestamp_updated": now_text(),
    }
    state.campaigns[record["id"]] = record
    return record


def change_campaign(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """Other settings; what is given takes the place of what was there, lists too."""
    return _changed(workspace, state, get_campaign(call, workspace, state, name), _checked(body_of(call, _MEMBERS)))


def activate_campaign(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """It sends from now on."""
    body_of(call, ())
    return _changed(workspace, state, get_campaign(call, workspace, state, name), {"status": ACTIVE})


def pause_campaign(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """It sends no more until it is activated again."""
    body_of(call, ())
    return _changed(workspace, state, get_campaign(call, workspace, state, name), {"status": PAUSED})


def delete_campaign(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """It is gone, and answers 404 from now on."""
    found = get_campaign(call, workspace, state, name)
    state.deleted.add(name)
    return found


def sending_status(call: Call, workspace: Workspace, state: Outreach, name: str) -> Reply:
    """Why it does not send: in `diagnostics` while it is active, else there is null, and the reason in `summary`."""
    found = get_campaign(call, workspace, state, name)
    if found["status"] != ACTIVE:
        reason = {DRAFT: "campaign_draft", PAUSED: "campaign_paused"}.get(found["status"], "campaign_completed")
        return json_reply(200, {"diagnostics": None, "summary": {"status": reason}})
    known = {one.email: one.status for one in workspace.accounts}
    if not any(known.get(address) == 1 for address in found["email_list"]):
        reason = "all_accounts_unhealthy"
    elif not any(lead["campaign"] == name and lead["status"] == 1 for lead in state.leads.values()):
        reason = "waiting_for_leads"
    else:
        reason = "healthy"
    return json_reply(200, {"diagnostics": {"status": reason, "issue_tracking": []}, "summary": {"status": reason}})


def _changed(workspace: Workspace, state: Outreach, found: Record, changes: Record) -> Record:
    changed = {**found, **changes, "timestamp_updated": now_text()}
    state.campaigns[found["id"]] = changed
    return changed


def _checked(body: Record) -> Record:
    """A body that its validation lets through, with the first sequence only."""
    for number, schedule in enumerate((body.get("campaign_schedule") or {}).get("schedules") or []):
        _check_schedule(f"body/campaign_schedule/schedules/{number}", schedule)
    if "campaign_schedule" in body and not (body["campaign_schedule"] or {}).get("schedules"):
        raise refused(400, "body/campaign_schedule/schedules must NOT have fewer than 1 items")
    if not isinstance(body.get("email_list", []), list):
        raise refused(400, "body/email_list must be array")
    sequences = body.get("sequences") or []
    for number, step in enumerate(step for one in sequences[:1] for step in one.get("steps") or []):
        _check_step(f"body/sequences/0/steps/{number}", step)
    return {**body, **({"sequences": sequences[:1]} if "sequences" in body else {})}


def _check_schedule(where: str, schedule: Record) -> None:
    missing = next((name for name in ("name", "timing", "days", "timezone") if name not in schedule), None)
    if missing is not None:
        raise refused(400, f"{where} must have required property '{missing}'")
    if schedule["timezone"] not in INSTANTLY_ZONES:
        raise refused(400, f"{where}/timezone must be equal to one of the allowed values")
    if any(not _TIME.fullmatch(str(schedule["timing"].get(name, ""))) for name in ("from", "to")):
        raise refused(400, f'{where}/timing/from must match pattern "^([01][0-9]|2[0-3]):([0-5][0-9])$"')
    days = schedule["days"]
    if not days or not all(name in set("0123456") and isinstance(value, bool) for name, value in days.items()):
        raise refused(400, f"{where}/days must NOT have additional properties")


def _check_step(where: str, step: Record) -> None:
    for name in ("type", "delay", "variants"):
        if name not in step:
            raise refused(400, f"{where} must have required property '{name}'")
    if step["type"] != "email":
        raise refused(400, f"{where}/type must be equal to one of the allowed values")
    if isinstance(step["delay"], bool) or not isinstance(step["delay"], int | float):
        raise refused(400, f"{where}/delay must be number")
    if step.get("delay_unit", "days") not in _UNITS:
        raise refused(400, f"{where}/delay_unit must be equal to one of the allowed values")
    if not all({"subject", "body"} <= variant.keys() for variant in step["variants"]):
        raise refused(400, f"{where}/variants/0 must have required property 'body'")
