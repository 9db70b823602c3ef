"""In every page what somebody wrote stands as text: nothing of it is an element, an attribute or a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx

from enrichment_assets.services.access.api_keys import create_key
from enrichment_assets.web.site import build_site
from tests.actors import TESTER
from tests.console.conftest import ORIGIN
from tests.console.hostile import BATCH, HOSTILE, Flooded, flooded

__all__ = ["flooded"]

FOREIGN = {"img", "iframe", "base", "object", "embed", "style", "video", "math", "animate"}
PLACES = {
    "callback_inbox.error",
    "clients.name",
    "deliveries.reason",
    "event_sources.error",
    "item_edits.note",
    "outgoing_webhooks.last_error",
    "sources.problem",
    "suppressions.reason",
    "upload_rejections.raw",
    "uploads.filename",
    "workflow_states.reason",
}
"""Where such strings have to be, for pages to show them."""


class Elements(HTMLParser):
    """What a page has: elements, attributes that could run or load something, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.running: list[tuple[str, str | None]] = []
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.running += [
            (name, value)
            for name, value in attrs
            if name.startswith("on")
            or name in ("style", "srcdoc")
            or (name in ("href", "src", "action", "formaction") and not (value or "").startswith(("/", "?", "#")))
            or (name in ("href", "src", "action", "formaction") and (value or "").startswith("//"))
        ]
        self.shown += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def beginning(text: str) -> str:
    """What a page shows of a text at least: pages shorten, and put lines together."""
    return " ".join(text.split())[:24]


async def test_every_string_stands_as_text_in_every_page(flooded: Flooded) -> None:
    assert len(HOSTILE) >= 200
    assert len(set(HOSTILE)) == len(HOSTILE)
    assert flooded.filled >= PLACES
    office, seen = flooded.office, set[str]()
    app = build_site(office.hq, office.settings, [ORIGIN])
    headers = {"cookie": flooded.cookie, "origin": ORIGIN}
    wanted = {beginning(text) for text in HOSTILE} - {""}
    where: dict[str, int] = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers) as http:
        for path in flooded.pages:
            answer = await http.get(path)
            assert answer.status_code == 200, (path, answer.status_code, re.sub("<[^>]+>", " ", answer.text)[-500:])
            page = Elements()
            page.feed(answer.text)
            assert page.running == [], path
            assert not page.names & FOREIGN, (path, page.names & FOREIGN)
            assert answer.text.count("<script") == 1, path  # ours, which is a file
            assert "49{%" not in answer.text, path
            text = " ".join(" ".join(page.shown).split())
            found = {one for one in wanted if one in text}
            where[re.sub(r"\d+", "N", path)] = where.get(re.sub(r"\d+", "N", path), 0) + len(found)
            seen |= found
    assert wanted <= seen, wanted - seen
    for path in (
        *(f"/batches/{BATCH}", f"/batches/{BATCH}/leads", f"/batches/{BATCH}/leads/N", f"/batches/{BATCH}/deliveries"),
        *(f"/batches/{BATCH}/review?draft=N/personalise-email", "/callbacks", "/log", "/clients", "/uploads/N"),
        *("/clients/acme/suppressions", "/clients/acme/connections", "/operations"),
    ):
        assert where[re.sub(r"\d+", "N", path)] > 0, (path, where)


async def test_what_cannot_be_kept_is_refused_and_a_header_is_not_folded(flooded: Flooded) -> None:
    office = flooded.office
    key = create_key(office.hq, "hostile", {"batches:control", "leads:read", "leads:edit"}, actor=TESTER).text
    app = build_site(office.hq, office.settings, [ORIGIN])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as http:
        headers = {"authorization": f"Bearer {key}"}
        path = f"/api/v1/batches/{BATCH}/pause"
        assert (await http.post(path, json={"reason": "a\0b"}, headers=headers)).status_code == 422
        for text in HOSTILE[::7]:
            answer = await http.get("/api/v1/batches", params={"client": text}, headers=headers)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/json"
            assert "set-cookie" not in answer.headers
        cookie = {"cookie": flooded.cookie, "origin": ORIGIN}
        for text in ("Ann\r\nSet-Cookie: x=1", "\u2028", "//evil.example/", "javascript:alert(1)"):
            went = await http.post("/login", data={"login": "ada", "password": "x", "to": text}, headers=cookie)
            assert "evil.example" not in went.headers.get("location", "")
            assert "x=1" not in went.headers.get("set-cookie", "")
