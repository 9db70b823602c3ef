"""Instantly's leads and its block list.

Many are added at a time (1,000), and the answer counts what became of them: who was added is named, with the place in
the request, and why another was not is only counted. A lead is looked up by `search`: the filter by interest is taken
and not looked at.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from enrichment_assets.sandbox.exchange import Call, Charge, Reply, json_reply
from enrichment_assets.sandbox.outreach import Workspace
from enrichment_assets.sandbox.outreach_state import Outreach, Record
from enrichment_assets.sandbox.providers.instantly_campaigns import get_campaign
from enrichment_assets.sandbox.providers.instantly_events import interest_changed
from enrichment_assets.sandbox.providers.instantly_wire import (
    asked_page,
    body_of,
    is_address,
    now_text,
    page,
    refused,
)

MOST = 1_000
_OWN = ("email", "first_name", "last_name", "company_name", "job_title", "phone", "website", "personalization")
_LEAD = frozenset({*_OWN, "custom_variables", "lt_interest_status", "pl_value_lead", "assigned_to"})
_ADD = frozenset(
    [
        "campaign_id",
        "list_id",
        "leads",
        "blocklist_id",
        "assigned_to",
        "verify_leads_on_import",
        "skip_if_in_workspace",
        "skip_if_in_campaign",
        "skip_if_in_list",
    ]
)
_FILTERS = """
    search filter campaign list_id in_campaign in_list ids queries excluded_ids contacts limit starting_after
    organization_user_ids smart_view_id is_website_visitor distinct_contacts enrichment_status esg_code
    interest_status
