"""Outreach services beside Instantly, as far as adding leads goes: Smartlead, Lemlist, HeyReach, EmailBison.

Each keeps what it took (`leads`), and answers as the vendor's pages and reports from the field say. An address at
`blocked.example` is on everybody's block list.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import unquote

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply, text_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path

BLOCKED = "@blocked.example"


class _Taking(SimulatedProvider):
    """What takes leads, each once a campaign."""

    price = Decimal(0)
    shape: ClassVar[str]

    def __init__(self) -> None:
        self.leads: dict[tuple[str, str, str], Mapping[str, Any]] = {}

    def question(self, call: Call) -> Question:
        """A lead for a campaign."""
        found = re.fullmatch(self.shape, call.path.rstrip("/"))
        if call.method != "POST" or found is None:
            raise no_such_path(call)
        body = call.json()
        return Question("add-lead", f"{call.path} {call.body!r}", lambda: self.take(call, body, *found.groups()))

    def take(self, call: Call, body: dict[str, Any], campaign: str) -> Reply:
        """The answer to a lead."""
        raise NotImplementedError

    def is_new(self, call: Call, campaign: str, lead: str, said: Mapping[str, Any]) -> bool:
        """Keep a lead; False: the campaign has it."""
        known = (call.key, campaign, lead.casefold())
        if known in self.leads:
            return False
        self.leads[known] = said
        return True


class Smartlead(_Taking):
    """`POST /api/v1/campaigns/{id}/leads`: up to 400, counted; the key in the query."""

    name = "smartlead"
    shape = r"/api/v1/campaigns/(\d+)/leads"
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "60/m"}

    def key(self, call: Call) -> str:
        """`api_key` of the query."""
        return call.query.get("api_key", "")

    def take(self, call: Call, body: dict[str, Any], campaign: str) -> Reply:
        """Counts of who was added and who was not, in one 200."""
        leads = body.get("lead_list")
        if not isinstance(leads, list) or not 1 <= len(leads) <= 400:
            raise Refusal(json_reply(400, {"message": "lead_list must contain less than or equal to 400 items"}))
        ignores = (body.get("settings") or {}).get("ignore_global_block_list") is True
        added = 0
        for lead in leads:
            address = str(lead.get("email") or "")
            if "@" in address and (ignores or not address.endswith(BLOCKED)):
                added += self.is_new(call, campaign, address, lead)
        counts = {"added_count": added, "skipped_count": len(leads) - added}
        return json_reply(200, {"ok": True, "success": True, "total_leads": len(leads), **counts})


class Lemlist(_Taking):
    """`POST /api/campaigns/{id}/leads/{email}` or `.../leads/`: one a call; Basic with an empty name."""

    name = "lemlist"
    shape = r"/api/campaigns/([^/]+)/leads(?:/[^/]*)?"
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "20/2s"}

    def key(self, call: Call) -> str:
        """The password; the name has to be empty."""
        scheme, _, word = call.headers.get("authorization", "").partition(" ")
        try:
            name, _, password = b64decode(word).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return ""
        return password if scheme == "Basic" and not name else ""

    def take(self, call: Call, body: dict[str, Any], campaign: str) -> Reply:
        """The lead, or a 400 with a sentence."""
        address = str(body.get("email") or unquote(call.path.rstrip("/").rpartition("/leads")[2].lstrip("/")))
        if "@" not in address:
            raise Refusal(text_reply(400, "Bad email"))
        if address.endswith(BLOCKED):
            raise Refusal(text_reply(400, "Lead unsubscribed"))
        if not self.is_new(call, campaign, address, body):
            raise Refusal(text_reply(400, "Lead already in the campaign"))
        return json_reply(200, {"_id": f"lea_{len(self.leads):08}", "campaignId": campaign, **body, "email": address})


class HeyReach(_Taking):
    """`POST /api/public/campaign/AddLeadsToCampaignV2`: up to 100, counted; another key's answer is a sentence."""

    name = "heyreach"
    shape = r"/api/public/campaign/AddLeadsToCampaignV2()"
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "300/m"}

    def key(self, call: Call) -> str:
        """`X-API-KEY`."""
        return call.headers.get("x-api-key", "")

    def take(self, call: Call, body: dict[str, Any], campaign: str) -> Reply:
        """Counts by the profile's address; a 200 with a sentence for an organisation's key."""
        if call.key.startswith("org-"):
            return text_reply(200, "This API key can not be used for this endpoint.", outcome="refused")
        pairs = body.get("accountLeadPairs")
        if not isinstance(pairs, list) or not 1 <= len(pairs) <= 100:
            raise Refusal(json_reply(400, {"errorMessage": "accountLeadPairs"}))
        counts = {"addedLeadsCount": 0, "updatedLeadsCount": 0, "failedLeadsCount": 0}
        for pair in pairs:
            lead = pair.get("lead") or {}
            profile = str(lead.get("profileUrl") or "")
            if "linkedin.com/in/" not in profile:
                counts["failedLeadsCount"] += 1
                continue
            new = self.is_new(call, str(body.get("campaignId")), profile, lead)
            counts["addedLeadsCount" if new else "updatedLeadsCount"] += 1
        return json_reply(200, counts)


class EmailBison(_Taking):
    """`POST /api/leads` makes a lead, `POST /api/campaigns/{id}/leads/attach-leads` puts it into a campaign."""

    name = "emailbison"
    shape = r"/api/(?:leads|campaigns/(\d+)/leads/attach-leads)"

    def take(self, call: Call, body: dict[str, Any], campaign: str | None) -> Reply:
        """The lead with its id, or that it is attached."""
        if campaign is None:
            address = str(body.get("email") or "")
            if "@" not in address:
                raise Refusal(json_reply(422, {"data": {"success": False, "message": "The email is required."}}))
            if not self.is_new(call, "", address, body):
                raise Refusal(json_reply(422, {"data": {"success": False, "message": "The email has been taken."}}))
            number = len([one for one in self.leads if one[1] == ""])
            return json_reply(201, {"data": {"id": number, **body, "status": "unverified"}})
        for number in body.get("lead_ids") or []:
            self.is_new(call, campaign, str(number), {"id": number})
        return json_reply(200, {"data": {"success": True, "message": "Leads attached to campaign"}})
