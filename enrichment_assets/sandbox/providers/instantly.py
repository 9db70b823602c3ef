"""Instantly's API v2: campaigns, sending accounts and their figures.

developer.instantly.ai (OpenAPI) and reports from the field. A list gives a cursor with its last page too: what follows
is a page without items. A `Python-urllib` User-Agent is refused by the network in front (403, a web page). A key that
is written `name+campaigns:read+accounts:read` has these scopes only, and one that has run out of its quota is of a
workspace without a paid plan (402). Figures of a campaign that has sent nothing are `[]`. The days of accounts want at
most 31 days and 200 accounts, and answer 413 where that is too much at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.outreach import (
    Account,
    Campaign,
    Figures,
    Workspace,
    days,
    summed,
    today,
    workspace_of,
)
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, whole_seconds

MOST_DAYS, MOST_ACCOUNTS = 31, 200
LARGEST = 600
"""Days times accounts that one answer holds; more is a 413."""

_EDGE = b"<!doctype html><html><title>Access denied</title><body>error code: 1010</body></html>"
_STATUS = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    413: "Payload Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Instantly(SimulatedProvider):
    """Everything below `/instantly/api/v2/...`."""

    name = "instantly"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "100/s,6000/m"}

    def question(self, call: Call) -> Question:
        """One of the reading questions."""
        if call.headers.get("user-agent", "").startswith("Python-urllib"):
            raise Refusal(Reply(403, _EDGE, content_type="text/html; charset=UTF-8"))
        routes: dict[str, tuple[str, Callable[[Call, Workspace], Any]]] = {
            "/api/v2/campaigns": ("campaigns:read", _campaigns),
            "/api/v2/accounts": ("accounts:read", _accounts),
            "/api/v2/campaigns/analytics": ("campaigns:read", _analytics),
            "/api/v2/campaigns/analytics/overview": ("campaigns:read", _overview),
            "/api/v2/campaigns/analytics/daily": ("campaigns:read", _campaign_days),
            "/api/v2/accounts/analytics/daily": ("accounts:read", _account_days),
        }
        path = call.path.rstrip("/")
        if call.method != "GET" or path not in routes:
            raise _refused(404, f"Route {call.method}:{call.path} not found")
        scope, answer = routes[path]
        if not _may(call.key, scope):
            raise _refused(403, f"Missing required scope: {scope}")
        workspace = workspace_of(call.population.seed, call.key.partition("+")[0], today())
        about = "&".join(f"{name}={value}" for name, value in sorted(call.query.items()))
        return Question(
            path.removeprefix("/api/v2/"), f"{path}?{about}", lambda: json_reply(200, answer(call, workspace))
        )

    def key(self, call: Call) -> str:
        """The bearer token."""
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in its error shape."""
        return _error(401, "Invalid API key")

    def exhausted(self, call: Call) -> Reply:
        """402: the workspace does not pay for the API."""
        return _error(402, "Workspace does not have an active paid plan")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 in its error shape."""
        reply = _error(429, "Rate limit exceeded")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in its error shape."""
        return _error(status, "An unexpected error occurred")


def _may(key: str, scope: str) -> bool:
    _, plus, scopes = key.partition("+")
    noun = scope.partition(":")[0]
    return not plus or bool({scope, f"{noun}:all", "all:read", "all:all"} & set(scopes.split("+")))


def _campaigns(call: Call, workspace: Workspace) -> dict[str, Any]:
    return _page(call, [_campaign(workspace, one) for one in workspace.campaigns], "id")


def _accounts(call: Call, workspace: Workspace) -> dict[str, Any]:
    return _page(call, [_account(workspace, one) for one in workspace.accounts], "email")


def _page(call: Call, items: list[dict[str, Any]], by: str) -> dict[str, Any]:
    limit = _limit(call)
    after = call.query.get("starting_after")
    start = 0
    if after is not None:
        start = next((number for number, item in enumerate(items, 1) if item[by] == after), len(items))
    page = items[start : start + limit]
    return {"items": page, **({"next_starting_after": page[-1][by]} if page else {})}


def _limit(call: Call) -> int:
    text = call.query.get("limit", "10")
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise _refused(400, "querystring/limit must be <= 100")
    return int(text)


def _campaign(workspace: Workspace, one: Campaign) -> dict[str, Any]:
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


def _analytics(call: Call, workspace: Workspace) -> list[dict[str, Any]]:
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


def _overview(call: Call, workspace: Workspace) -> dict[str, Any]:
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


def _campaign_days(call: Call, workspace: Workspace) -> list[dict[str, Any]]:
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


def _account_days(call: Call, workspace: Workspace) -> list[dict[str, Any]]:
    first, last = _span(call, workspace)
    emails = list(dict.fromkeys(_several(call, "emails")))
    if not emails:
        raise _refused(400, "emails is required")
    if len(emails) > MOST_ACCOUNTS:
        raise _refused(400, f"querystring/emails must NOT have more than {MOST_ACCOUNTS} items")
    span = (last - first).days + 1
    if span > MOST_DAYS:
        raise _refused(400, f"The maximum range is {MOST_DAYS} days")
    if span * len(emails) > LARGEST:
        raise _refused(413, "Too much data: use a shorter date range")
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
        raise _refused(400, "querystring/start_date must match format date") from None
    if first > last:
        raise _refused(400, "Start Date must be earlier than End Date")
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


def _refused(status: int, message: str) -> Refusal:
    return Refusal(_error(status, message))


def _error(status: int, message: str) -> Reply:
    return json_reply(status, {"statusCode": status, "error": _STATUS.get(status, "Error"), "message": message})
