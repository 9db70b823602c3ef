"""Keys of senders: a request that is sent again is answered again, and done once. And pages of other sites."""

from __future__ import annotations

import httpx
import pytest

from enrichment_assets.domain.access import SCOPES, Role
from enrichment_assets.services.access.api_keys import create_key
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.web.cross_origin import CrossOrigin
from enrichment_assets.web.origin_guard import OriginGuard
from enrichment_assets.web.site import build_site
from tests.access.askers import BATCH, ORIGIN, Desk
from tests.actors import TESTER

PARTNER = "https://app.partner.example"


@pytest.fixture(scope="module")
def key(desk: Desk) -> str:
    return create_key(desk.office.hq, "repeats", SCOPES, actor=TESTER).text


def edits(settings: Settings) -> int:
    with connect(settings.hq_database_url or "") as connection:
        row = connection.execute("select count(*) as n from item_edits").fetchone()
    return int((row or {})["n"])


async def test_what_is_sent_again_with_its_key_is_done_once(desk: Desk, key: str) -> None:
    path = f"/api/v1/batches/{BATCH['acme']}/leads/{desk.items['acme']}/edit"
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "edit 1"}
    body = {"field": "title", "value": "Head of Routes"}
    before = edits(desk.office.settings)
    async with desk.http() as http:
        first = await http.post(path, json=body, headers=headers)
        again = await http.post(path, json=body, headers=headers)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json()
        assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
        assert edits(desk.office.settings) == before + 1
        other = await http.post(path, json={**body, "value": "CTO"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "request.key_reused")
        wrong = {**headers, "idempotency-key": "edit 2"}
        refused = await http.post(path, json={"field": "nothing_such", "value": "x"}, headers=wrong)
        assert refused.status_code == 422
        mended = await http.post(path, json=body, headers=wrong)  # nothing was done: the key is free again
        assert (mended.status_code, edits(desk.office.settings)) == (200, before + 2)
        for text in ("", "x" * 201, "a\x7fb"):
            answer = await http.post(path, json=body, headers={**headers, "idempotency-key": text})
            assert answer.status_code == 422


async def test_where_nobody_knows_what_became_of_it_it_is_not_done_again(desk: Desk, key: str) -> None:
    path = f"/api/v1/batches/{BATCH['acme']}/leads/{desk.items['acme']}/edit"
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "edit 3"}
    async with desk.http() as http:
        await http.post(path, json={"field": "title", "value": "CTO"}, headers=headers)
        desk.office.change("update repeated_requests set answer = null")  # its process ended before it had one
        answer = await http.post(path, json={"field": "title", "value": "CTO"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "request.unfinished")
        desk.office.change("update repeated_requests set begun_at = now() - interval '25 hours'")
        answer = await http.post(path, json={"field": "title", "value": "CTO"}, headers=headers)
        assert answer.status_code == 200


async def test_answers_say_how_much_more_may_come(desk: Desk, key: str) -> None:
    async with desk.http() as http:
        headers = {"authorization": f"Bearer {key}"}
        first = await http.get("/api/v1/me", headers=headers)
        second = await http.get("/api/v1/me", headers=headers)
        assert int(first.headers["ratelimit-limit"]) == 200
        assert int(second.headers["ratelimit-remaining"]) <= int(first.headers["ratelimit-remaining"]) < 200


async def test_a_page_of_another_site_comes_in_with_a_key_and_never_with_a_cookie(desk: Desk, key: str) -> None:
    settings = desk.office.settings
    guard = build_site(desk.office.hq, settings, [ORIGIN])
    assert isinstance(guard, CrossOrigin)
    assert isinstance(guard._app, OriginGuard)
    app = CrossOrigin(guard._app, [PARTNER])
    desk.office.add("ada", Role.OWNER)
    cookie = {"cookie": f"enrich_session={desk.office.log_in('ada').session}"}
    bearer = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as http:
        for path, headers, status in (
            ("/api/v1/me", {"origin": PARTNER, **bearer, "sec-fetch-site": "cross-site"}, 200),
            ("/api/v1/me", {"origin": PARTNER, **cookie}, 401),
            ("/api/v1/me", {"origin": "https://evil.example", **bearer}, 403),
            ("/batches", {"origin": PARTNER, **bearer}, 403),
            ("/static/console.js", {"origin": PARTNER}, 403),
        ):
            answer = await http.get(path, headers=headers)
            assert answer.status_code == status, (path, headers)
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed == (PARTNER if path.startswith("/api/") and headers["origin"] == PARTNER else None)
            assert "access-control-allow-credentials" not in answer.headers
        asked = await http.options("/api/v1/leads/enrich", headers={"origin": PARTNER})
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-methods"] == "GET, POST"
        assert (
            await http.options("/api/v1/leads/enrich", headers={"origin": "https://evil.example"})
        ).status_code == 403


async def test_leads_are_taken_as_jobs_with_the_shape_that_tools_know(desk: Desk, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    body = {
        "client": "acme",
        "pipeline": "normalise",
        "leads": [{"first_name": "Ada", "company_domain": "acme.example"}],
    }
    async with desk.http() as http:
        unknown = await http.post("/api/leads/enrich", json=body, headers=headers)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "pipeline.not_found")
        for change, field in (
            ({"leads": []}, "leads"),
            ({"leads": [{"a": {"b": 1}}]}, "leads"),
            ({"leads": "x"}, "leads"),
            ({"callback_url": "http://127.0.0.1/steal"}, "callback_url"),
            ({"more": 1}, "more"),
        ):
            answer = await http.post("/api/v1/leads/enrich", json={**body, **change}, headers=headers)
            assert (answer.status_code, list(answer.json()["fields"])) == (422, [field]), change
        course = {"client": "acme", "course_name": "Pine Hills", "state": "Texas", "course_id": True}
        assert (await http.post("/api/enrich-course", json=course, headers=headers)).status_code == 422
