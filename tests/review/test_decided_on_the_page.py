"""The page of reviews: approved is what was shown, and what somebody typed into the draft is never lost."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import httpx

from enrichment_assets.domain.access import Role
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.services.review.listing import Wanted, find_draft, list_drafts
from enrichment_assets.web.site import build_site
from tests.access.office import Office
from tests.review.conftest import BATCH, Desk

ORIGIN = "http://127.0.0.1:8730"
PAGE = f"/batches/{BATCH}/review"


def as_a_browser_sends(page: str) -> dict[str, str]:
    """The fields of the form of the page, with line ends as every browser sends them."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    texts = re.findall(r'<textarea [^>]*name="(field\.\w+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    return {name: unescape(text).replace("\n", "\r\n") for name, text in [*fields.items(), *texts]}


async def test_what_was_typed_is_kept_and_approved_only_when_it_was_seen(desk: Desk) -> None:
    office = Office(desk.hq, desk.settings, Signing.of(desk.settings))
    office.add("ada", Role.OWNER)
    headers = {"cookie": f"enrich_session={office.log_in('ada').session}", "origin": ORIGIN}
    app = build_site(desk.hq, desk.settings, [ORIGIN])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers) as http:
        sent = as_a_browser_sends((await http.get(f"{PAGE}?draft={desk.name(0)}")).text)
        assert "\r\n" in sent["field.draft_body"]
        done = await http.post(PAGE, data={**sent, "action": "approve", "note": ""})
        assert done.headers["location"].endswith("said=approved")
        sent = as_a_browser_sends((await http.get(f"{PAGE}?draft={desk.name(1)}")).text)
        typed = {**sent, "action": "approve", "note": "", "field.draft_subject": "A word"}
        kept = await http.post(PAGE, data=typed)
        assert kept.headers["location"].endswith(f"draft={desk.name(1)}&said=edited-not-approved")
        shown = (await http.get(kept.headers["location"])).text
        assert "approve them now" in shown
        body = (await asyncio.to_thread(find_draft, desk.hq, desk.name(1))).reviewed.draft.values["draft_body"]
        listed = await asyncio.to_thread(list_drafts, desk.hq, Wanted(batch=BATCH))
        assert [one.standing.value for one in listed][:2] == ["approved", "waiting"]
        done = await http.post(PAGE, data={**as_a_browser_sends(shown), "action": "approve", "note": ""})
        assert done.headers["location"].endswith("said=approved")
        for of, query in (("all", ""), ("client", "client=acme&")):
            every = (await http.get(f"/review/drafts?{query}state=waiting")).text
            assert f"grade B · personalise-email · {BATCH}" in every
            sent = as_a_browser_sends(every)
            assert (sent["of"], sent["draft"]) == (of, desk.name(2))
        gone = await http.post(PAGE, data={**sent, "action": "reject", "note": "no"})
        assert gone.headers["location"] == "/review/drafts?client=acme&state=waiting&said=rejected"
        assert (await http.get(f"/review/drafts?client=acme&draft={desk.items[0] + 999}/x")).status_code == 404
        found, after = [], ""
        while after is not None:
            answer = await http.get("/api/v1/reviews", params={"limit": 2, **({"after": after} if after else {})})
            found += [one["review"] for one in answer.json()["items"]]
            after = answer.json()["next"]
        assert found == [desk.name(place) for place in range(3)]
        waiting = await http.get("/api/v1/reviews", params={"client": "acme", "state": "rejected"})
        assert [one["review"] for one in waiting.json()["items"]] == [desk.name(2)]
    values = (await asyncio.to_thread(find_draft, desk.hq, desk.name(1))).reviewed.draft.values
    assert (values["draft_subject"], values["draft_body"]) == ("A word", body)
    assert "\r" not in body
    edited = desk.rows("select field from item_edits where item_id = %s", desk.items[1])
    assert [row["field"] for row in edited] == ["draft_subject"]