"""
_LIST = frozenset(_FILTERS.split())
_INTEREST = frozenset(
    {"lead_email", "interest_value", "campaign_id", "list_id", "ai_interest_value", "disable_auto_interest"}
)
_IN_PAYLOAD = {
    "first_name": "firstName",
    "last_name": "lastName",
    "company_name": "companyName",
    "job_title": "jobTitle",
    "phone": "phone",
    "website": "website",
    "personalization": "personalization",
}


def add_leads(call: Call, workspace: Workspace, state: Outreach) -> Reply:
    """Many at a time, into a campaign or a list."""
    body = body_of(call, _ADD, ("leads",))
    place = _place(call, workspace, state, body.get("campaign_id"), body.get("list_id"))
    leads = body["leads"]
    if not isinstance(leads, list) or not 1 <= len(leads) <= MOST:
        raise refused(400, f"body/leads must NOT have more than {MOST} items")
    for number, lead in enumerate(leads):
        _check_lead(f"body/leads/{number}", lead)
    counts = dict.fromkeys(("skipped_count", "invalid_email_count", "in_blocklist", "duplicated_leads"), 0)
    counts |= {"duplicate_email_count": 0, "incomplete_count": 0}
    created, seen = [], set[str]()
    for index, given in enumerate(leads):
        address = str(given.get("email") or "").strip()
        why = _why_not(state, place, body, address, seen)
        seen.add(address.casefold())
        if why:
            for name in why:
                counts[name] += 1
            continue
        lead = _added(workspace, state, place, {**given, "email": address})
        created.append({"index": index, "id": lead["id"], "email": address})
    answer = {
        "status": "success",
        "total_sent": len(leads),
        "leads_uploaded": len(created),
        **counts,
        "remaining_in_plan": 25_000 - len(state.leads),
        "created_leads": created,
    }
    if not body.get("verify_leads_on_import"):
        return json_reply(200, answer)
    job = _job(state, "import-leads", body.get("campaign_id") or body.get("list_id"))
    charges = tuple(Charge(one["email"], Decimal(1)) for one in created)
    return json_reply(200, {**answer, "background_job_id": job["id"]}, charges=charges)


def _why_not(state: Outreach, place: tuple[str, str], asked: Record, address: str, seen: set[str]) -> tuple[str, ...]:
    """Which counters say that a lead is not added; none: it is."""
    folded = address.casefold()
    if not is_address(address):
        return ("invalid_email_count",)
    if folded in seen:
        return ("duplicate_email_count", "skipped_count")
    if state.is_blocked(address):
        return ("in_blocklist",)
    anywhere = asked.get("skip_if_in_workspace") and state.leads_of(address)
    if anywhere or (place[1], folded) in state.members:
        return ("duplicated_leads", "skipped_count")
    return ()


def create_lead(call: Call, workspace: Workspace, state: Outreach) -> Record:
    """One lead; whoever is in the campaign already is given back as it is."""
    body = body_of(call, _LEAD | {"campaign", *_ADD} - {"leads", "campaign_id"}, ("email",))
    place = _place(call, workspace, state, body.get("campaign"), body.get("list_id"))
    lead = {name: value for name, value in body.items() if name in _LEAD}
    _check_lead("body", lead)
    if not is_address(str(lead["email"])):
        raise refused(400, 'body/email must match format "email"')
    there = state.members.get((place[1], lead["email"].casefold()))
    return state.leads[there] if there is not None else _added(workspace, state, place, lead)


def list_leads(call: Call, workspace: Workspace, state: Outreach) -> dict[str, Any]:
    """Leads, by a body: `campaign`, `list_id`, `search` in address and names, `contacts` (addresses), `ids`."""
    body = body_of(call, _LIST) if call.body else {}
    search = str(body.get("search") or "").casefold()
    contacts = {str(one).casefold() for one in body.get("contacts") or []}
    ids = set(body.get("ids") or [])
    found = [
        lead
        for lead in state.leads.values()
        if body.get("campaign") in {None, lead["campaign"]}
        and body.get("list_id") in {None, lead["list_id"]}
        and (not contacts or lead["email"].casefold() in contacts)
        and (not ids or lead["id"] in ids)
        and any(search in str(lead.get(name) or "").casefold() for name in ("email", "first_name", "last_name"))
    ]
    limit = body.get("limit", 10)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 100:
        raise refused(400, "body/limit must be <= 100")
    return page(found, "id", limit, body.get("starting_after"))


def get_lead(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """One lead."""
    if name not in state.leads:
        raise refused(404, "Lead not found")
    return state.leads[name]


def change_lead(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """Other values; `custom_variables` take the place of all that were there."""
    lead = get_lead(call, workspace, state, name)
    body = body_of(call, _LEAD - {"email"})
    _check_lead("body", body)
    lead |= {own: body[own] for own in _OWN if own in body} | {"timestamp_updated": now_text()}
    if "custom_variables" in body:
        state.custom[name] = dict(body["custom_variables"] or {})
    lead["payload"] = _payload(lead, state.custom[name])
    return lead


def delete_lead(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """It is gone; another time it is a 404."""
    lead = get_lead(call, workspace, state, name)
    del state.leads[name], state.members[lead["campaign"] or lead["list_id"], lead["email"].casefold()]
    return lead


def update_interest(call: Call, workspace: Workspace, state: Outreach) -> Reply:
    """How interested a lead is: taken with a 202, done in the background (here at once). null: not known any more."""
    body = body_of(call, _INTEREST, ("lead_email", "interest_value"))
    leads = state.leads_of(str(body["lead_email"]), body.get("campaign_id"))
    if not leads:
        raise refused(404, "Lead not found")
    told = [one for lead in leads for one in interest_changed(state, lead, body["interest_value"])]
    return json_reply(202, {"message": "Lead interest status update background job submitted"}, callbacks=tuple(told))


def block(call: Call, workspace: Workspace, state: Outreach) -> Record:
    """Nobody writes to an address or a domain; what is blocked already keeps its id."""
    value = str(body_of(call, {"bl_value"}, ("bl_value",))["bl_value"]).strip().casefold()
    if not value or ("@" in value and not is_address(value)):
        raise refused(400, "body/bl_value must be an email or a domain")
    return state.blocked.setdefault(
        value,
        {
            "id": state.uuid("blocked"),
            "bl_value": value,
            "is_domain": "@" not in value,
            "organization_id": workspace.uuid("organization"),
            "timestamp_created": now_text(),
        },
    )


def list_blocked(call: Call, workspace: Workspace, state: Outreach) -> dict[str, Any]:
    """The block list, `search` in what is blocked, `domains_only`."""
    search = call.query.get("search", "").casefold()
    domains = call.query.get("domains_only") == "true"
    found = [one for value, one in state.blocked.items() if search in value and (one["is_domain"] or not domains)]
    return asked_page(call, found)


def unblock(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """An address may be written to again."""
    value = next((value for value, one in state.blocked.items() if one["id"] == name), None)
    if value is None:
        raise refused(404, "Block list entry not found")
    return state.blocked.pop(value)


def get_job(call: Call, workspace: Workspace, state: Outreach, name: str) -> Record:
    """A background job: still at work when it is looked at first, done after that."""
    if name not in state.jobs:
        raise refused(404, "Background job not found")
    job = state.jobs[name]
    now = {"pending": ("in-progress", 50), "in-progress": ("success", 100)}.get(job["status"], ("success", 100))
    seen = dict(job)
    job["status"], job["progress"] = now
    return seen


def _job(state: Outreach, kind: str, about: str | None) -> Record:
    name = state.uuid("job").replace("-", "")[:24]
    state.jobs[name] = {
        "id": name,
        "type": kind,
        "status": "pending",
        "progress": 0,
        "entity_id": about,
        "created_at": now_text(),
        "updated_at": now_text(),
    }
    return state.jobs[name]


def _place(
    call: Call, workspace: Workspace, state: Outreach, campaign: str | None, lead_list: str | None
) -> tuple[str, str]:
    """`campaign` or `list_id`, and its id: exactly one of them has to be given."""
    if (campaign is None) == (lead_list is None):
        raise refused(400, "Exactly one of campaign_id or list_id must be provided")
    if campaign is not None:
        return "campaign", get_campaign(call, workspace, state, campaign)["id"]
    state.lists.add(str(lead_list))
    return "list_id", str(lead_list)


def _check_lead(where: str, lead: Any) -> None:
    if not isinstance(lead, dict) or any(name not in _LEAD for name in lead):
        raise refused(400, f"{where} must NOT have additional properties")
    for name, value in (lead.get("custom_variables") or {}).items():
        if not isinstance(value, str | int | float | bool | None):
            raise refused(400, f"{where}/custom_variables/{name} must be string,number,boolean,null")


def _added(workspace: Workspace, state: Outreach, place: tuple[str, str], given: Record) -> Record:
    lead = {
        "id": state.uuid("lead"),
        "organization": workspace.uuid("organization"),
        "campaign": None,
        "list_id": None,
        **{name: given.get(name) for name in _OWN},
        "company_domain": given["email"].rpartition("@")[2],
        "status": 1,
        "email_open_count": 0,
        "email_reply_count": 0,
        "email_click_count": 0,
        "upload_method": "api",
        "timestamp_created": now_text(),
        "timestamp_updated": now_text(),
    }
    lead[place[0]] = place[1]
    state.custom[lead["id"]] = dict(given.get("custom_variables") or {})
    lead["payload"] = _payload(lead, state.custom[lead["id"]])
    state.leads[lead["id"]] = lead
    state.members[place[1], given["email"].casefold()] = lead["id"]
    return lead


def _payload(lead: Record, custom: Record) -> Record:
    """A lead's variables as they are read back: its own in other letters, then what the caller made up."""
    own = {name: lead[column] for column, name in _IN_PAYLOAD.items() if lead.get(column) is not None}
    return own | custom
