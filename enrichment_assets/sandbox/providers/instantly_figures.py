"""Instantly's figures: of campaigns, of sending accounts, of days.

Those of a campaign that has sent nothing are `[]`. The days of accounts want at most 31 days and 200 accounts, and
answer 413 where that is too much at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from enrichment_assets.sandbox.exchange import Call
from enrichment_assets.sandbox.outreach import Account, Campaign, Figures, Workspace, days, summed
from enrichment_assets.sandbox.providers.instantly_wire import asked_page, refused

MOST_DAYS, MOST_ACCOUNTS = 31, 200
LARGEST = 600
"""Days times accounts that one answer holds; more is a 413."""


def list_accounts(call: Call, workspace: Workspace) -> dict[str, Any]:
    """The sending accounts, by address."""
    return asked_page(call, [_account(workspace, one) for one in workspace.accounts], "email")


def campaign_record(workspace: Workspace, one: Campaign) -> dict[str, Any]:
    """An invented campaign as the API gives it."""
    began = one.first or workspace.today - timedelta(days=3)
    return {
        "id": one.id,
        "name": one.name,
        "status": one.status,
        "pl_value": 100,
        "is_evergreen": False,
        "campaign_schedule": {
            "schedules": [
                {
                    "name": "Working hours",
                    "timing": {"from": "09:00", "to": "17:00"},
                    "days": {"0": False, "1": True, "2": True, "3": True, "4": True, "5": True, "6": False},
                    "timezone": "America/Detroit",
                }
            ]
        },
        "sequences": [{"steps": [{"type": "email", "delay": 2, "variants": [{"subject": "{{company}}", "body": ""}]}]}],
        "email_list": list(one.accounts),
        "daily_limit": 90,
        "open_tracking": one.tracks_opens,
        "stop_on_reply": True,
        "organization": workspace.uuid("organization"),
        "timestamp_created": f"{began.isoformat()}T08:00:00.000Z",
        "timestamp_updated": f"{(one.last or began).isoformat()}T18:30:00.000Z",
    }


def _account(workspace: Workspace, one: Account) -> dict[str, Any]:
    return {
        "email": one.email,
        "first_name": one.email.partition("@")[0].rstrip("0123456789").capitalize(),
        "last_name": "Harborline",
        "organization": workspace.uuid("organization"),
        "status": one.status,
        "warmup_status": 1 if one.status == 1 else 0,
        "stat_warmup_score": one.warmup_score,
        "daily_limit": one.daily_limit,
        "provider_code": 2,
        "setup_pending": False,
        "timestamp_created": "2026-01-05T08:00:00.000Z",
        "timestamp_updated": f"{workspace.today.isoformat()}T01:00:00.000Z",
    }


def _chosen(call: Call, workspace: Workspace, name: str) -> list[Campaign]:
    asked = call.query.get(name)
    return [one for one in workspace.campaigns if asked is None or one.id == asked]


def analytics(call: Call, workspace: Workspace) -> list[dict[str, Any]]:
    """Figures of each campaign that has sent."""
    rows = []
    for one in _chosen(call, workspace, "id"):
        total = workspace.total(one)
        if total is not None:
            rows.append(
                {
                    "campaign_name": one.name,
                    "campaign_id": one.id,
                    "campaign_status": one.status,
                    "campaign_is_evergreen": False,
                    "leads_count": total.new_leads + 40,
                    "contacted_count": total.new_leads,
                    "completed_count": total.new_leads // 3,
                    "new_leads_contacted_count": total.new_leads,
                    **_totals(total),
                    "reply_count_automatic": total.automatic,
                    "reply_count_automatic_unique": total.unique_automatic,
                }
            )
    return rows


def overview(call: Call, workspace: Workspace) -> dict[str, Any]:
    """Figures over all campaigns."""
    total = summed(workspace.total(one) for one in _chosen(call, workspace, "id"))
    return {
        **_totals(total),
        "new_leads_contacted_count": total.new_leads,
        "total_interested": total.opportunities,
        "total_meeting_booked": total.opportunities // 2,
        "total_meeting_completed": total.opportunities // 3,
        "total_closed": total.opportunities // 8,
    }


def _totals(total: Figures) -> dict[str, Any]:
    return {
        "emails_sent_count": total.sent,
        "open_count": total.opened,
        "open_count_unique": total.unique_opened,
        "link_click_count": total.clicks,
        "link_click_count_unique": total.unique_clicks,
        "reply_count": total.replies,
        "reply_count_unique": total.unique_replies,
        "bounced_count": total.bounced,
        "unsubscribed_count": total.unsubscribed,
        "total_opportunities": total.opportunities,
        "total_opportunity_value": total.opportunities * 100,
    }


def campaign_days(call: Call, workspace: Workspace) -> list[dict[str, Any]]:
    """Figures of each day of one campaign, or of all."""
    first, last = _span(call, workspace)
    chosen = _chosen(call, workspace, "campaign_id")
    found = ((day, _of_campaigns(workspace, chosen, day)) for day in days(first, last))
    return [
        _day(day, figures) | {"opportunities": figures.opportunities, "unique_opportunities": figures.opportunities}
        for day, figures in found
        if figures.sent
    ]


def _of_campaigns(workspace: Workspace, campaigns: Iterable[Campaign], day: date) -> Figures:
    return summed(workspace.day_of_campaign(campaign, day) for campaign in campaigns)


def account_days(call: Call, workspace: Workspace) -> list[dict[str, Any]]:
    """Figures of each day and sending account."""
    first, last = _span(call, workspace)
    emails = list(dict.fromkeys(_several(call, "emails")))
    if not emails:
        raise refused(400, "emails is required")
    if len(emails) > MOST_ACCOUNTS:
        raise refused(400, f"querystring/emails must NOT have more than {MOST_ACCOUNTS} items")
    span = (last - first).days + 1
    if span > MOST_DAYS:
        raise refused(400, f"The maximum range is {MOST_DAYS} days")
    if span * len(emails) > LARGEST:
        raise refused(413, "Too much data: use a shorter date range")
    known = {account.email for account in workspace.accounts}
    return [
        {"email_account": email, **_day(day, figures), "bounced": figures.bounced}
        for day in days(first, last)
        for email in emails
        if email in known and (figures := workspace.day_of_account(email, day)) is not None
    ]


def _several(call: Call, name: str) -> list[str]:
    """The values of a parameter that may be repeated."""
    every = getattr(call.query, "getall", None)
    return list(every(name, [])) if every is not None else [call.query[name]] if name in call.query else []


def _span(call: Call, workspace: Workspace) -> tuple[date, date]:
    try:
        last = date.fromisoformat(call.query.get("end_date", workspace.today.isoformat())[:10])
        first = date.fromisoformat(call.query.get("start_date", (last - timedelta(days=29)).isoformat())[:10])
    except ValueError:
        raise refused(400, "querystring/start_date must match format date") from None
    if first > last:
        raise refused(400, "Start Date must be earlier than End Date")
    return first, min(last, workspace.today)


def _day(day: date, figures: Figures) -> dict[str, Any]:
    return {
        "date": day.isoformat(),
        "sent": figures.sent,
        "contacted": figures.contacted,
        "new_leads_contacted": figures.new_leads,
        "opened": figures.opened,
        "unique_opened": figures.unique_opened,
        "replies": figures.replies,
        "unique_replies": figures.unique_replies,
        "replies_automatic": figures.automatic,
        "unique_replies_automatic": figures.unique_automatic,
        "clicks": figures.clicks,
        "unique_clicks": figures.unique_clicks,
    }
